"""A station of three pumps that obey, and another of one pump: what duty decides of them."""

from __future__ import annotations

from runtime.tags import FOREVER, Pump
from tests.plc import Plc, obey

STATION_OF = (0, 0, 0, 1)


def at_rest(period: float = 0.1) -> Plc:
    """Pumps that stand by default; of the three, pump 1 is the least used. Levels may leap."""
    plc = Plc(period, STATION_OF, feedback={"level_rate": 1e9})
    plc.before_scan = obey
    plc[Pump.DefaultSetpoint][:] = 0.0
    plc[Pump.TotalRunTime][:] = [30.0, 10.0, 20.0, 0.0]
    plc[Pump.StopLevel][:] = 0.8
    plc.step()
    return plc


def one_at_work() -> Plc:
    """Pump 0 of three runs at 40 Hz, for ten minutes at most; pump 2 is the least used other."""
    plc = Plc(station_of=STATION_OF)
    plc.before_scan = obey
    plc[Pump.DefaultSetpoint][:] = 0.0
    plc[Pump.TotalRunTime][:] = [0.0, 20.0, 10.0, 0.0]
    plc[Pump.MaxRun][:] = [600.0, 900.0, 900.0, FOREVER]
    plc.plan(0, speed=40.0)
    plc.settle()
    assert running(plc) == [0]
    return plc


def running(plc: Plc) -> list[int]:
    """Which of the three are told to run."""
    return [slot for slot in range(3) if plc[Pump.Setpoint][slot] > 0.0]


def raise_to(plc: Plc, level: float) -> None:
    plc[Pump.MeasuredLevel][:3] = level
    plc.settle()


def tire(plc: Plc, slot: int = 0) -> None:
    """Let its longest run be over in this scan."""
    plc[Pump.RunTime][slot] = plc[Pump.MaxRun][slot] - 1e-9
    plc.renew()
    plc.step()


def jam(plc: Plc, slot: int) -> None:
    """From now on this pump stands, whatever it is told."""

    def all_others_obey(plc: Plc) -> None:
        obey(plc)
        plc[Pump.MeasuredRunning][slot] = False
        plc[Pump.MeasuredSpeed][slot] = 0.0

    plc.before_scan = all_others_obey
