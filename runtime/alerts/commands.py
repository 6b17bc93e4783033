"""`calejo alerts`: test messages, and the history of all messages with their attempts."""

from __future__ import annotations

import argparse
import importlib
import os
import secrets
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import config
from config.alerts import Alerts
from runtime import instance
from runtime.alerts import wording
from runtime.alerts.channel import START, Courier
from runtime.alerts.outbox import Order, Outbox
from runtime.alerts.secrecy import scheme
from runtime.places import Places

LOOK = 0.1  # s between looks for what became of a test
BEHIND = 60.0  # s that a test may wait behind what is attempted before it

TEST = """\
Send a test message to a channel, or to all of them. While the runtime runs, its own alerts process
delivers it, with the URLs that it was started with; else this command does, with those of this
environment. Exit code 0 when all were delivered.
"""


def add_to(commands: Any) -> None:
    """Add the command to those of `calejo`."""
    words = "test the channels of alerts; show what became of every message"
    parser = commands.add_parser("alerts", help=words, description=words.capitalize() + ".")
    alerts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    testing = alerts.add_parser("test", help="send a test message", description=TEST)
    testing.set_defaults(command=_test)
    testing.add_argument("channel", nargs="?", help="the channel (default: each)")
    words = "print the newest messages of this installation"
    telling = alerts.add_parser("history", help=words, description=words.capitalize() + ".")
    telling.set_defaults(command=_history)
    telling.add_argument("--channel", help="of this channel only")
    telling.add_argument("--attempts", action="store_true", help="with every attempt")
    telling.add_argument("--limit", type=int, default=50, metavar="N", help="most messages (50)")


def ways(alerts: Alerts) -> Iterator[str]:
    """The channels with their ways, and what is wrong with their URLs, without any secret."""
    try:
        urls = config.urls(alerts, os.environ)
    except config.ConfigurationError as error:
        yield f"  alerts    {', '.join(alerts.channels) or 'the environment is wrong'}"
        yield from (f"  warning   {problem}" for problem in error.problems)
        return
    told = ", ".join(f"{name} ({scheme(url.get_secret_value())})" for name, url in urls.items())
    yield f"  alerts    {told or 'no channels: alarms are brought to nobody'}"
    if not urls:
        return
    courier = importlib.import_module("runtime.alerts.courier")  # Apprise: for who has channels
    for name, url in urls.items():
        service = courier.plugin(url.get_secret_value())
        if service is None:
            yield f"  warning   channel {name}: its URL is none that Apprise knows"
        elif len(service) > 1:
            yield (
                f"  warning   channel {name}: its URL has {len(service)} receivers; when one of"
                " them fails, all get the message again: give each a channel of its own"
            )


def _test(given: argparse.Namespace) -> None:
    settings = config.load(None, os.environ).alerts
    places = Places.from_environment(os.environ)
    known = list(settings.channels)
    if given.channel is not None and given.channel not in known:
        listed = ", ".join(known) or "none: alerts.channels in scan.yaml names none"
        sys.exit(f"calejo: found channel {given.channel!r}, allowed {listed}")
    if not known:
        sys.exit("calejo: there are no channels (alerts.channels in scan.yaml)")
    if running := instance.holder(places) is not None:
        urls = {}
    else:
        urls = config.urls(settings, os.environ)
        places.prepare()
    failed = False
    with closing(Outbox(places.outbox)) as outbox:
        for channel in [given.channel] if given.channel else known:
            patience = settings.channels[channel].timeout
            key = _want(outbox, channel, settings)
            began = time.monotonic()
            if not running:
                _deliver(outbox, channel, key, urls[channel].get_secret_value(), patience)
            error = _outcome(outbox, key, patience)
            failed |= error is not None
            took = time.monotonic() - began
            _say(f"{channel}: {error or f'delivered in {took:.1f} s'}")
    sys.exit(failed)


def _want(outbox: Outbox, channel: str, settings: Alerts) -> str:
    now = time.time()
    key = f"test-{secrets.token_hex(4)}"
    with outbox.transaction():
        words = wording.test(channel, settings.timezone, now)
        outbox.add(Order(key, channel, "test", 1, words), now)
    return key


def _deliver(outbox: Outbox, channel: str, key: str, url: str, patience: float) -> None:
    claim = outbox.claim(channel, time.time(), patience + START, key)
    assert claim is not None
    by = Courier(url, patience)
    try:
        began = time.time()
        outbox.settle(claim, began, time.time(), by.deliver(claim))
    finally:
        by.close()


def _outcome(outbox: Outbox, key: str, patience: float) -> str | None:
    """Why a test failed; None if it was delivered. It is attempted once."""
    until = time.monotonic() + patience + START + BEHIND
    while time.monotonic() < until:
        attempt = outbox.connection.execute(
            "select outcome, error from attempt where message = ?", (key,)
        ).fetchone()
        if attempt is not None:
            if attempt["outcome"] == "failed":
                outbox.end(key, "withdrawn", time.time())
                return f"NOT delivered: {attempt['error']}"
            return None
        time.sleep(LOOK)
    outbox.end(key, "withdrawn", time.time())
    return "NOT delivered: it was not attempted; see `calejo status`"


def _history(given: argparse.Namespace) -> None:
    places = Places.from_environment(os.environ)
    if not places.outbox.exists():
        _say(f"there are no messages yet in {places.root}")
        return
    address = f"{places.outbox.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(
            "select * from message where ? is null or channel = ? order by number desc limit ?",
            (given.channel, given.channel, given.limit),
        )
        for row in found.fetchall():
            _say(_line(row))
            if given.attempts:
                for attempt in connection.execute(
                    "select * from attempt where message = ? order by number", (row["key"],)
                ):
                    _say(_attempt_line(attempt))


def _line(row: sqlite3.Row) -> str:
    error = f"; last: {row['error']}" if row["state"] != "delivered" and row["error"] else ""
    digest = f" in {row['digest']}" if row["digest"] else ""
    return (
        f"{wording.moment(row['created'], None)}  {row['key']:<13} {row['channel']:<14}"
        f" {row['state'] + digest:<10} {row['attempts']:>3} ×  {row['title']}{error}"
    )


def _attempt_line(row: sqlite3.Row) -> str:
    error = f": {row['error']}" if row["error"] else ""
    return (
        f"    {row['number']:>3}  {wording.moment(row['at'], None)}  {row['took']:.1f} s "
        f" {row['outcome']}{error}"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
