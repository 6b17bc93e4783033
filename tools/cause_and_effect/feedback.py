"""Causes among measurements, drives and local controllers."""

from __future__ import annotations

from runtime.tag import Tag
from runtime.tags import Pump
from tools.cause_and_effect.cause import Act, Cause, Group, Then, all_of, waits
from tools.cause_and_effect.commands import cleared, runs_on, sets, stops
from tools.cause_and_effect.small_station import FIRST
from tools.cause_and_effect.stand import Answer, Stand

NO_NUMBER = float("nan")


def shows(tag: Tag, answer: Answer) -> Act:
    """What an instrument of the first pump makes of the truth."""

    def act(stand: Stand) -> None:
        stand.instruments[tag, FIRST] = answer

    return act


def drive(answer: Answer) -> Act:
    """What the drive of the first pump makes of its setpoint."""

    def act(stand: Stand) -> None:
        stand.drives[FIRST] = answer

    return act


def local(stand: Stand) -> None:
    stand.local[FIRST] = True


def stale(stand: Stand) -> None:
    stand.collector = False


def starts(stand: Stand) -> None:
    stand.demand("more")


def broken(tag: Tag) -> Act:
    return shows(tag, lambda truth: NO_NUMBER)


stands = drive(lambda setpoint: 0.0)
REPAIRED = (
    Then("cause gone"),
    Then("`retry` later", waits(0.0), lasts=240.0),
)

MEASUREMENTS = Group(
    "Measurements",
    (
        Cause("speed not measured", broken(Pump.MeasuredSpeed)),
        Cause("power not measured", broken(Pump.MeasuredPower)),
        Cause("flow not measured", broken(Pump.MeasuredFlow)),
        Cause("power out of range", shows(Pump.MeasuredPower, lambda truth: 1e6)),
        Cause("feedback stale, shorter than `max_age`", stale, lasts=9.0),
        Cause("feedback stale for longer than `max_age`", stale, lasts=20.0),
        Cause("feedback stale for longer than LevelHold too", stale, lasts=90.0),
        Cause("power above HardMaxPower", shows(Pump.MeasuredPower, lambda truth: truth + 25.0)),
        Cause("flow above HardMaxFlow", shows(Pump.MeasuredFlow, lambda truth: truth + 200.0)),
        Cause(
            "power above HardMaxPower, asked to start",
            all_of(shows(Pump.MeasuredPower, lambda truth: truth + 45.0), starts),
            asked="nothing",
        ),
        Cause("power above what is expected", shows(Pump.MeasuredPower, lambda truth: truth * 1.6)),
        Cause("no flow while the pump runs", shows(Pump.MeasuredFlow, lambda truth: truth * 0.01)),
    ),
)
DRIVES = Group(
    "Drives and local control",
    (
        Cause("drive slower than its setpoint", drive(lambda setpoint: setpoint * 0.8)),
        Cause("pump runs at 40 Hz unasked", runs_on, asked="nothing"),
        Cause("pump stops by itself", stands, then=REPAIRED),
        Cause("pump does not start", all_of(stands, starts), asked="nothing", then=REPAIRED),
        Cause(
            "local control at 35 Hz",
            all_of(local, drive(lambda setpoint: 35.0)),
        ),
        Cause("local control off", all_of(local, stands)),
        Cause(
            "local control at 35 Hz, pump was at rest",
            all_of(local, drive(lambda setpoint: 35.0)),
            asked="nothing",
        ),
        Cause(
            "local control at 35 Hz, speed not measured",
            all_of(local, drive(lambda setpoint: 35.0), broken(Pump.MeasuredSpeed)),
        ),
        Cause(
            "local control at 35 Hz, HardMaxSpeed 33 Hz",
            all_of(local, drive(lambda setpoint: 35.0), sets(Pump.HardMaxSpeed, 33.0)),
        ),
        Cause(
            "Pump.EmergencyStop, and local control at 35 Hz",
            all_of(stops(Pump), local, drive(lambda setpoint: 35.0)),
            then=(cleared(Pump), Then("local control gone")),
        ),
        Cause(
            "local control at 35 Hz, level at DryRunLevel",
            lambda stand: stand.level_to(Pump.DryRunLevel, -0.02),
            history=all_of(local, drive(lambda setpoint: 35.0), waits(60.0)),
            then=(Then("level and local control as before"),),
        ),
    ),
)

GROUPS = (MEASUREMENTS, DRIVES)
