"""Causes of level: thresholds in the direction of pumping, and measurements that fail."""

from __future__ import annotations

from runtime.tag import Tag
from runtime.tags import Pump, Station
from tools.cause_and_effect.cause import DIRECTIONS, Act, Cause, Group, Then, all_of, waits
from tools.cause_and_effect.commands import MANUAL, asks, by_hand, no_heartbeat, stops
from tools.cause_and_effect.small_station import FIRST, SECOND
from tools.cause_and_effect.stand import Stand

JUST, HYSTERESIS = 0.02, 0.1  # m
SETTLED = 60.0  # s
BOTH = (FIRST, SECOND)
NO_NUMBER = float("nan")


def level(threshold: Tag, beyond: float) -> Act:
    return lambda stand: stand.level_to(threshold, beyond)


def first_to_trip(threshold: Tag) -> Act:
    """This one of the limits of level trips before the others."""

    def act(stand: Stand) -> None:
        stand[threshold][:] = stand[Pump.StopLevel] - stand.side * 0.1

    return act


def shows(slots: tuple[int, ...], error: float, share: float = 1.0) -> Act:
    """What the level sensors of some pumps show: a share of the level, and an error."""

    def act(stand: Stand) -> None:
        for slot in slots:
            stand.instruments[Pump.MeasuredLevel, slot] = lambda truth: truth * share + error

    return act


def frozen(stand: Stand) -> None:
    standing = stand.level
    for slot in BOTH:
        stand.instruments[Pump.MeasuredLevel, slot] = lambda truth: standing


def without_level(word: str) -> Act:
    def act(stand: Stand) -> None:
        stand[Station.WithoutLevel][:] = Station.WithoutLevel.number(word)

    return act


lost = shows(BOTH, NO_NUMBER)
MIDDLE = Then("level in the middle")
RESTORED = (
    Then("level restored, short of RestartLevel", level(Pump.RestartLevel, -JUST)),
    Then("level at RestartLevel", level(Pump.RestartLevel, JUST)),
    MIDDLE,
)
LOWERED = (
    Then("level just short of it again", level(Pump.StartLevel, -HYSTERESIS)),
    Then("level short of StopLevel", level(Pump.StopLevel, HYSTERESIS)),
    Then("level at StopLevel", level(Pump.StopLevel, -JUST)),
    MIDDLE,
)
PASSED = (
    Then("level between StartLevel and AllRunLevel", level(Pump.AllRunLevel, -HYSTERESIS)),
    Then("level at StartLevel", level(Pump.StartLevel, -JUST)),
    MIDDLE,
)

TRIPS = {
    "emptying": (Pump.HardMinLevel, Pump.EmergencyStopLevel, Pump.DryRunLevel),
    "filling": (Pump.HardMaxLevel, Pump.EmergencyStopLevel),
}
FAR = {"emptying": Pump.HardMaxLevel, "filling": Pump.HardMinLevel}


def thresholds(direction: str) -> tuple[Cause, ...]:
    """The level passes each threshold; then it comes back."""
    trips = (
        Cause(
            f"level at {threshold.name}",
            level(threshold, -JUST),
            before=first_to_trip(threshold),
            then=RESTORED,
        )
        for threshold in TRIPS[direction]
    )
    at_start, at_all_run = level(Pump.StartLevel, JUST), level(Pump.AllRunLevel, JUST)
    return (
        *trips,
        Cause("level at StopLevel", level(Pump.StopLevel, -JUST), then=RESTORED),
        Cause(
            "level at StopLevel in manual mode",
            level(Pump.StopLevel, -JUST),
            history=all_of(by_hand, waits(SETTLED)),
            then=RESTORED,
        ),
        Cause("level at StartLevel", at_start, then=LOWERED),
        Cause("level at StartLevel, all at rest", at_start, asked="nothing", then=LOWERED),
        Cause(
            "level at StartLevel, all at rest in manual mode",
            at_start,
            asked="nothing",
            history=all_of(asks(Pump.Mode, MANUAL), waits(SETTLED)),
            then=LOWERED,
        ),
        Cause(
            "level at StartLevel, all at rest, pump under emergency stop",
            at_start,
            asked="nothing",
            history=all_of(stops(Pump), waits(SETTLED)),
            then=LOWERED,
        ),
        Cause("level at AllRunLevel", at_all_run, then=PASSED),
        Cause("level at AllRunLevel, all at rest", at_all_run, asked="nothing", then=PASSED),
        Cause(
            "level at AllRunLevel in manual mode",
            at_all_run,
            history=all_of(by_hand, waits(SETTLED)),
            then=PASSED,
        ),
        Cause(
            "level at AllRunLevel in failsafe",
            at_all_run,
            history=all_of(no_heartbeat, waits(200.0)),
            then=PASSED,
        ),
        Cause(
            "level at AllRunLevel, pump under emergency stop",
            at_all_run,
            history=all_of(stops(Pump), waits(SETTLED)),
            then=PASSED,
        ),
        Cause(f"level beyond {FAR[direction].name}", level(FAR[direction], JUST), then=(MIDDLE,)),
    )


def losses() -> tuple[Cause, ...]:
    """The level can't be measured as it should."""
    again = (Then("level measured again"),)
    return (
        Cause("level lost for less than LevelHold", lost, lasts=15.0, then=again),
        *(
            Cause(
                f"level lost for longer than LevelHold, WithoutLevel: {word}",
                lost,
                lasts=90.0,
                before=without_level(word),
                then=again,
            )
            for word in ("stop", "default", "hold")
        ),
        *(
            Cause(
                f"the same at rest, WithoutLevel: {word}",
                lost,
                lasts=90.0,
                asked="nothing",
                before=without_level(word),
                then=again,
            )
            for word in ("stop", "default", "hold")
        ),
        *(
            Cause(
                f"level lost at {tag.name}, WithoutLevel: default",
                lost,
                lasts=90.0,
                before=without_level("default"),
                history=all_of(level(tag, -JUST), waits(SETTLED)),
                then=again,
            )
            for tag in (Pump.StopLevel, Pump.DryRunLevel)
        ),
        Cause(
            "level lost at AllRunLevel, WithoutLevel: stop",
            lost,
            lasts=90.0,
            before=without_level("stop"),
            history=all_of(level(Pump.AllRunLevel, JUST), waits(SETTLED)),
            then=again,
        ),
        Cause(
            "level lost in manual mode, WithoutLevel: default",
            lost,
            lasts=90.0,
            before=without_level("default"),
            history=all_of(by_hand, waits(SETTLED)),
            then=again,
        ),
        Cause(
            "level lost under emergency stop, WithoutLevel: default",
            lost,
            lasts=90.0,
            before=without_level("default"),
            history=all_of(stops(Pump), waits(SETTLED)),
            then=again,
        ),
        Cause("one of two level sensors lost", shows((SECOND,), NO_NUMBER)),
        Cause("the second level sensor shows 1 m too little", shows((SECOND,), -1.0)),
        Cause("both level sensors jump by 4 m, for 5 s", shows(BOTH, 4.0), lasts=5.0, then=again),
        Cause("both level sensors out of range", shows(BOTH, 1e3), lasts=90.0, then=again),
        Cause("both level sensors stuck", frozen, lasts=180.0, then=again),
    )


GROUPS = (
    *(
        Group(f"Level of a station that is {direction}", thresholds(direction), direction)
        for direction in DIRECTIONS
    ),
    Group("Measurement of the level", losses()),
)
