"""Causes among starts, pauses and run times."""

from __future__ import annotations

from runtime.tags import Pump
from tools.cause_and_effect.cause import Cause, Group, Then, all_of, waits
from tools.cause_and_effect.commands import sets, stops
from tools.cause_and_effect.feedback import starts
from tools.cause_and_effect.levels import JUST, level
from tools.cause_and_effect.small_station import FIRST, SECOND
from tools.cause_and_effect.stand import Stand

HOUR, MINUTE = 3600.0, 60.0  # s


def local_starts(stand: Stand) -> None:
    """Someone starts the first pump on the spot as often as is allowed in an hour."""
    for _ in range(int(stand[Pump.MaxStartsPerHour][FIRST])):
        stand.local[FIRST] = True
        stand.drives[FIRST] = lambda setpoint: 35.0
        stand.run(5.0)
        stand.drives[FIRST] = lambda setpoint: 0.0
        stand.run(5.0)
    stand.normal()
    stand.run(MINUTE)


def restarts(stand: Stand) -> None:
    stand.restart()
    stand.run(MINUTE)


def just_stopped(stand: Stand) -> None:
    stand.demand("nothing")
    for _ in range(400):
        stand.run(1.0)
        if stand.published[FIRST] == 0.0:
            break


def just_started(stand: Stand) -> None:
    starts(stand)
    for _ in range(400):
        stand.run(1.0)
        if stand.published[FIRST] > 0.0:
            break
    stand.run(5.0)


def rests(stand: Stand) -> None:
    stand.demand("nothing")


def alone(stand: Stand) -> None:
    """There is no other pump."""
    stand[Pump.Configured][SECOND] = False


def other_stands(stand: Stand) -> None:
    stand.drives[SECOND] = lambda setpoint: 0.0


MAXIMUM = sets(Pump.MaxRun, 50.0)
LATER = (Then("an hour after the first start", waits(0.0), lasts=HOUR),)

GROUPS = (
    Group(
        "Starts and run times",
        (
            Cause(
                "asked to start, starts of the hour used up by local starts",
                starts,
                asked="nothing",
                history=local_starts,
                then=LATER,
            ),
            Cause(
                "the same after a restart",
                starts,
                asked="nothing",
                history=all_of(local_starts, restarts),
                then=(),
            ),
            Cause(
                "the same without another pump",
                starts,
                asked="nothing",
                before=alone,
                history=local_starts,
                then=(),
            ),
            Cause(
                "level at StartLevel, starts of the hour used up, no other pump",
                level(Pump.StartLevel, JUST),
                asked="nothing",
                before=alone,
                history=local_starts,
                then=(),
            ),
            Cause(
                "level at AllRunLevel, starts of the hour used up, no other pump",
                level(Pump.AllRunLevel, JUST),
                asked="nothing",
                before=alone,
                history=local_starts,
                then=(),
            ),
            Cause("asked to start before MinOff", starts, history=just_stopped, then=()),
            Cause(
                "asked to stop before MinRun",
                rests,
                asked="nothing",
                history=just_started,
                then=(),
            ),
            Cause(
                "emergency stop before MinRun",
                stops(Pump),
                asked="nothing",
                history=just_started,
                then=(),
            ),
            Cause("MaxRun reached", MAXIMUM, lasts=240.0),
            Cause("MaxRun reached without another pump", MAXIMUM, lasts=240.0, before=alone),
            Cause(
                "MaxRun reached without another pump, level at StartLevel",
                MAXIMUM,
                before=alone,
                history=all_of(level(Pump.StartLevel, JUST), waits(MINUTE)),
            ),
            Cause(
                "MaxRun reached, and the other pump does not start",
                all_of(MAXIMUM, other_stands),
                lasts=240.0,
            ),
        ),
    ),
)
