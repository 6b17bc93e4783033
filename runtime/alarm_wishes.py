"""Alarm wishes: what the scan checks of a request on the state of an alarm.

    wish (value)         from the states                          by
    acknowledged active  those that wait to be acknowledged       operator
    shelved              normal, active, cleared, suppressed,     operator; priority 1: engineer
                         shelved (for longer)
    out of service       all but itself                           engineer
    normal               shelved (unshelve), latched and          operator
                         acknowledged (reset)
    normal               out of service (return to service)       engineer

`reference` says for how long to shelve, from 60 s to 8 h. What of it makes sense is in
`runtime.alarm`; the block `alarms` does it, in the scan that admits it.
"""

from __future__ import annotations

from runtime.alarm import CRITICAL, LONGEST_SHELVING, SHORTEST_SHELVING, WISHED, WISHES, AlarmState
from runtime.layout import Columns
from runtime.requests import Ask, Result, Role
from runtime.tags import ALARM_OF_STATE, TAGS

_ANSWERS = {AlarmState.NORMAL, AlarmState.ACKNOWLEDGED}
_HIDES = {AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE}


class AlarmWishes:
    """Judges wishes in the state that the ones before them in the same scan lead to."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.states: dict[tuple[int, int], int] = {}  # after the requests of this scan

    def clear(self) -> None:
        """A scan begins."""
        self.states.clear()

    def judge(self, ask: Ask) -> Result:
        """The answer to a request whose row is in use and whose value is a state."""
        wish, state = AlarmState(int(ask.value)), self._state(ask)
        shelving = SHORTEST_SHELVING <= ask.reference <= LONGEST_SHELVING
        if wish not in _ANSWERS | _HIDES or (wish is AlarmState.SHELVED and not shelving):
            return Result.OUT_OF_RANGE
        if ask.role is not Role.ENGINEER and self._needs_engineer(ask, wish, state):
            return Result.NOT_ALLOWED
        return Result.EXECUTED if (state, wish) in WISHES else Result.WRONG_STATE

    def follow(self, ask: Ask) -> None:
        """Remember what an admitted wish leads to, for those that come after it."""
        self.states[ask.tag, ask.slot] = WISHED[self._state(ask)][int(ask.value)]

    def _state(self, ask: Ask) -> int:
        state = self._columns[TAGS[ask.tag]].item(ask.slot)
        return self.states.get((ask.tag, ask.slot), int(state))

    def _needs_engineer(self, ask: Ask, wish: int, state: int) -> bool:
        critical = ALARM_OF_STATE[TAGS[ask.tag]].alarm.priority == CRITICAL
        service = AlarmState.OUT_OF_SERVICE
        returns = wish == AlarmState.NORMAL and state == service
        return wish == service or returns or (wish == AlarmState.SHELVED and critical)
