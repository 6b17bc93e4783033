"""The enforcer in a whole scan: pumps that obey, in wells whose level a test sets as it likes."""

from __future__ import annotations

from runtime.tags import Pump
from tests.plc import Plc, obey


def leaping() -> Plc:
    """Levels may leap: no rate of change is too fast to be believed."""
    plc = Plc(feedback={"level_rate": 1e9})
    plc.before_scan = obey
    return plc


def run_at(plc: Plc, speed: float) -> None:
    """Bring pump 0 to a speed that its plan asks for."""
    plc.plan(0, speed=speed)
    plc.settle()
    assert plc[Pump.Setpoint][0] == speed
