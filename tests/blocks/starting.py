"""Starts and run times in a whole scan: pumps at rest that start as fast as they are told."""

from __future__ import annotations

from runtime.tags import Pump
from tests.plc import Plc, obey


def standing() -> Plc:
    """All pumps stand by default and do what they are told."""
    plc = Plc()
    plc.before_scan = obey
    plc[Pump.DefaultSetpoint][:] = 0.0
    plc[Pump.MaxSpeedChange][:] = 100.0
    plc.step()
    return plc


def run_locally(plc: Plc, running: bool) -> None:
    """From now on local control runs pump 0, or lets it stand."""
    plc.before_scan = None
    plc[Pump.MeasuredLocal][0] = True
    plc[Pump.MeasuredRunning][0] = running
    plc.step()
