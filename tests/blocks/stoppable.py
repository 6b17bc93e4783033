"""Pumps that an emergency stop stops, and the three latches that may do so."""

from __future__ import annotations

from runtime.tags import Pump, Station, System
from tests.plc import Plc, obey

DEFAULT, STOP = range(2)  # Pump.EmergencyAction
OF_PUMP, OF_STATION, OF_SYSTEM = (table.EmergencyStop for table in (Pump, Station, System))


def stoppable() -> Plc:
    """Four pumps at 45 Hz that an emergency stop stops, at once."""
    plc = Plc()
    plc.before_scan = obey
    plc[Pump.EmergencyAction][:] = STOP
    for slot in range(4):
        plc.plan(slot, speed=45.0)
    plc.settle()
    return plc
