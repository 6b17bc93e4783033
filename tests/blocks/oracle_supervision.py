"""The oracle on what is wrong with a pump."""

from __future__ import annotations

from types import SimpleNamespace as Row

from tests.blocks.oracle_numbers import GOOD, counted


def supervise(pump: Row, elapsed: float, settings: Row) -> None:
    reports = pump.Configured and pump.RunningQuality == GOOD
    runs, rests = reports and pump.Running, reports and not pump.Running
    ours = pump.Configured and not pump.LocalControl
    knows_speed, asked = pump.SpeedQuality == GOOD, pump.Setpoint > 0.0
    follows = abs(pump.Setpoint - pump.Speed) <= settings.tolerance
    dry = pump.FlowQuality == GOOD and pump.Flow < settings.no_flow * pump.HardMaxFlow
    usual = pump.ExpectedPower
    odd = usual > 0.0 and abs(pump.Power - usual) > settings.power_tolerance * usual
    odd = odd and pump.PowerQuality == GOOD and knows_speed and follows
    states = (
        ("DeviationTime", "NotFollowing", ours and knows_speed and not follows, settings.delay),
        ("UncommandedTime", "RunsUncommanded", ours and runs and not asked, settings.delay),
        (
            "NoFlowTime",
            "NoFlow",
            runs and dry and asked and pump.Setpoint >= pump.LowLimit,
            settings.flow_delay,
        ),
        ("PowerDeviationTime", "PowerDeviates", runs and odd, settings.flow_delay),
    )
    for timer, state, lasts, delay in states:
        time = counted(getattr(pump, timer), elapsed) if lasts else 0.0
        setattr(pump, timer, time)
        setattr(pump, state, time > delay)

    if pump.Failed:
        time = pump.FailedTime + elapsed
        pump.Failed = pump.Configured and not runs and time < settings.retry
        pump.FailedTime = time if pump.Failed else 0.0
    else:
        time = counted(pump.FailedTime, elapsed) if ours and rests and asked else 0.0
        pump.Failed = time > settings.start_delay
        pump.FailedTime = 0.0 if pump.Failed else time
