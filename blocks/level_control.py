"""Level control: the demand of pumps whose plan commands a level."""

from __future__ import annotations

from blocks.arithmetic import clamp, larger, row
from blocks.block import Block, Pins
from blocks.curve import speed_for
from blocks.pid import beyond, offset, part
from runtime.compiled import compiled
from runtime.tag import Quality
from runtime.tags import Pump, Station, System

GOOD = int(Quality.GOOD)
FILLING = Station.FlowDirection.number("filling")


@compiled
def _forward_then(then: float, now: float, regrouped: bool) -> float:
    """Last scan's feed-forward as it would be with the pumps that run now and what is known now."""
    return now if regrouped or then == 0.0 or now == 0.0 else then


@compiled
def _control(system: Pins, station: Pins, pump: Pins) -> None:
    elapsed = system.Elapsed[0]
    for p in range(len(pump.Station)):
        s = row(pump.Station[p], len(station.Level))
        sign = -1.0 if station.FlowDirection[s] == FILLING else 1.0
        level, aim = station.Level[s], pump.TargetLevel[p]
        low, high = pump.LowLimit[p], pump.HighLimit[p]
        leads = pump.LevelRun[p] and station.LeadPump[s] == p + 1
        pumps = larger(1, station.PumpsWanted[s]) if leads else 1

        gain, derivative_time = pump.LevelGain[p] / pumps, pump.LevelDerivativeTime[p]
        band, share = pump.LevelDeadband[p], pump.LevelFeedForward[p]
        c1, c2, c3 = pump.FlowCurve1[p], pump.FlowCurve2[p], pump.FlowCurve3[p]
        c4, c5 = pump.FlowCurve4[p], pump.FlowCurve5[p]
        inflow = station.Inflow[s] / pumps if station.InflowQuality[s] == GOOD else 0.0
        forward = speed_for(inflow, low, high, c1, c2, c3, c4, c5)
        applied = larger(pump.Setpoint[p], low)
        error = beyond(sign * (level - aim), band)
        refused = pump.NotFollowing[p] and (pump.Setpoint[p] - pump.Speed[p]) * error > 0.0

        if leads and pump.LevelPumps[p] > 0 and pump.Setpoint[p] >= low:
            regrouped = pump.LevelPumps[p] != pumps
            then = share * _forward_then(pump.LevelForward[p], forward, regrouped)
            slope, error_then = sign * pump.LevelSlope[p], beyond(pump.LevelError[p], band)
            integral = pump.LevelIntegral[p]
            integral += pump.LevelOffset[p] - offset(gain, error_then, derivative_time, slope, then)
            unmoved = beyond(sign * (level - pump.LevelAim[p]), band)
            integral += (1.0 - pump.LevelSetpointWeight[p]) * gain * (unmoved - error)
            if not refused:
                integral += gain * error * part(elapsed, pump.LevelResetTime[p])
            short = applied - pump.LevelOutput[p]
            integral += short * part(elapsed, pump.LevelTrackingTime[p])
            filter_time = pump.LevelFilterTime[p]
            rise = filter_time * pump.LevelSlope[p] + (level - pump.LevelSeen[p])
            rise = rise / (filter_time + elapsed)
            terms = offset(gain, error, derivative_time, sign * rise, share * forward)
        else:
            rise = 0.0
            terms = offset(gain, error, derivative_time, 0.0, share * forward)
            integral = applied - terms

        pump.LevelIntegral[p], pump.LevelOffset[p] = integral, terms
        pump.LevelOutput[p], pump.LevelPumps[p] = integral + terms, pumps if leads else 0
        pump.LevelError[p], pump.LevelAim[p] = sign * (level - aim), aim
        pump.LevelSlope[p], pump.LevelSeen[p] = rise, level
        pump.LevelForward[p] = forward
        if leads:
            station.LevelOutput[s] = integral + terms

    for p in range(len(pump.Station)):
        s = row(pump.Station[p], len(station.Level))
        if not pump.LevelEngaged[p]:
            pump.LevelDemand[p] = pump.Setpoint[p]
        elif pump.LevelRun[p]:
            low, high = pump.LowLimit[p], pump.HighLimit[p]
            pump.LevelDemand[p] = clamp(station.LevelOutput[s], low, high)
        else:
            pump.LevelDemand[p] = 0.0


