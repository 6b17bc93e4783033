"""Authority: decides whose demand is in force."""

from __future__ import annotations

import numpy as np

from blocks.block import NUMBER, REQUEST_PINS, Block, Requests, scratch
from runtime.layout import Columns
from runtime.tags import Pump, Station

DEFAULT, PLAN, MANUAL, FAILSAFE, EMERGENCY_STOP = (
    Pump.Authority.number(word)
    for word in ("Default", "Plan", "Manual", "Failsafe", "EmergencyStop")
)
AUTO, BY_HAND = Pump.Mode.number("Auto"), Pump.Mode.number("Manual")
STOP = Pump.EmergencyAction.number("stop")
_CALCULATORS = (
    ("DIRECT_SPEED", Pump.DirectDemand),
    ("LEVEL_CONTROLLED", Pump.LevelDemand),
    ("POWER_CONTROLLED", Pump.PowerDemand),
)


class Authority(Block):
    """The demand of the highest authority that has something to say.

    | authority     | when                     | demand                                            |
    |---------------|--------------------------|---------------------------------------------------|
    | EmergencyStop | Stopped                  | DefaultSetpoint, or 0 where EmergencyAction: stop |
    | Failsafe      | its station's Failsafe   | DefaultSetpoint                                   |
    | Manual        | Mode = Manual            | ManualSetpoint                                    |
    | Plan          | PlanActive               | the demand of the control type's calculator       |
    | Default       | otherwise                | DefaultSetpoint                                   |

    Mode and ManualSetpoint are changed by request. Changing from Auto to Manual takes over the
    setpoint in force, so it is bumpless.
    """

    reads = (
        *REQUEST_PINS,
        Pump.Station,
        Station.Failsafe,
        Pump.Stopped,
        Pump.EmergencyAction,
        Pump.DefaultSetpoint,
        Pump.PlanActive,
        Pump.ControlType,
        Pump.DirectDemand,
        Pump.LevelDemand,
        Pump.PowerDemand,
    )
    previous = (Pump.Setpoint,)
    writes = (Pump.Mode, Pump.ManualSetpoint, Pump.Authority, Pump.Demand)

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.requests = Requests(self)
        self.station = self.number(Pump.Station)
        self.station_failsafe = self.flag(Station.Failsafe)
        self.stopped = self.flag(Pump.Stopped)
        self.action = self.number(Pump.EmergencyAction)
        self.default = self.real(Pump.DefaultSetpoint)
        self.plan_active = self.flag(Pump.PlanActive)
        self.control_type = self.number(Pump.ControlType)
        self.calculators = [
            (Pump.ControlType.number(control_type), self.real(demand))
            for control_type, demand in _CALCULATORS
        ]
        self.setpoint = self.real(Pump.Setpoint)
        self.mode = self.number(Pump.Mode)
        self.manual_setpoint = self.real(Pump.ManualSetpoint)
        self.authority = self.number(Pump.Authority)
        self.demand = self.real(Pump.Demand)
        self.failsafe = scratch(self.demand, "?")
        self.part = scratch(self.demand, "?")

    def execute(self) -> None:
        self._take_requests()
        self.authority.fill(DEFAULT)
        np.copyto(self.demand, self.default)

        np.copyto(self.authority, PLAN, where=self.plan_active)
        for control_type, calculated in self.calculators:
            np.equal(self.control_type, control_type, out=self.part)
            np.logical_and(self.part, self.plan_active, out=self.part)
            np.putmask(self.demand, self.part, calculated)

        np.equal(self.mode, BY_HAND, out=self.part)
        np.copyto(self.authority, MANUAL, where=self.part)
        np.copyto(self.demand, self.manual_setpoint, where=self.part)

        np.take(self.station_failsafe, self.station, out=self.failsafe, mode="clip")
        np.copyto(self.authority, FAILSAFE, where=self.failsafe)
        np.copyto(self.demand, self.default, where=self.failsafe)

        np.copyto(self.authority, EMERGENCY_STOP, where=self.stopped)
        np.copyto(self.demand, self.default, where=self.stopped)
        np.equal(self.action, STOP, out=self.part)
        np.logical_and(self.part, self.stopped, out=self.part)
        np.copyto(self.demand, 0.0, where=self.part)

    def _take_requests(self) -> None:
        for tag, slot, value, _ in self.requests.admitted():
            if tag == NUMBER[Pump.ManualSetpoint]:
                self.manual_setpoint[slot] = value
            elif tag == NUMBER[Pump.Mode]:
                if value == BY_HAND and self.mode[slot] == AUTO:
                    self.manual_setpoint[slot] = self.setpoint[slot]
                self.mode[slot] = int(value)
