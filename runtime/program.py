"""The program: function blocks in their order, checked before the first scan."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

from blocks.adaptation import Adaptation
from blocks.alarms import Alarms
from blocks.authority import Authority
from blocks.block import Block
from blocks.direct_speed import DirectSpeed
from blocks.duty import Duty
from blocks.emergency_stop import EmergencyStop
from blocks.feedback import Feedback
from blocks.level_control import LevelControl
from blocks.level_guards import LevelGuards
from blocks.limits import Limits
from blocks.plan import Plan
from blocks.power_control import PowerControl
from blocks.run_times import RunTimes
from blocks.staging import Staging
from blocks.supervision import Supervision
from blocks.watchdog import Watchdog
from blocks.well_level import WellLevel
from runtime.layout import BLOCKS as MOST
from runtime.layout import Columns, is_input
from runtime.tag import Tag
from runtime.tags import Block as BlockTable
from runtime.tags import Bucket, Request, System

KINDS: dict[str, type[Block]] = {
    "feedback": Feedback,
    "well_level": WellLevel,
    "plan": Plan,
    "watchdog": Watchdog,
    "emergency_stop": EmergencyStop,
    "run_times": RunTimes,
    "level_guards": LevelGuards,
    "adaptation": Adaptation,
    "direct_speed": DirectSpeed,
    "staging": Staging,
    "level_control": LevelControl,
    "power_control": PowerControl,
    "authority": Authority,
    "duty": Duty,
    "limits": Limits,
    "supervision": Supervision,
    "alarms": Alarms,
}
SAFETY = (
    *("feedback", "well_level", "watchdog", "emergency_stop", "run_times", "level_guards"),
    *("authority", "duty", "limits"),
)

# What the scan itself writes: time, statistics, requests and faults.
_BY_BLOCKS = {tag for kind in KINDS.values() for tag in kind.writes}
SCAN_WRITES: frozenset[Tag] = frozenset(
    tag
    for table in (System, Request, Bucket, BlockTable)
    for tag in table.tags()
    if not is_input(tag) and tag not in _BY_BLOCKS
)


class ProgramError(Exception):
    """The program can't be executed; the message names every block and tag at fault."""


def problems(order: Sequence[str], kinds: Mapping[str, type[Block]] = KINDS) -> list[str]:
    """Everything that is wrong with an order of blocks: none if it can be executed."""
    found = [
        f"program: no block is called {name!r}; allowed are {', '.join(kinds)}"
        for name in dict.fromkeys(order)
        if name not in kinds
    ]
    known = [name for name in order if name in kinds]
    found += [
        f"program: block {name!r} stands {known.count(name)} times; once is allowed"
        for name in dict.fromkeys(known)
        if known.count(name) > 1
    ]
    found += [
        f"program: the safety block {name!r} is missing; it must be there"
        for name in SAFETY
        if name not in known
    ]
    if len(order) > MOST:
        found.append(f"program: {len(order)} blocks; at most {MOST} are allowed")
    return found + _wiring(list(dict.fromkeys(known)), kinds)


def _wiring(order: list[str], kinds: Mapping[str, type[Block]]) -> list[str]:
    found: list[str] = []
    writer: dict[Tag, str] = {}
    for name in order:
        for tag in kinds[name].writes:
            if tag in writer:
                found.append(
                    f"program: blocks {writer[tag]!r} and {name!r} both write {tag!r};"
                    " a tag has one writer"
                )
            elif is_input(tag) or tag in SCAN_WRITES:
                found.append(f"program: block {name!r} writes {tag!r}, which is not a block's")
            writer.setdefault(tag, name)
    for place, name in enumerate(order):
        before = set(order[:place])
        for tag in dict.fromkeys((*kinds[name].reads, *kinds[name].previous)):
            if is_input(tag) or tag in SCAN_WRITES:
                continue
            source = writer.get(tag)
            if source is None:
                found.append(f"program: block {name!r} reads {tag!r}, which {_absent(tag, kinds)}")
            elif tag in kinds[name].reads and source not in before:
                found.append(
                    f"program: block {name!r} reads {tag!r}, which {source!r} writes only later;"
                    f" put {source!r} before {name!r}"
                )
    return found


def _absent(tag: Tag, kinds: Mapping[str, type[Block]]) -> str:
    writers = [name for name, kind in kinds.items() if tag in kind.writes]
    return f"only the missing block {writers[0]!r} writes" if writers else "no block writes"


class Program:
    """The blocks of a checked program, bound to their columns."""

    def __init__(
        self,
        order: Sequence[str],
        settings: Mapping[str, Mapping[str, object]],
        columns: Columns,
    ) -> None:
        found = problems(order)
        if found:
            raise ProgramError("\n".join(found))
        self.names = tuple(order)
        self.blocks = tuple(_build(KINDS[name], settings.get(name, {}), columns) for name in order)

    def writer(self, tag: Tag) -> int:
        """The place of the block that writes a tag."""
        return next(place for place, block in enumerate(self.blocks) if tag in block.writes)


def _build(kind: type[Block], settings: Mapping[str, object], columns: Columns) -> Block:
    """A block with those of its settings that are its own; the rest are defaults of parameters."""
    own = inspect.signature(kind).parameters
    return kind(columns, **{name: value for name, value in settings.items() if name in own})
