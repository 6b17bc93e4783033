"""Limits: the enforcer that every setpoint passes, whatever it comes from."""

from __future__ import annotations

from blocks.allowance import LOCAL, STOP, adopt, allow, is_blind
from blocks.arithmetic import larger, row, smaller
from blocks.block import Block, Pins
from blocks.extremes import note_extremes
from blocks.speeds import ramped, running_speed
from runtime.compiled import compiled
from runtime.tags import Pump, Station, System

RATE, STARTS, OFF_TIME, MIN_RUN = (
    1 << Pump.Limited.number(word)
    for word in ("rate", "starts per hour", "minimum off time", "minimum run time")
)
HELD_BY_STARTS, HELD_BY_OFF_TIME = (
    1 << Pump.StartHeld.number(word) for word in ("starts per hour", "minimum off time")
)


@compiled
def _of_start(held: int) -> int:
    """The bits of what holds back a start."""
    bits = 0
    if held & HELD_BY_STARTS:
        bits |= STARTS
    if held & HELD_BY_OFF_TIME:
        bits |= OFF_TIME
    return bits


@compiled
def _move(system: Pins, station: Pins, pump: Pins) -> None:
    """How far each pump may go in this scan."""
    for p in range(len(pump.Setpoint)):
        s = row(pump.Station[p], len(station.Level))
        low, in_force = pump.LowLimit[p], pump.Setpoint[p]
        wanted, bits = pump.Allowed[p], int(pump.Limited[p])
        step = larger(0.0, pump.MaxSpeedChange[p] * system.Elapsed[0])
        at_once = pump.Stopped[p] or pump.LevelTrip[p]
        local = pump.Authority[p] == LOCAL

        if wanted > 0.0 and in_force == 0.0 and not (pump.Turning[p] or local):
            held = _of_start(pump.StartHeld[p])
            bits |= held
            wanted = 0.0 if held else wanted
        if wanted == 0.0 and in_force > 0.0 and pump.Turning[p]:
            blind = is_blind(
                station.LevelQuality[s], station.LevelLostTime[s], station.LevelHold[s]
            )
            must = at_once or pump.LevelStop[p] or (blind and station.WithoutLevel[s] == STOP)
            if pump.RunTime[p] < pump.MinRun[p] and not (must or local):
                bits |= MIN_RUN
                wanted = low if low > 0.0 else smaller(in_force, step)

        reached = wanted if local else ramped(wanted, in_force, low, step, at_once)
        setpoint = running_speed(reached, low, pump.HighLimit[p])
        if setpoint != wanted:
            bits |= RATE
        configured = pump.Configured[p]
        pump.Allowed[p] = wanted
        pump.Limited[p] = bits if configured else 0
        pump.Setpoint[p] = setpoint if configured else 0.0


@compiled
def _enforce(system: Pins, station: Pins, pump: Pins) -> None:
    adopt(pump)
    allow(system, station, pump)
    _move(system, station, pump)
    note_extremes(station, pump)


class Limits(Block):
    """The only writer of the setpoint. In this order, each limit that acts setting its bit:

    1. Not a number: a command that is not finite becomes DefaultSetpoint.
    2. Speed: a command above 0 is held between LowLimit = max(MinSpeed, HardMinSpeed), at most
       HighLimit, and HighLimit = min(MaxSpeed, HardMaxSpeed); 0 and less is stop, never a speed to
       clamp up.
    3. Level: while LevelTrip is set the pump stops at once.
    4. Level lost: for the first LevelHold without a good level of the station nothing rises above
       the setpoint in force. Then WithoutLevel decides: stop; DefaultSetpoint, which also starts
       and raises pumps, but none that is stopped, tripped or commanded by hand: to these it is a
       bound; or hold, as before.
    5. Power, flow: while a good measurement is above its hard limit, the setpoint goes down at the
       rate of change, to LowLimit at the least, and a stopped pump does not start.
    6. Starts per hour, minimum off time: a pump at rest does not start while StartHeld says so. It
       goes on if its motor turns already.
    7. Minimum run time: a stop before MinRun waits at LowLimit (where that is 0, at one step of the
       rate).
    8. Rate: in a scan, not by more than MaxSpeedChange · Elapsed. A start begins at LowLimit (where
       that is 0, with one such step), and a stop that would fall below it ends at 0.

    Each acts on what those before leave; power and flow are both named where both are too high.
    Level acts whenever it trips. What `duty` did before is named, too: level guard, maximum run
    time. Hard limits beat the rate: should they be changed, the setpoint is inside them in the same
    scan. A limit that is not a number is no leave: the pump stands, is held back or is slowed down.
    An unconfigured pump is stopped.

    | what stops it        | level lost | start rules | minimum run | rate        |
    |----------------------|------------|-------------|-------------|-------------|
    | emergency stop, trip | a bound    | hold        | no delay    | no delay    |
    | LevelStop            | see 4      | hold        | no delay    | delays      |
    | WithoutLevel: stop   | –          | hold        | no delay    | delays      |
    | all else             | see 4      | hold        | delays      | delays      |
    | local control        | –          | –           | –           | –: we track |

    First scan: a pump that is reported running when control begins, before there is any setpoint of
    our own, is taken over at its measured speed, held within its limits, and keeps it for that scan
    unless it is stopped or tripped. Adopted says that this is settled, one way or the other.
    """

    reads = (
        System.Elapsed,
        Station.Level,
        Station.LevelQuality,
        Station.LevelLostTime,
        Station.LevelHold,
        Station.FlowDirection,
        Station.WithoutLevel,
        Pump.Station,
        Pump.Configured,
        Pump.Command,
        Pump.Guarded,
        Pump.Authority,
        Pump.Stopped,
        Pump.LevelTrip,
        Pump.LevelStop,
        Pump.Turning,
        Pump.RunTime,
        Pump.StartHeld,
        Pump.DefaultSetpoint,
        Pump.MinSpeed,
        Pump.MaxSpeed,
        Pump.HardMinSpeed,
        Pump.HardMaxSpeed,
        Pump.HardMinLevel,
        Pump.HardMaxLevel,
        Pump.EmergencyStopLevel,
        Pump.DryRunLevel,
        Pump.HardMaxPower,
        Pump.HardMaxFlow,
        Pump.MaxSpeedChange,
        Pump.MinRun,
        Pump.Running,
        Pump.RunningQuality,
        Pump.Speed,
        Pump.SpeedQuality,
        Pump.Power,
        Pump.PowerQuality,
        Pump.Flow,
        Pump.FlowQuality,
    )
    writes = (
        Pump.LowLimit,
        Pump.HighLimit,
        Pump.Adopted,
        Pump.Allowed,
        Pump.Limited,
        Pump.LimitedBefore,
        Pump.SpeedExtreme,
        Pump.RateExtreme,
        Pump.LevelExtreme,
        Pump.PowerExtreme,
        Pump.FlowExtreme,
        Pump.GuardExtreme,
        Pump.LostExtreme,
        Pump.Setpoint,
    )
    law = staticmethod(_enforce)
