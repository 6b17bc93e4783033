"""A channel at work: a thread that takes its messages from the outbox, and a courier for them.

No channel waits for another. A courier that does not answer in time is killed, and one that has had
nothing to do for a while is ended: it is started again when there is something.
"""

from __future__ import annotations

import os
import select
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import structlog

from runtime.alerts import wording
from runtime.alerts.outbox import Claim, Outbox
from runtime.alerts.secrecy import mask, scheme
from runtime.processes import module

START = 20.0  # s that a courier may take to start, on a machine that has much to do
IDLE = 60.0  # s
LOOK = 0.5  # s between looks at the outbox when nobody says that there is something
ENDED = "the courier ended without an answer"

logger = structlog.get_logger()


class Courier:
    """Hands messages to the receiver of one URL, through a process of its own."""

    def __init__(self, url: str, patience: float) -> None:
        self._url = url
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._used = 0.0

    def deliver(self, message: Claim) -> str | None:
        """Deliver a message; why that failed, without secrets, or None."""
        try:
            error = self._answer(self._job(message))
        except OSError as failure:
            self.close()
            error = f"{ENDED}: {failure.strerror or failure}"
        self._used = time.monotonic()
        return None if error is None else mask(error, self._url)

    def rest(self) -> None:
        """End the process if nothing has been delivered for a while."""
        if self._process is not None and time.monotonic() - self._used > IDLE:
            self.close()

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()

    def _job(self, message: Claim) -> bytes:
        job: dict[str, Any] = {
            "url": self._url,
            "patience": self._patience,
            "key": message.key,
            "priority": message.priority,
            "title": message.title,
            "text": message.text,
            "short": message.short,
            "fields": dict(message.fields),
        }
        return orjson.dumps(job) + b"\n"

    def _answer(self, job: bytes) -> str | None:
        fresh = self._process is None
        process = self._process = self._process or _start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(job)
        process.stdin.flush()
        patience = self._patience + (START if fresh else 0.0)
        if not select.select([process.stdout], [], [], patience)[0]:
            self.close()
            return f"no answer within {self._patience:g} s"
        line = process.stdout.readline()
        if not line:
            self.close()
            return ENDED
        error: str | None = orjson.loads(line)["error"]
        return error


def _start() -> subprocess.Popen[bytes]:
    """Start a courier. What the environment holds of secrets is none of its business."""
    kept: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if not name.startswith("CALEJO_")
    }
    return subprocess.Popen(
        module("runtime.alerts.courier", str(os.getpid())),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=kept,
    )


class Channel(threading.Thread):
    """Delivers the messages of one channel until it is stopped.

    `problem` says why the last attempt failed; it is empty while the channel works.
    """

    def __init__(self, name: str, url: str, patience: float, outbox: Path) -> None:
        super().__init__(name=f"channel {name}", daemon=True)
        self.channel = name
        self.way = scheme(url)
        self.problem = ""
        self.wake = threading.Event()
        self._patience = patience
        self._path = outbox
        self._stopping = False
        self._courier = Courier(url, patience)
        self._beat: Callable[[], Claim | None] = lambda: None

    def beat_with(self, due: Callable[[], Claim | None]) -> None:
        """Send heartbeats too: `due` gives one when it is time for it."""
        self._beat = due

    def stop(self) -> None:
        self._stopping = True
        self.wake.set()

    def run(self) -> None:
        outbox: Outbox | None = None
        while not self._stopping:
            try:
                outbox = outbox or Outbox(self._path)
                busy = self._work(outbox)
            except sqlite3.Error as error:
                self.problem, busy = f"outbox: {error}", False
                if outbox is not None:
                    outbox.close()
                    outbox = None
            if not busy:
                self._courier.rest()
                self.wake.wait(LOOK)
                self.wake.clear()
        self._courier.close()
        if outbox is not None:
            outbox.close()

    def _work(self, outbox: Outbox) -> bool:
        """Attempt one message; whether there was one."""
        claim = outbox.claim(self.channel, time.time(), self._patience + START)
        if claim is not None:
            began = time.time()
            error = self._courier.deliver(claim)
            outbox.settle(claim, began, time.time(), error)
            self._say(claim, error)
            return True
        heartbeat = self._beat()
        if heartbeat is not None:
            self._say(heartbeat, self._courier.deliver(heartbeat))
        return False

    def _say(self, claim: Claim, error: str | None) -> None:
        words = {"channel": self.channel, "way": self.way, "key": claim.key}
        if error is None:
            logger.info("message delivered", **words, attempt=claim.attempt, title=claim.title)
        else:
            logger.warning("message not delivered", **words, attempt=claim.attempt, reason=error)
        self.problem = error or ""


def heartbeats(
    every: float, works: Callable[[], bool], compose: Callable[[float], wording.Words]
) -> Callable[[], Claim | None]:
    """What gives a heartbeat every so often (s), as long as all works."""
    due = time.monotonic()

    def beat() -> Claim | None:
        nonlocal due
        now = time.monotonic()
        if now < due or not works():
            return None
        due = now + every
        words = compose(time.time())
        key = f"heartbeat-{time.time():.0f}"
        return Claim(key, "", 4, words.title, words.text, words.short, words.fields, 1)

    return beat
