"""The power controller in a loop with a pump that lifts against static head."""

from __future__ import annotations

from blocks.power_control import PowerControl
from runtime.tags import Pump, System
from tests.blocks import lift
from tests.blocks.alone import Alone

LOW, HIGH = 30.0, 50.0
TRUE_CURVE = tuple(lift.power(LOW + 5.0 * node) for node in range(5))
RATE, POWER = (1 << Pump.Limited.number(word) for word in ("rate", "power"))
CURVE = tuple(Pump.tag(f"PowerCurve{node + 1}") for node in range(5))


class Loop(Alone):
    """Pump 0 runs at 35 Hz by its plan, behind a stand-in of the enforcer that changes the speed
    by `rate` at most. `felt` is the power as the controller sees it.
    """

    def __init__(self, target: float = 20.0, period: float = 1.0) -> None:
        super().__init__(PowerControl, period, (0,))
        for tag, value in {
            Pump.ControlType: 2,
            Pump.PlanActive: True,
            Pump.Authority: 1,
            Pump.MinSpeed: LOW,
            Pump.LowLimit: LOW,
            Pump.HighLimit: HIGH,
            Pump.PowerGain: 0.2,
            Pump.PowerResetTime: 30.0,
            Pump.PowerQuality: 2,
            Pump.TargetPower: target,
            Pump.Setpoint: 35.0,
        }.items():
            self[tag][0] = value
        self.ceiling, self.rate = HIGH, 2.0
        self.drive: float | None = None

    def learn(self, curve: tuple[float, ...] = TRUE_CURVE, share: float = 1.0) -> None:
        for tag, value in zip(CURVE, curve, strict=True):
            self[tag][0] = value
        self[Pump.PowerFeedForward][0] = share

    @property
    def speed(self) -> float:
        return float(self[Pump.Setpoint][0]) if self.drive is None else self.drive

    @property
    def power(self) -> float:
        return lift.power(self.speed)

    def felt(self) -> float:
        return self.power

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / self.period)):
            self[System.Elapsed][0] = self.period
            self[Pump.Power][0] = self.felt()
            self.step()
            before, demand = self[Pump.Setpoint][0], self[Pump.PowerDemand][0]
            allowed, step = min(demand, self.ceiling), self.rate * self.period
            reached = min(max(allowed, before - step), max(before + step, LOW))
            self[Pump.Setpoint][0] = reached
            self[Pump.Limited][0] = RATE * (reached != allowed) | POWER * (allowed != demand)
