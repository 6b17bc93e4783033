"""The table as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runtime.tag import Tag
from tools.cause_and_effect import commands, feedback, levels, running, small_station
from tools.cause_and_effect.cause import CONTROL_TYPES, Cause, Group
from tools.cause_and_effect.effect import Effect, effect
from tools.cause_and_effect.snapshot import Flag, called

GROUPS = (*commands.GROUPS, *levels.GROUPS, *feedback.GROUPS, *running.GROUPS)
COLUMNS = (
    "cause",
    "Setpoint, Hz",
    "Authority",
    "Guarded",
    "Limited",
    "alarms",
    "latched",
    "released by",
    "the other pump, Hz",
)

HEAD = """\
# Cause and effect

What the program does, for each control type and each cause, as an engineer reviews it before a
station is put under its control. No effect here is written by hand: for each row,
`python -m tools.cause_and_effect` sets up the smallest station, brings it into a steady state,
applies the cause to the real function blocks in scans of 1 s, and reads the effects from the image.
A test makes the page anew and compares, and requires that each alarm, each flag of `Limited` and
`Guarded` and each `Authority` occurs in at least one row.

How to read a row:

- **Setpoint**: of the first pump, from the steady state on: `40 → 30 DefaultSetpoint` ends at the
  value of that tag. It moves at the rate of change (MaxSpeedChange), except where it says *at
  once*: that is a trip. *After 20 s* is when it began to move, if later than 5 s after the cause.
- **Authority**, when the effects were read. **Guarded**, **Limited**, **alarms**: all that acted or
  were raised meanwhile.
- **latched**: flags set at the end that are kept even over a restart.
- **released by**: what is done next, step by step, and what the setpoint does then; in brackets
  what is latched still.
- **the other pump**: its setpoint, and the guards that changed it. Empty if it stays at rest.

Each cause meets the first pump running as its plan asks, unless it says *at rest*, and the second
at rest. This is a supervisory controller: hardwired protection and the local controller act below
it, whatever stands here.
"""


@dataclass(frozen=True)
class Row:
    """A cause, where it was tried, and what it did."""

    control_type: str
    group: Group
    cause: Cause
    effect: Effect


def rows() -> list[Row]:
    """The whole table, executed."""
    return [
        Row(control_type, group, cause, effect(cause, control_type, group.direction))
        for control_type in CONTROL_TYPES
        for group in GROUPS
        for cause in group.causes
    ]


def page(table: Iterable[Row]) -> str:
    lines = [HEAD, *_parameters()]
    last = ("", "")
    for row in table:
        place = (row.control_type, row.group.title)
        if place[0] != last[0]:
            lines += ["", f"## {row.control_type}"]
        if place != last:
            lines += ["", f"### {row.group.title}", ""]
            lines += [_line(COLUMNS), _line("---" for _ in COLUMNS)]
        last = place
        lines.append(_line(_cells(row)))
    return "\n".join(lines) + "\n"


def _parameters() -> Iterator[str]:
    """What the station of the table is like."""
    yield "## The station\n"
    yield "Two pumps alike; parameters that are 0 are left out.\n"
    for what, values in (
        ("both", small_station.STATION | small_station.PUMP),
        *small_station.LEVELS.items(),
    ):
        told = (_value(tag, value) for tag, value in values.items() if not tag.is_bool)
        yield f"- {what}: {', '.join(told)}"
    for block, settings in small_station.SETTINGS.items():
        told = (f"{name} {setting}" for name, setting in settings.items())
        yield f"- `{block}`: {', '.join(told)}"


def _value(tag: Tag, value: float) -> str:
    shown = (tag.states or {}).get(int(value)) or f"{value:g} {tag.unit.symbol}".strip()
    return f"{tag.name} {shown}"


def _cells(row: Row) -> Iterator[str]:
    found = row.effect
    yield row.cause.name
    yield found.setpoint
    yield found.authority
    yield ", ".join(sorted(found.guarded))
    yield ", ".join(sorted(found.limited))
    yield _names(found.alarms)
    yield _names(found.latches)
    yield "; ".join(_released(found))
    yield "; ".join(part for part in (found.second, *sorted(found.second_guarded)) if part)


def _released(found: Effect) -> Iterator[str]:
    for release in found.releases:
        answer = f" refused, {release.refused}" if release.refused else ""
        still = f" [{_names(release.latches)}]" if release.latches else ""
        yield f"*{release.what}*{answer}: {release.setpoint}{still}"


def _names(flags: frozenset[Flag]) -> str:
    return ", ".join(called(flags))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
