"""Run times: how long each pump runs and stands, its starts, and what holds back the next one."""

from __future__ import annotations

from blocks.arithmetic import smaller
from blocks.block import Block, Pins
from runtime.compiled import compiled
from runtime.tag import Quality
from runtime.tags import FOREVER, STARTS_KEPT, Pump, Start, System

GOOD = int(Quality.GOOD)
STARTS_PER_HOUR, MINIMUM_OFF_TIME = (
    1 << Pump.StartHeld.number(word) for word in ("starts per hour", "minimum off time")
)
HOUR = 3600.0  # s
# Runs and pauses begin with this much, as 0 says that nothing is known of them. It is also what the
# rounding of sums of scan times may amount to.
MOMENT = 1e-6  # s


@compiled
def _held(configured: bool, starts: int, most: float, rested: bool) -> int:
    """What holds back a start; a limit that is not a number holds it back, too."""
    held = 0
    if configured and not starts < smaller(most, STARTS_KEPT):
        held |= STARTS_PER_HOUR
    if configured and not rested:
        held |= MINIMUM_OFF_TIME
    return held


@compiled
def _counts(at: float, now: float) -> bool:
    """Whether a start at that time is one of the last hour."""
    return at > 0.0 and now - at < HOUR - MOMENT


@compiled
def _observe(system: Pins, pump: Pins, start: Pins) -> None:
    now, elapsed = system.ControlTime[0], system.Elapsed[0]
    for p in range(len(pump.Turning)):
        observed = pump.RunningQuality[p] == GOOD
        asked = pump.Setpoint[p] > 0.0
        turning = pump.Running[p] if observed else asked
        settled = observed or asked or pump.Adopted[p] or not pump.Configured[p]
        rested = pump.OffTime[p] > 0.0  # or it is not known since a restart
        commanded = asked and not pump.Commanded[p] and (rested or pump.RunTime[p] == 0.0)
        stood = pump.RunTime[p] == 0.0 or (rested and (commanded or not observed))

        seen = observed and turning and (stood or pump.RunAssumed[p])
        if commanded or (seen and not pump.StartCounted[p]):
            pump.Starts[p] += 1
        if commanded or seen:
            latest = p * STARTS_KEPT + (int(pump.Starts[p]) - 1) % STARTS_KEPT
            start.At[latest] = now if seen else now - elapsed
        assumed = turning and not observed
        pump.RunAssumed[p] = assumed and (pump.RunAssumed[p] or (stood and not commanded))
        known = observed and turning
        pump.StartCounted[p] = asked and not known and (commanded or pump.StartCounted[p])
        pump.Commanded[p] = asked

        if turning:
            pump.RunTime[p] = MOMENT if stood else smaller(pump.RunTime[p] + elapsed, FOREVER)
            pump.OffTime[p] = 0.0
            pump.TotalRunTime[p] += elapsed / HOUR
        elif settled and pump.RunTime[p] > 0.0:
            pump.RunTime[p] = 0.0
            pump.OffTime[p] = MOMENT
        elif pump.RunTime[p] == 0.0 and pump.OffTime[p] == 0.0:
            pump.OffTime[p] = FOREVER
        else:
            pump.OffTime[p] = smaller(pump.OffTime[p] + elapsed, FOREVER)
        pump.Turning[p] = turning

        kept, starts = p * STARTS_KEPT, 0
        counted = int(pump.Starts[p])
        while starts < STARTS_KEPT and _counts(
            start.At[kept + (counted - 1 - starts) % STARTS_KEPT], now
        ):
            starts += 1
        pump.StartsLastHour[p] = starts
        rested = turning or pump.OffTime[p] >= pump.MinOff[p]
        pump.StartHeld[p] = _held(pump.Configured[p], starts, pump.MaxStartsPerHour[p], rested)


class RunTimes(Block):
    """Counts as the motor runs, whoever runs it: us, the local controller or a hand.

    Turning is Running where its feedback is good, else whether the setpoint in force is above 0.

    | pump    | event                               | next  | action                             |
    |---------|-------------------------------------|-------|------------------------------------|
    | rests   | Turning                             | runs  | RunTime := 1 µs, OffTime := 0      |
    | runs    | Turning                             | runs  | RunTime and TotalRunTime + Elapsed |
    | runs    | not Turning                         | rests | OffTime := 1 µs, RunTime := 0      |
    | rests   | not Turning                         | rests | OffTime + Elapsed                  |
    | unknown | not Turning                         | rests | OffTime := forever: it may start   |
    | runs    | control begins and nothing is known | runs  | OffTime + Elapsed, RunTime is kept |

    Unknown is a pump without any past: RunTime and OffTime are both 0. The last row is a restart of
    the control: until there is feedback or a setpoint of our own, a pump that ran before may go on
    doing so, and may not. If our setpoint rises then, that is a start.

    Starts counts a start when the setpoint rises from 0 while the motor stands, and when Running is
    seen to begin, but only once for the two: a start that was commanded is observed later. Its time
    is the later one. A motor that stood against its command when its feedback was lost is taken to
    turn (RunAssumed); that is a start if it does when feedback comes back, and none if it stands.
    The times of the latest starts are kept on ControlTime, which stands still
    while nothing controls: limits hold across restarts and err on the side of the motor.
    StartsLastHour is the number younger than 3600 s. A start is held back while that is at
    MaxStartsPerHour, and while the pump has rested for less than MinOff.
    """

    reads = (
        System.ControlTime,
        System.Elapsed,
        Pump.Configured,
        Pump.Running,
        Pump.RunningQuality,
        Pump.MaxStartsPerHour,
        Pump.MinOff,
    )
    previous = (Pump.Setpoint, Pump.Adopted)
    writes = (
        Start.At,
        Pump.Turning,
        Pump.RunTime,
        Pump.OffTime,
        Pump.TotalRunTime,
        Pump.Starts,
        Pump.StartsLastHour,
        Pump.StartCounted,
        Pump.RunAssumed,
        Pump.Commanded,
        Pump.StartHeld,
    )
    law = staticmethod(_observe)
