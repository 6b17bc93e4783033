"""The oracle on closed loops: one PI-D for the level of a station, a PI for each pump's power."""

from __future__ import annotations

from types import SimpleNamespace as Row

from tests.blocks.oracle_curves import of, speed_for
from tests.blocks.oracle_numbers import FILLING, GOOD, PLAN, POWER, clamp, share

RATE = 2  # Pump.Limited


def outside(error: float, deadband: float) -> float:
    """The part of an error outside the deadband."""
    if -deadband <= error <= deadband:
        return 0.0
    return error - deadband if error > 0.0 else error + deadband


def control_level(station: Row, pumps: list[tuple[int, Row]], elapsed: float) -> None:
    """`pumps` are those of the station, with their slots."""
    for slot, pump in pumps:
        leads = pump.LevelRun and station.LeadPump == slot + 1
        output = _control(station, pump, leads, elapsed)
        if leads:
            station.LevelOutput = output
    for _, pump in pumps:
        if not pump.LevelEngaged:
            pump.LevelDemand = pump.Setpoint
        else:
            shared = clamp(station.LevelOutput, pump.LowLimit, pump.HighLimit)
            pump.LevelDemand = shared if pump.LevelRun else 0.0


def _control(station: Row, pump: Row, leads: bool, elapsed: float) -> float:
    sign = -1.0 if station.FlowDirection == FILLING else 1.0
    count = max(1, station.PumpsWanted) if leads else 1
    gain = pump.LevelGain / count
    error = sign * (station.Level - pump.TargetLevel)
    felt = outside(error, pump.LevelDeadband)
    inflow = station.Inflow / count if station.InflowQuality == GOOD else 0.0
    known = speed_for(of(pump, "Flow"), inflow, pump.LowLimit, pump.HighLimit)

    applied = max(pump.Setpoint, pump.LowLimit)
    in_vain = pump.NotFollowing and (
        (felt > 0.0 and pump.Speed < pump.Setpoint) or (felt < 0.0 and pump.Speed > pump.Setpoint)
    )

    def offset(felt: float, slope: float, forward: float) -> float:
        """P + D + F, with the parameters of this scan."""
        derivative = gain * (pump.LevelDerivativeTime * (sign * slope))
        return float(gain * felt + derivative + pump.LevelFeedForward * forward)

    if leads and pump.LevelPumps > 0 and pump.Setpoint >= pump.LowLimit:
        then = pump.LevelForward
        if pump.LevelPumps != count or then == 0.0 or known == 0.0:
            then = known
        integral = pump.LevelIntegral
        felt_then = outside(pump.LevelError, pump.LevelDeadband)
        integral += pump.LevelOffset - offset(felt_then, pump.LevelSlope, then)
        unmoved = outside(sign * (station.Level - pump.LevelAim), pump.LevelDeadband)
        integral += (1.0 - pump.LevelSetpointWeight) * gain * (unmoved - felt)
        if not in_vain:
            integral += gain * felt * share(elapsed, pump.LevelResetTime)
        integral += (applied - pump.LevelOutput) * share(elapsed, pump.LevelTrackingTime)
        slope = pump.LevelFilterTime * pump.LevelSlope + (station.Level - pump.LevelSeen)
        slope /= pump.LevelFilterTime + elapsed
        terms = offset(felt, slope, known)
    else:
        slope = 0.0
        terms = offset(felt, 0.0, known)
        integral = applied - terms
    pump.LevelIntegral, pump.LevelOffset = integral, terms
    pump.LevelOutput, pump.LevelPumps = integral + terms, count if leads else 0
    pump.LevelError, pump.LevelAim, pump.LevelSlope = error, pump.TargetLevel, slope
    pump.LevelForward, pump.LevelSeen = known, station.Level
    return float(pump.LevelOutput)


def control_power(pump: Row, elapsed: float) -> None:
    low, high, target = pump.LowLimit, pump.HighLimit, pump.TargetPower
    curve, before = of(pump, "Power"), pump.Setpoint

    def forward(target: float) -> float:
        return float(pump.PowerFeedForward * speed_for(curve, target, low, high))

    error = target - pump.Power
    known = forward(target)
    offset = pump.PowerGain * error + known
    asked = pump.ControlType == POWER and pump.PlanActive and target > 0.0
    good = pump.PowerQuality == GOOD and pump.Authority == PLAN
    engaged = asked and good and (before >= low or known > 0.0)
    if not asked:
        demand = output = integral = 0.0
    elif engaged and before >= low and pump.PowerEngaged:
        then = forward(pump.PowerAim)
        part = share(elapsed, pump.PowerResetTime)
        integral = pump.PowerIntegral
        integral += pump.PowerOffset - (pump.PowerGain * pump.PowerError + then)
        if then == 0.0 or known == 0.0:
            integral += then - known
        ramps = pump.Limited == RATE
        onward = (error > 0.0 and before < pump.PowerOutput) or (
            error < 0.0 and before > pump.PowerOutput
        )
        in_vain = pump.NotFollowing and (before - pump.Speed) * error > 0.0
        if not in_vain and not (ramps and onward):
            integral += pump.PowerGain * error * part
        if not ramps:
            integral += (before - pump.PowerOutput) * part
        output = offset + integral
        demand = clamp(output, low, high)
    elif engaged and before < low:
        demand = output = clamp(known, low, high)
        integral = demand - known
    else:
        demand = output = max(before, pump.MinSpeed)
        integral = demand - offset
    pump.PowerDemand, pump.PowerIntegral, pump.PowerOffset = demand, integral, offset
    pump.PowerOutput, pump.PowerError, pump.PowerAim = output, error, target
    pump.PowerEngaged = engaged
