"""Supervision: does the pump do what it is told, and what is to be expected of it?"""

from __future__ import annotations

from blocks.arithmetic import distance, smaller
from blocks.block import Block, Pins
from runtime.compiled import compiled
from runtime.layout import Columns
from runtime.tag import Quality
from runtime.tags import FOREVER, Pump, System

GOOD = int(Quality.GOOD)


@compiled
def _timed(time: float, elapsed: float, lasts: bool) -> float:
    """How long something has lasted; 0 if it doesn't."""
    return smaller(time + elapsed, FOREVER) if lasts else 0.0


@compiled
def _supervise(
    system: Pins,
    pump: Pins,
    tolerance: float,
    delay: float,
    start_delay: float,
    retry: float,
    no_flow: float,
    power_tolerance: float,
    flow_delay: float,
) -> None:
    elapsed = system.Elapsed[0]
    for p in range(len(pump.Configured)):
        setpoint, configured = pump.Setpoint[p], pump.Configured[p]
        heard = configured and pump.RunningQuality[p] == GOOD
        runs = heard and pump.Running[p]
        rests = heard and not pump.Running[p]
        ours = configured and not pump.LocalControl[p]
        measured = pump.SpeedQuality[p] == GOOD
        follows = distance(setpoint, pump.Speed[p]) <= tolerance

        time = _timed(pump.DeviationTime[p], elapsed, ours and measured and not follows)
        pump.DeviationTime[p], pump.NotFollowing[p] = time, time > delay

        time = _timed(pump.UncommandedTime[p], elapsed, ours and runs and setpoint <= 0.0)
        pump.UncommandedTime[p], pump.RunsUncommanded[p] = time, time > delay

        dry = pump.FlowQuality[p] == GOOD and pump.Flow[p] < no_flow * pump.HardMaxFlow[p]
        asked = setpoint > 0.0 and setpoint >= pump.LowLimit[p]
        time = _timed(pump.NoFlowTime[p], elapsed, runs and asked and dry)
        pump.NoFlowTime[p], pump.NoFlow[p] = time, time > flow_delay

        expected = pump.ExpectedPower[p]
        odd = pump.PowerQuality[p] == GOOD and expected > 0.0
        odd = odd and distance(pump.Power[p], expected) > power_tolerance * expected
        time = _timed(pump.PowerDeviationTime[p], elapsed, runs and measured and follows and odd)
        pump.PowerDeviationTime[p], pump.PowerDeviates[p] = time, time > flow_delay

        if pump.Failed[p]:
            time = pump.FailedTime[p] + elapsed
            lasts = configured and not runs and time < retry
            pump.Failed[p], pump.FailedTime[p] = lasts, time if lasts else 0.0
        else:
            time = _timed(pump.FailedTime[p], elapsed, ours and rests and setpoint > 0.0)
            failed = time > start_delay
            pump.Failed[p], pump.FailedTime[p] = failed, 0.0 if failed else time


class Supervision(Block):
    """Each of these is true when its condition has held for longer than its delay, without a break.

    | tag             | delay       | condition                                                    |
    |-----------------|-------------|--------------------------------------------------------------|
    | NotFollowing    | delay       | the Good speed differs from the setpoint by more than        |
    |                 |             | tolerance; not under local control                           |
    | RunsUncommanded | delay       | it is observed running, the setpoint is 0; not under local   |
    |                 |             | control                                                      |
    | NoFlow          | flow_delay  | it is observed running, the setpoint is above 0 and not      |
    |                 |             | below LowLimit, and the Good flow is below                   |
    |                 |             | no_flow · HardMaxFlow                                        |
    | PowerDeviates   | flow_delay  | it is observed running, its Good speed follows the setpoint, |
    |                 |             | and the Good power differs from ExpectedPower, where that is |
    |                 |             | known, by more than power_tolerance of it                    |
    | Failed          | start_delay | the setpoint is above 0, it is observed at rest; not under   |
    |                 |             | local control                                                |

    Observed is what a running feedback of Good quality says. Only a configured pump is supervised.
    NotFollowing, RunsUncommanded, NoFlow and PowerDeviates end with their condition.

    | Failed | event                                                     | next  | FailedTime    |
    |--------|-----------------------------------------------------------|-------|---------------|
    | clear  | the condition holds                                       | clear | counts up     |
    | clear  | it does not                                               | clear | 0             |
    | clear  | FailedTime > start_delay                                  | set   | 0, counts up  |
    | set    | it is observed running, FailedTime >= retry, not in use   | clear | 0             |

    So a pump that is no longer asked to run stays Failed until it is tried again.
    """

    reads = (
        System.Elapsed,
        Pump.Configured,
        Pump.LocalControl,
        Pump.Running,
        Pump.RunningQuality,
        Pump.Speed,
        Pump.SpeedQuality,
        Pump.Power,
        Pump.PowerQuality,
        Pump.Flow,
        Pump.FlowQuality,
        Pump.HardMaxFlow,
        Pump.ExpectedPower,
        Pump.LowLimit,
        Pump.Setpoint,
    )
    writes = (
        *(Pump.DeviationTime, Pump.NotFollowing),
        *(Pump.UncommandedTime, Pump.RunsUncommanded),
        *(Pump.NoFlowTime, Pump.NoFlow),
        *(Pump.PowerDeviationTime, Pump.PowerDeviates),
        *(Pump.FailedTime, Pump.Failed),
    )
    law = staticmethod(_supervise)

    def __init__(
        self,
        columns: Columns,
        tolerance: float = 2.0,
        delay: float = 15.0,
        start_delay: float = 30.0,
        retry: float = 1800.0,
        no_flow: float = 0.05,
        power_tolerance: float = 0.3,
        flow_delay: float = 60.0,
    ) -> None:
        expectations = (no_flow, power_tolerance, flow_delay)
        super().__init__(columns, tolerance, delay, start_delay, retry, *expectations)