class LevelControl(Block):
    """One PI-D for each station: its lead's. All its level-controlled pumps share one speed.

        e = (level − target) · d, d = 1 emptying, −1 filling: positive asks for pumping
        ê = the part of e outside ±Deadband
        r ← (Tf · r + change of level) / (Tf + Δt): filtered rise of the level
        K = LevelGain / n,  P = K · ê,  D = K · Td · r · d
        F = FeedForward · speed at which the lead moves Inflow / n, by its learned flow curve;
            0 while inflow or curve are not known
        I ← I + K · ê · Δt / Ti + (s − u) · Δt / Tt
        u ← I + P + D + F
        LevelDemand = min(max(u, LowLimit), HighLimit) of the pumps that run, 0 of the others

    The lead, the n pumps that run and which they are come from `staging`. Target and parameters are
    the lead's; limits, those of the previous scan, are each pump's own. In the line of I, u is the
    output of the previous scan and s the setpoint in force, at least LowLimit. So whatever holds a
    setpoint back, rate, power, flow or start rules, the integral follows it with tracking time Tt
    (at least one scan, as is Ti) and winds nothing up.

    A drive may hold its pump back, too. While the lead is found not to follow (NotFollowing), K · ê
    is left out of I as long as it asks for more of what the drive doesn't do: ê > 0 and the speed
    below the setpoint, ê < 0 and above. Only this sign is taken from the measured speed, and not
    its value, as it may be the speed sensor that is wrong: if I followed what that shows, the level
    would be off for good by Ti / (Tt · K) for each Hz that it shows too little, as 0.25 m with
    20 Hz/m, 5 min and 1 min. So nothing that it shows moves the pump, and in the worst case P and F
    alone hold the level on one side, off by (HighLimit − LowLimit) / K at most, while `staging` has
    another pump help.

    | in this scan                                      | the integral                          |
    |---------------------------------------------------|---------------------------------------|
    | the pump takes the lead, starts, or was not in    | I = s − (P + D + F), with r = 0: the  |
    | charge (plan, mode, level, restart)               | output is what is in force            |
    | other parameters, other n, feed-forward appears   | takes up P + D + F of the last scan   |
    | or disappears                                     | less the same as they are now         |
    | another target                                    | takes up 1 − SetpointWeight of the    |
    |                                                   | change of P                           |
    | none of these                                     | as above                              |

    Pumps that don't lead track as in the first row. A pump that level control is not in charge of
    (LevelEngaged is clear, as without a good level) has its setpoint in force as demand: nothing
    moves, nothing rises, and control resumes from there.
    """

    reads = (
        System.Elapsed,
        Station.Level,
        Station.FlowDirection,
        Station.Inflow,
        Station.InflowQuality,
        Station.LeadPump,
        Station.PumpsWanted,
        Pump.Station,
        Pump.LevelEngaged,
        Pump.LevelRun,
        Pump.TargetLevel,
        Pump.Speed,
        Pump.FlowCurve1,
        Pump.FlowCurve2,
        Pump.FlowCurve3,
        Pump.FlowCurve4,
        Pump.FlowCurve5,
        Pump.LevelGain,
        Pump.LevelResetTime,
        Pump.LevelDerivativeTime,
        Pump.LevelFilterTime,
        Pump.LevelTrackingTime,
        Pump.LevelSetpointWeight,
        Pump.LevelFeedForward,
        Pump.LevelDeadband,
    )
    previous = (Pump.Setpoint, Pump.LowLimit, Pump.HighLimit, Pump.NotFollowing)
    writes = (
        Station.LevelOutput,
        Pump.LevelDemand,
        Pump.LevelIntegral,
        Pump.LevelSeen,
        Pump.LevelSlope,
        Pump.LevelError,
        Pump.LevelAim,
        Pump.LevelForward,
        Pump.LevelOffset,
        Pump.LevelOutput,
        Pump.LevelPumps,
    )
    law = staticmethod(_control)
