"""What an alarm is, and how its state moves (ISA-18.2): the tables that all who deal with it share.

An alarm is a boolean tag with a declaration; its state is a tag of its own, which the block
`alarms` writes. The state machine is data: from each state, what follows when the alarm is active,
when it has ended, and when somebody asks for something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True)
class Alarm:
    """One row of the rationalised alarm list (ISA-18.2): the tag is true while its condition holds.

    The alarm is active when the condition has held for longer than `on_delay` (s), and ends when it
    has not for longer than `off_delay`. One that is `latching` has to be reset after its end.
    `unless` names a flag of the same row, and `caused_by` another alarm, of the same row or, as
    "System.<name>", of the system: an alarm that becomes active while that one stands is suppressed
    by design.
    """

    priority: int  # 1 critical … 4 low
    cause: str
    consequence: str
    response: str
    on_delay: float = 0.0
    off_delay: float = 0.0
    latching: bool = False
    unless: str = ""
    caused_by: str = ""


class AlarmState(IntEnum):
    """Zeroed memory is normal."""

    NORMAL = 0
    UNACKNOWLEDGED = 1
    ACKNOWLEDGED = 2
    CLEARED = 3
    LATCHED = 4
    LATCHED_ACKNOWLEDGED = 5
    SHELVED = 6
    SUPPRESSED = 7
    OUT_OF_SERVICE = 8


_N, _U, _A, _C, _L, _LA, _SH, _SU, _O = AlarmState

WORDS: Mapping[int, str] = {
    _N: "normal",
    _U: "unacknowledged active",
    _A: "acknowledged active",
    _C: "unacknowledged cleared",
    _L: "latched unacknowledged",
    _LA: "latched acknowledged",
    _SH: "shelved",
    _SU: "suppressed by design",
    _O: "out of service",
}
STANDING = frozenset({_U, _A, _C, _L, _LA})
"""What the list of alarms shows: all but what is normal or hidden."""
TO_ACKNOWLEDGE = frozenset({_U, _C, _L})


def _states(*states: int) -> tuple[int, ...]:
    return tuple(map(int, states))


# Indexed by the state: the next one.
#                   from N    U   A   C    L    LA   SH   SU   O
ACTIVE = _states(*(_U, _U, _A, _U, _U, _U, _SH, _U, _O))
CONSEQUENCE = _states(*(_SU, _U, _A, _C, _L, _LA, _SH, _SU, _O))
"""Active while what causes it stands: only what is not yet announced is suppressed."""
ENDED = _states(*(_N, _C, _N, _C, _L, _LA, _SH, _N, _O))
ENDED_LATCHING = _states(*(_N, _L, _LA, _C, _L, _LA, _SH, _N, _O))

# What may be asked for is itself a state. Unshelving, the return to service and the reset of a
# latch are all the wish for `normal`; what follows is decided by the condition, in the same scan.
WISHES: Mapping[tuple[int, int], int] = {
    # acknowledge
    (_U, _A): _A,
    (_C, _A): _N,
    (_L, _A): _LA,
    # unshelve, return to service: hidden until it is judged; reset
    (_SH, _N): _SU,
    (_O, _N): _SU,
    (_LA, _N): _N,
    # shelve, or for longer; take out of service
    **{(state, _SH): _SH for state in (_N, _U, _A, _C, _SH, _SU)},
    **{(state, _O): _O for state in AlarmState if state != _O},
}
WISHED: tuple[tuple[int, ...], ...] = tuple(
    _states(*(WISHES.get((state, wish), state) for wish in AlarmState)) for state in AlarmState
)
"""WISHED[state][wish]: what becomes of the state; itself where the wish makes no sense."""

SHORTEST_SHELVING, LONGEST_SHELVING = 60, 28_800  # s; longer than a shift nothing is to be hidden
CRITICAL = 1  # the priority that only an engineer may hide
