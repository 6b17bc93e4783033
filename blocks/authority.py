"""Authority: decides whose demand is in force."""

from __future__ import annotations

from blocks.arithmetic import row
from blocks.block import Block, Pins
from blocks.requests import EXECUTED, REQUEST_PINS, REQUESTS
from runtime.compiled import compiled
from runtime.tag import Quality
from runtime.tags import NUMBER, Pump, Station

DEFAULT, PLAN, MANUAL, FAILSAFE, EMERGENCY_STOP, LOCAL = (
    Pump.Authority.number(word)
    for word in ("Default", "Plan", "Manual", "Failsafe", "EmergencyStop", "Local")
)
AUTO, BY_HAND = Pump.Mode.number("Auto"), Pump.Mode.number("Manual")
STOP = Pump.EmergencyAction.number("stop")
LEVEL_CONTROLLED, POWER_CONTROLLED = (
    Pump.ControlType.number(word) for word in ("LEVEL_CONTROLLED", "POWER_CONTROLLED")
)
GOOD = int(Quality.GOOD)
MODE, MANUAL_SETPOINT = NUMBER[Pump.Mode], NUMBER[Pump.ManualSetpoint]


@compiled
def _of_plan(control_type: int, direct: float, level: float, power: float) -> float:
    if control_type == LEVEL_CONTROLLED:
        return level
    return power if control_type == POWER_CONTROLLED else direct


@compiled
def _of_local(running: bool, speed: float, speed_quality: int, setpoint: float) -> float:
    if not running:
        return 0.0
    return speed if speed_quality == GOOD else setpoint


@compiled
def _decide(system: Pins, station: Pins, pump: Pins, request: Pins) -> None:
    for count in range(system.Requests[0] - system.RequestsTaken[0], system.Requests[0]):
        r = count % REQUESTS
        p = request.Slot[r]
        if request.Result[r] != EXECUTED:
            continue
        if request.Tag[r] == MANUAL_SETPOINT:
            pump.ManualSetpoint[p] = request.Value[r]
        elif request.Tag[r] == MODE:
            if request.Value[r] == BY_HAND and pump.Mode[p] == AUTO:
                pump.ManualSetpoint[p] = pump.Setpoint[p]
            pump.Mode[p] = int(request.Value[r])

    for p in range(len(pump.Demand)):
        s = row(pump.Station[p], len(station.Failsafe))
        default = pump.DefaultSetpoint[p]
        observed = pump.RunningQuality[p] == GOOD
        found_running = observed and pump.Running[p] and not pump.Adopted[p]
        authority, demand = DEFAULT, default
        if pump.Stopped[p]:
            authority = EMERGENCY_STOP
            runs = pump.Setpoint[p] > 0.0 or found_running
            demand = default if runs and pump.EmergencyAction[p] != STOP else 0.0
        elif observed and pump.LocalControl[p]:
            authority = LOCAL
            demand = _of_local(
                pump.Running[p], pump.Speed[p], pump.SpeedQuality[p], pump.Setpoint[p]
            )
        elif station.Failsafe[s]:
            authority = FAILSAFE
        elif pump.Mode[p] == BY_HAND:
            authority, demand = MANUAL, pump.ManualSetpoint[p]
        elif pump.PlanActive[p]:
            authority = PLAN
            demand = _of_plan(
                pump.ControlType[p],
                pump.DirectDemand[p],
                pump.LevelDemand[p],
                pump.PowerDemand[p],
            )
        pump.Authority[p] = authority
        pump.Demand[p] = demand


class Authority(Block):
    """The demand of the highest authority that has something to say.

    | authority     | when                   | demand                                            |
    |---------------|------------------------|---------------------------------------------------|
    | EmergencyStop | Stopped                | DefaultSetpoint of a pump that runs, or 0 where   |
    |               |                        | EmergencyAction: stop; 0 of one that does not run |
    | Local         | LocalControl, reported | the measured Speed; without a good one the        |
    |               | in time                | setpoint in force; 0 while the pump does not run  |
    | Failsafe      | its station's Failsafe | DefaultSetpoint                                   |
    | Manual        | Mode = Manual          | ManualSetpoint                                    |
    | Plan          | PlanActive             | the demand of the control type's calculator       |
    | Default       | otherwise              | DefaultSetpoint                                   |

    An emergency stop starts nothing: a pump runs if its setpoint in force is above 0, or if it was
    found running when control began. Under local control we track, so that the pump is taken back
    without a bump. Mode and ManualSetpoint are changed by request. Changing from Auto to Manual
    takes over the setpoint in force, so it is bumpless.
    """

    reads = (
        *REQUEST_PINS,
        Pump.Station,
        Station.Failsafe,
        Pump.Stopped,
        Pump.EmergencyAction,
        Pump.DefaultSetpoint,
        Pump.Running,
        Pump.RunningQuality,
        Pump.LocalControl,
        Pump.Speed,
        Pump.SpeedQuality,
        Pump.PlanActive,
        Pump.ControlType,
        Pump.DirectDemand,
        Pump.LevelDemand,
        Pump.PowerDemand,
    )
    previous = (Pump.Setpoint, Pump.Adopted)
    writes = (Pump.Mode, Pump.ManualSetpoint, Pump.Authority, Pump.Demand)
    law = staticmethod(_decide)
