"""Alarms under random conditions, wishes, restarts and times, against a second implementation."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from runtime.alarm import WORDS
from runtime.layout import is_input
from runtime.requests import Result, Role
from runtime.tag import Tag
from runtime.tags import ALARMS, SHOWN, DeclaredAlarm, Pump, Station, System
from tests.blocks.oracle import Order, rows
from tests.blocks.oracle_alarms import Alarms, grant
from tests.blocks.panel import Panel
from tests.blocks.random_courses import BOUNDED, tried

HIDDEN = ("shelved", "out of service")
WRITTEN = [
    *(tag for alarm in ALARMS for tag in (alarm.since, alarm.state, alarm.shelved_until)),
    *(alarm.timer for alarm in ALARMS if alarm.timer),
    *(System.ActiveAlarms, System.UnacknowledgedAlarms, System.ShelvedAlarms, System.MemoryAge),
    *(Station.ActiveAlarms, Station.UnacknowledgedAlarms, Station.ShelvedAlarms),
    *(System.Annunciations, System.AlarmFlood),
]
# A few that are delayed, latching, critical, or cause one another, so that states are met often.
SOME = [
    alarm
    for alarm in ALARMS
    if alarm.tag
    in (
        *(System.DatabaseLost, System.EmergencyStop, Station.LevelsDiffer, Pump.NoFlow),
        *(Pump.PowerDeviates, Pump.RunsUncommanded, Pump.FeedbackLost, Pump.Failed),
    )
]
MOVED = [alarm.tag for alarm in SOME] + [Pump.LocalControl, Pump.Configured, Station.Configured]


def answer(alarm: DeclaredAlarm, word: str, wish: float, seconds: int, role: Role) -> Result:
    """What a wish meets, as the manuals have it."""
    engineer = role is Role.ENGINEER
    if role not in (Role.OPERATOR, Role.ENGINEER):
        return Result.NOT_WRITABLE
    wanted = WORDS.get(int(wish))
    if wanted not in ("normal", "acknowledged active", *HIDDEN):
        return Result.OUT_OF_RANGE
    if wanted == "shelved" and not 60 <= seconds <= 8 * 3600:
        return Result.OUT_OF_RANGE
    if wanted == "shelved" and alarm.alarm.priority == 1 and not engineer:
        return Result.NOT_ALLOWED
    if "out of service" in (wanted, word if wanted == "normal" else "") and not engineer:
        return Result.NOT_ALLOWED
    sensible = {
        "normal": word in ("latched acknowledged", *HIDDEN),
        "acknowledged active": "unacknowledged" in word,
        "shelved": "latched" not in word and word != "out of service",
        "out of service": word != "out of service",
    }
    return Result.EXECUTED if sensible[wanted] else Result.WRONG_STATE


class Machine:
    """A panel, and the plain second implementation that goes along with it."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.panel = Panel(period=random.choice([0.1, 1.0, 10.0, 60.0]))
        self.oracle = Alarms()
        self.rows = {table.__name__: rows(self.panel.columns, table) for table in SHOWN}

    def _latch(self) -> None:
        """Conditions and clocks, which come from outside."""
        outside = [System.TimeUtc, System.ControlTime, System.Elapsed, *MOVED]
        for tag in outside:
            for row, value in zip(self.rows[tag.table], self.panel[tag].tolist(), strict=True):
                setattr(row, tag.name, value)

    def happen(self) -> None:
        random, panel = self.random, self.panel
        for tag in random.sample(MOVED, random.randrange(4)):
            usually = tag.name == "Configured"
            column = panel[tag]
            column[random.randrange(len(column))] = random.random() < (0.9 if usually else 0.5)
        if random.random() < 0.05:
            panel.restart_cold()
            self._forget()

    def _forget(self) -> None:
        self.oracle = Alarms()
        for tag in WRITTEN:
            if not tag.retained and not is_input(tag):
                for row in self.rows[tag.table]:
                    setattr(row, tag.name, type(getattr(row, tag.name))(0))

    def scan(self) -> None:
        """One scan, with wishes or without: both have the same answers and the same state."""
        asked = [self._wish() for _ in range(self.random.choice([0, 0, 1, 3]))]
        self.panel.step()
        self._latch()
        system = self.rows["System"][0]
        for identity, order, alarm, role in asked:
            row = self.rows[order.tag.table][order.slot]
            word = WORDS[getattr(row, alarm.state.name)]
            used = order.tag.table == "System" or row.Configured
            told = answer(alarm, word, order.value, order.reference, role)
            if told is not Result.NOT_WRITABLE and not used:
                told = Result.UNKNOWN_SLOT
            assert self.panel.answer(identity) is told, (word, order, role)
            if told is Result.EXECUTED:
                grant(alarm, row, int(order.value), order.reference, system.ControlTime)
        self.oracle.evaluate(system, self.rows["Station"], self.rows["Pump"])
        for tag in WRITTEN:
            ours = self.panel[tag].tolist()
            assert ours == [getattr(row, tag.name) for row in self.rows[tag.table]], tag

    def _wish(self) -> tuple[int, Order, DeclaredAlarm, Role]:
        random = self.random
        alarm = random.choice(SOME)
        tag: Tag = alarm.tag
        slot = random.randrange(len(self.panel[tag]))
        wish = random.choice([0.0, 0.0, 2.0, 2.0, 2.0, 6.0, 6.0, 8.0, 1.0, 9.0])
        seconds = random.choice([60, 90, 28_800, 59, 28_801])
        role = random.choice([Role.OPERATOR, Role.ENGINEER, Role.ENGINEER, Role.VIEWER])
        identity = self.panel.put(tag, slot, wish, seconds, role)
        return identity, Order(alarm.state, slot, wish, identity, seconds), alarm, role


@BOUNDED
@tried(300)
@given(st.integers(0, 2**64), st.integers(1, 80))
def test_whatever_happens_both_have_the_same_states_and_answers(seed: int, scans: int) -> None:
    machine = Machine(Random(seed))
    for _ in range(scans):
        machine.happen()
        machine.scan()
