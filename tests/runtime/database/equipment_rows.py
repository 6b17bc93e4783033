"""Rows of one station and one pump, and the equipment that they are assembled to."""

from __future__ import annotations

from config import Config
from runtime.database.assembly import assemble
from runtime.equipment import Equipment
from tests.runtime.database.rows import LIMITS, PUMP, STATION, Row

ADDRESS: Row = {"active": True, "slot": 0, "modbus_unit": 1, "modbus_base": 0}
UNSET: Row = dict.fromkeys(("watchdog_timeout_s", "without_level", "level_hold_s"))
STATION_ROW: Row = STATION | ADDRESS | UNSET
GUARDS: Row = dict.fromkeys(("start_level_m", "stop_level_m", "all_run_level_m"))
PUMP_ROW: Row = LIMITS | GUARDS | PUMP | ADDRESS | {"control_parameters": {}, "modbus_base": 100}
TANK: Row = {"flow_direction": "filling"}
FILLING: Row = {"emergency_stop_level_m": 3.9, "restart_level_m": 3.0}


def assembled(
    config: Config, change: Row, station: Row | None = None, known: Equipment | None = None
) -> Equipment:
    return assemble(
        [STATION_ROW | (station or {})], [PUMP_ROW | change], config, known or Equipment()
    )
