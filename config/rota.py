"""Whom a rule brings an alarm to: priorities, and channels step by step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from config.notation import Notation
from config.problem import Refused, shown
from config.quantity import Duration

ALL_PRIORITIES = (1, 2, 3, 4)
CHANNEL = r"[a-z][a-z0-9-]{0,31}"
_AFTER = Duration("0 s", "1 d")


class Step(NamedTuple):
    """Who is told when an alarm has been neither acknowledged nor cleared for `after` (s)."""

    after: float
    channels: tuple[str, ...]


@dataclass(frozen=True)
class ChannelName(Notation[str | None]):
    """The name of a channel, or none."""

    NONE = "none"

    @property
    def allowed(self) -> str:
        return "none, or the name of a channel"

    def read(self, written: object) -> str | None:
        if written is None or written == self.NONE:
            return None
        if not isinstance(written, str) or not re.fullmatch(CHANNEL, written):
            raise ValueError("")
        return written

    def write(self, value: str | None) -> str:
        return value or self.NONE

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{CHANNEL}$"}


@dataclass(frozen=True)
class YesNo(Notation[bool]):
    """A switch."""

    @property
    def allowed(self) -> str:
        return "yes or no"

    def read(self, written: object) -> bool:
        text = str(written).lower()
        if text not in ("yes", "no", "true", "false"):
            raise ValueError("")
        return text in ("yes", "true")

    def write(self, value: bool) -> bool:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Priorities(Notation[tuple[int, ...]]):
    """Priorities of alarms: 1 critical to 4 low."""

    @property
    def allowed(self) -> str:
        return "all, or priorities from 1 (critical) to 4 (low) such as '1', '1-2', '1, 3'"

    def read(self, written: object) -> tuple[int, ...]:
        if written == "all":
            return ALL_PRIORITIES
        parts = written if isinstance(written, list | tuple) else str(written).split(",")
        found: set[int] = set()
        for part in parts:
            match = re.fullmatch(r"\s*([1-4])\s*(?:-\s*([1-4])\s*)?", str(part))
            if match is None or (match[2] and match[2] < match[1]):
                raise ValueError("")
            found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
        if not found:
            raise ValueError("")
        return tuple(sorted(found))

    def write(self, value: tuple[int, ...]) -> str:
        return "all" if value == ALL_PRIORITIES else ", ".join(map(str, value))

    def schema(self) -> dict[str, Any]:
        some = r"\s*[1-4]\s*(-\s*[1-4]\s*)?"
        number = {"type": "integer", "minimum": 1, "maximum": 4}
        text = {"type": "string", "pattern": rf"^(all|{some}(,{some})*)$"}
        items = {"oneOf": [number, {"type": "string", "pattern": f"^{some}$"}]}
        return {"oneOf": [number, text, {"type": "array", "items": items, "minItems": 1}]}


@dataclass(frozen=True)
class Steps(Notation[tuple[Step, ...]]):
    """Channels, or channels by the time after which they are told."""

    @property
    def allowed(self) -> str:
        return "a channel, a list of channels, or such by time: {0 s: duty, 5 min: [second, boss]}"

    def read(self, written: object) -> tuple[Step, ...]:
        if isinstance(written, tuple) and all(isinstance(step, Step) for step in written):
            return written
        by_time = written if isinstance(written, dict) else {"0 s": written}
        steps = [Step(self._after(after), _names(names)) for after, names in by_time.items()]
        times = [step.after for step in steps]
        if not steps or len(set(times)) < len(times):
            raise Refused("no step, or two at one time", self.allowed)
        return tuple(sorted(steps))

    def _after(self, written: object) -> float:
        try:
            return _AFTER.read(written)
        except ValueError:
            raise Refused(f"{shown(written)} as the time of a step", _AFTER.allowed) from None

    def write(self, value: tuple[Step, ...]) -> dict[str, list[str]]:
        return {_AFTER.write(step.after): list(step.channels) for step in value}

    def schema(self) -> dict[str, Any]:
        name = {"type": "string", "pattern": f"^{CHANNEL}$"}
        names = {
            "oneOf": [
                name,
                {"type": "array", "items": name, "minItems": 1, "uniqueItems": True},
            ]
        }
        by_time = {
            "type": "object",
            "patternProperties": {_AFTER.schema()["pattern"]: names},
            "additionalProperties": False,
            "minProperties": 1,
        }
        return {"oneOf": [*names["oneOf"], by_time]}


def _names(written: object) -> tuple[str, ...]:
    names = written if isinstance(written, list | tuple) else [written]
    for name in names:
        if not isinstance(name, str) or not re.fullmatch(CHANNEL, name):
            raise Refused(f"{shown(name)} as a channel", "the name of a channel")
    if not names or len(set(names)) < len(names):
        raise Refused("no channel, or one twice", "each channel once")
    return tuple(names)
