"""`calejo trace`: the whole story of one request."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

import config
from runtime import equipment
from runtime.database import asking, trace
from runtime.database.asking import Row
from runtime.database.migrations import SchemaError
from runtime.database.postmaster import ServerError
from runtime.database.session import DatabaseAwayError, opened
from runtime.database.trace import Story
from runtime.places import Places
from runtime.tags import TAGS

NOT_FOUND = 3  # exit code
_STATES = {repr(tag): tag.states for tag in TAGS}
DESCRIPTION = """\
Tell all that is known of a request, in the order of time: who asked for what, why and from where;
in which scan it was executed, or why not; what changed in that scan, what was written of it, and
who was told of its alarms.
ID is the X-Correlation-Id of a reply, the trace of a traceparent, the id of an emergency stop, or
the correlation of a log line. What still waits in the spools is told too.

exit codes: 0 found, 3 nothing is known of it
"""


def add_to(commands: Any) -> None:
    """Add the command to those of `calejo`."""
    parser = commands.add_parser(
        "trace",
        help="tell all that became of a request",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(command=_trace)


def _trace(given: argparse.Namespace) -> None:
    places = Places.from_environment(os.environ)
    known = equipment.load(places.equipment)
    problem = ""
    try:
        with opened(config.load(None, os.environ), places) as connection:
            story = trace.tell(asking.over(connection), places, known, given.id)
    except (DatabaseAwayError, SchemaError, ServerError) as error:
        problem = str(error)
        story = trace.tell(None, places, known, given.id)
    if given.json:
        document = {"ids": story.ids, "database": problem or "asked", "steps": story.steps}
        sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        if problem:
            sys.stderr.write(f"calejo: PostgreSQL is not asked, only the spools: {problem}\n")
        sys.stdout.writelines(line + "\n" for line in lines(story))
    if not story.steps:
        sys.exit(NOT_FOUND)


def lines(story: Story) -> Iterator[str]:
    """The story as people read it: a line for each step."""
    if not story.steps:
        yield f"nothing is known of {', '.join(story.ids)}"
    for step in story.steps:
        at: datetime = step["at"]
        where = "" if not step["found_in"].startswith("spool") else f"  [{step['found_in']}]"
        yield f"{at:%Y-%m-%d %H:%M:%S.%f}  {_words(step)}{where}"


def _words(step: Row) -> str:
    if "action" in step:
        return _request(step)
    if "message" in step:
        return _message(step)
    place = "/".join(str(step[key]) for key in ("station", "pump") if key in step) or "System"
    scan = f"scan {step['scan']}: "
    if "tag" in step:
        name = step["tag"].partition(".")[2]
        old, new = (_value(step["tag"], step[key]) for key in ("old_value", "new_value"))
        return f"{scan}{place}/{name} {old} -> {new}"
    if "failsafe" in step:
        age = f", plans {step['plan_age_s']:.0f} s old" if "plan_age_s" in step else ""
        return f"{scan}failsafe of {place} {step['failsafe']}{age}"
    if "event" in step:
        stop = f"emergency stop {step['emergency_stop_id']}"
        return f"{scan}{stop} of {place} {step['event']} by {step['actor']}: {step['reason']}"
    ended = f", until {step['ended_at']:%H:%M:%S.%f}" if "ended_at" in step else ""
    return f"{scan}{place} limit {step['limit_name']!r} acts{ended}"


def _message(step: Row) -> str:
    """A message that tells of an alarm, or an attempt to deliver it."""
    if "attempt" in step:
        failure = f": {step['error']}" if "error" in step else ""
        number, took = step["attempt"], f"after {step['took_s']:.1f} s"
        return f"attempt {number} to tell {step['channel']}: {step['outcome']} {took}{failure}"
    ended = f" at {step['ended_at']:%H:%M:%S.%f}" if "ended_at" in step else ""
    return f"message to {step['channel']}, {step['state']}{ended}: {step['title']}"


def _value(tag: str, value: float) -> str:
    """A value, as the word that its tag has for it."""
    states = (_STATES.get(tag) or {}) if math.isfinite(value) else {}
    return states.get(int(value), f"{value:g}")


def _request(step: Row) -> str:
    details = step.get("details", {})
    who = step["actor"] + (f" ({step['role']})" if step.get("role") else "")
    by = " ".join(str(step[key]) for key in ("protocol", "address") if key in step)
    what = f"{step['action']} {step.get('object', '')}".strip()
    if step["result"] == "asked":
        said = f"asked by {who}, {by}: {what} := {details.get('value', '?')}"
        return said + (f", because: {step['reason']}" if "reason" in step else "")
    told = [f"{step['result']}: {what}"]
    if details.get("scan"):
        told.append(f"in scan {details['scan']}")
    if "latency" in details:
        told.append(f"after {details['latency'] * 1000:.1f} ms")
    if "durable" in details:
        told.append("on disk" if details["durable"] else "not yet on disk")
    if "problem" in details:
        told.append(f"{details['problem']}; {who}, {by}")
    return ", ".join(told)
