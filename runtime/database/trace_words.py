"""A story as people read it: a line for each step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime

from runtime.database.asking import Row
from runtime.database.trace import Story
from runtime.tags import TAGS

_STATES = {repr(tag): tag.states for tag in TAGS}


def lines(story: Story) -> Iterator[str]:
    """The story, a line for each step."""
    if not story.steps:
        yield f"nothing is known of {', '.join(story.ids)}"
    for step in story.steps:
        at: datetime = step["at"]
        where = "" if not step["found_in"].startswith("spool") else f"  [{step['found_in']}]"
        yield f"{at:%Y-%m-%d %H:%M:%S.%f}  {told(step)}{where}"


def told(step: Row) -> str:
    """What happened in a step."""
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
