"""Power control: the demand of pumps whose plan commands a power."""

from __future__ import annotations

from blocks.arithmetic import clamp, larger, part
from blocks.block import Block, Pins
from blocks.curve import speed_for
from runtime.compiled import compiled
from runtime.tag import Quality
from runtime.tags import Pump, System

POWER_CONTROLLED = Pump.ControlType.number("POWER_CONTROLLED")
BY_PLAN = Pump.Authority.number("Plan")
GOOD = int(Quality.GOOD)
RATE = 1 << Pump.Limited.number("rate")


@compiled
def _unlearned(then: float, now: float) -> float:
    """What the integral takes over where only one of two targets has a learned speed."""
    return then - now if then == 0.0 or now == 0.0 else 0.0


@compiled
def _control(system: Pins, pump: Pins) -> None:
    for p in range(len(pump.ControlType)):
        target, gain, setpoint = pump.TargetPower[p], pump.PowerGain[p], pump.Setpoint[p]
        low, high = pump.LowLimit[p], pump.HighLimit[p]
        c1, c2, c3 = pump.PowerCurve1[p], pump.PowerCurve2[p], pump.PowerCurve3[p]
        c4, c5 = pump.PowerCurve4[p], pump.PowerCurve5[p]
        share = pump.PowerFeedForward[p]
        forward = share * speed_for(target, low, high, c1, c2, c3, c4, c5)
        error = target - pump.Power[p]
        offset = gain * error + forward

        asked = pump.ControlType[p] == POWER_CONTROLLED and pump.PlanActive[p] and target > 0.0
        good = pump.PowerQuality[p] == GOOD and pump.Authority[p] == BY_PLAN
        runs = setpoint >= low
        engaged = asked and good and (runs or forward > 0.0)
        if not asked:
            demand, output, integral = 0.0, 0.0, 0.0
        elif engaged and runs and pump.PowerEngaged[p]:
            then = share * speed_for(pump.PowerAim[p], low, high, c1, c2, c3, c4, c5)
            integral = pump.PowerIntegral[p]
            integral += pump.PowerOffset[p] - (gain * pump.PowerError[p] + then)
            integral += _unlearned(then, forward)
            scan = part(system.Elapsed[0], pump.PowerResetTime[p])
            held = setpoint - pump.PowerOutput[p]
            on_its_way = pump.Limited[p] == RATE
            refused = pump.NotFollowing[p] and (setpoint - pump.Speed[p]) * error > 0.0
            if not (refused or (on_its_way and held * error < 0.0)):
                integral += gain * error * scan
            if not on_its_way:
                integral += held * scan
            output = offset + integral
            demand = clamp(output, low, high)
        elif engaged and not runs:
            demand = clamp(forward, low, high)
            output, integral = demand, demand - forward
        else:
            demand = larger(setpoint, pump.MinSpeed[p])
            output, integral = demand, demand - offset

        pump.PowerDemand[p] = demand
        pump.PowerIntegral[p] = integral
        pump.PowerOffset[p] = offset
        pump.PowerOutput[p] = output
        pump.PowerError[p] = error
        pump.PowerAim[p] = target
        pump.PowerEngaged[p] = engaged


class PowerControl(Block):
    """PI on the measured power. The cube law is wrong with static head, so the loop is closed.

        e = TargetPower − Power
        F = FeedForward · learned speed for TargetPower (blocks/curve.py), 0 if it is not known
        I ← I + K · e · Δt / max(Ti, Δt) + (s − u) · Δt / max(Ti, Δt)
        u = K · e + F + I, demand = u held between LowLimit and HighLimit

    each calculated from left to right; s is the setpoint in force and u on the right the output of
    the previous scan. So the integral follows whatever holds the setpoint back (back-calculation
    within the reset time; Åström and Hägglund, Advanced PID Control, 2006, chapter 3), and does not
    wind up. Two parts of I are left out at times:

    | while                                             | left out                                 |
    |---------------------------------------------------|------------------------------------------|
    | nothing but the rate of change acts, so s is on   | (s − u) · Δt / Ti, which would take back |
    | its way to u                                      | what F asks for; and K · e · Δt / Ti, if |
    |                                                   | e asks to go on that way: it comes soon  |
    | the pump is found not to follow                   | K · e · Δt / Ti, while e asks for more   |
    |                                                   | of what the drive does not do            |

    The learned speed moves the pump at once when the target changes. All else moves nothing: when
    gain, share, curve or limits change, or only one of two targets has a learned speed, I takes
    over what K · e + F of the last scan would differ by.

    | the controller is         | when                                       | demand    | I       |
    |---------------------------|--------------------------------------------|-----------|---------|
    | not asked                 | another control type, no plan, target <= 0 | 0         | 0       |
    | engaged                   | asked, power Good, the previous scan's     | u         | above   |
    |                           | authority the plan, setpoint >= LowLimit   |           |         |
    | engaged, pump standing    | so, but setpoint < LowLimit, and F known   | F, held   | demand  |
    |                           |                                            | as above  |  − F    |
    | tracking                  | else, and in the scan in which it engages  | s         | s − K·e |
    |                           | (s here at least MinSpeed)                 |           |  − F    |

    So a stopped pump starts at its lowest speed, or towards the learned one, a bad power raises
    nothing, and the controller takes over without a bump.
    """

    reads = (
        System.Elapsed,
        Pump.ControlType,
        Pump.PlanActive,
        Pump.TargetPower,
        Pump.Power,
        Pump.PowerQuality,
        Pump.Speed,
        Pump.MinSpeed,
        Pump.PowerGain,
        Pump.PowerResetTime,
        Pump.PowerFeedForward,
        Pump.PowerCurve1,
        Pump.PowerCurve2,
        Pump.PowerCurve3,
        Pump.PowerCurve4,
        Pump.PowerCurve5,
    )
    previous = (
        Pump.Setpoint,
        Pump.Authority,
        Pump.Limited,
        Pump.LowLimit,
        Pump.HighLimit,
        Pump.NotFollowing,
    )
    writes = (
        Pump.PowerDemand,
        Pump.PowerIntegral,
        Pump.PowerOffset,
        Pump.PowerOutput,
        Pump.PowerError,
        Pump.PowerAim,
        Pump.PowerEngaged,
    )
    law = staticmethod(_control)
