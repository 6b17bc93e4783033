"""Edge cases that the database accepts and the runtime has to live with: `--edge-cases`.

One station whose pumps each have something odd, with plans and feedback to match, one station
without pumps, and one that is out of use.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from tools.simulate.stations import Row, Rows

STATION = "RÜB-Großkrotzenburg_Überlauf 'B' \"§\" — längste Kennung mit 64 Z."
FIRST_ID = 2_147_483_600  # the last ids that an integer has

_PUMP: Row = {
    "station_id": STATION,
    "name": "",
    "control_type": "DIRECT_SPEED",
    "min_speed_hz": 20.0,
    "max_speed_hz": 50.0,
    "default_setpoint_hz": 30.0,
    "emergency_action": "stop",
    "control_parameters": "{}",
    "active": True,
}
_LIMITS: Row = {
    "hard_min_speed_hz": 20.0,
    "hard_max_speed_hz": 50.0,
    "hard_min_level_m": -1.5,
    "hard_max_level_m": 3.0,
    "emergency_stop_level_m": -1.7,
    "dry_run_level_m": -1.6,
    "restart_level_m": -1.0,
    "hard_max_power_kw": 30.0,
    "hard_max_flow_m3h": 300.0,
    "max_speed_change_hz_per_s": 2.0,
    "max_starts_per_hour": 6.0,
    "min_run_s": 60.0,
    "min_off_s": 60.0,
    "max_run_s": 36_000.0,
}
# What is odd: the pump, its limits (None: it has none).
_ODD: tuple[tuple[str, Row, Row | None], ...] = (
    ("one speed only", {"min_speed_hz": 50.0, "default_setpoint_hz": 50.0}, {}),
    ("stopped by default", {"default_setpoint_hz": 0.0}, {}),
    ("retired", {"active": False}, {}),
    ("without limits: refused", {}, None),
    ("a limit missing: refused", {}, {"hard_max_power_kw": None}),
    ("no minimum speed: refused", {"min_speed_hz": None}, {}),
    ("limits narrower than the pump", {}, {"hard_min_speed_hz": 28.0, "hard_max_speed_hz": 32.0}),
    ("limits beside the pump: refused", {}, {"hard_min_speed_hz": 60.0, "hard_max_speed_hz": 70.0}),
    ("unknown parameter: refused", {"control_parameters": json.dumps({"gian": 3})}, {}),
    ("level without plan", {"control_type": "LEVEL_CONTROLLED"}, {}),
    ("power", {"control_type": "POWER_CONTROLLED"}, {}),
    ("stops on emergency, never starts", {"emergency_action": "stop"}, {"max_starts_per_hour": 1}),
)


def equipment() -> Rows:
    """The odd stations and pumps."""
    rows = Rows()
    usual: Row = {
        "name": "Regenüberlaufbecken",
        "timezone": "Pacific/Chatham",  # 45 minutes off the hour
        "flow_direction": "emptying",
        "well_area_m2": 12.0,
        "active": True,
    }
    rows.stations += [
        usual | {"station_id": STATION},
        usual | {"station_id": "X", "name": "", "well_area_m2": None},
        usual | {"station_id": "ALT-SUED", "name": "Altes Pumpwerk", "active": False},
    ]
    for number, (name, pump, limits) in enumerate(_ODD):
        pump_id = FIRST_ID + number
        rows.pumps.append(_PUMP | {"pump_id": pump_id, "name": name} | pump)
        if limits is not None:
            rows.limits.append(_LIMITS | {"pump_id": pump_id} | limits)
    return rows


def plans(now: datetime) -> list[Row]:
    """Odd plans: a gap now, expired, in the future, two versions, withdrawn, stopped."""

    def plan(number: int, start: float, end: float, speed: float, **more: object) -> Row:
        return {
            "pump_id": FIRST_ID + number,
            "interval_start": now + timedelta(minutes=start),
            "interval_end": now + timedelta(minutes=end),
            "target_speed_hz": speed,
            "target_power_kw": None,
            "plan_version": 1,
            "status": "active",
            **more,
        }

    return [
        plan(0, -30, -15, 30.0),
        plan(0, 15, 30, 35.0),  # nothing in between
        plan(1, -600, -300, 40.0),
        plan(3, 0, 600, 40.0),
        plan(6, -15, 15, 49.9),  # above its hard limit
        plan(6, 15, 30, 20.0),
        plan(7, -60, 60, 25.0),
        plan(7, -5, 5, 45.0, plan_version=2),
        plan(7, -5, 5, 50.0, plan_version=3, status="draft"),
        plan(8, -60, 60, 0.0),
        plan(8, 60, 525_600, 33.0),  # a year
        plan(10, -15, 15, 0.0, target_power_kw=1e6),
    ]


def feedback(now: datetime) -> list[Row]:
    """Odd feedback: nothing measured, stale, from the future, out of range, under local control."""

    def sample(number: int, age: float, **values: object) -> Row:
        usual: Row = {
            "actual_speed_hz": 30.0,
            "power_kw": 8.0,
            "flow_m3h": 120.0,
            "wet_well_level_m": 1.0,
            "running": True,
            "local_control": False,
        }
        stamp = {"pump_id": FIRST_ID + number, "measured_at": now - timedelta(seconds=age)}
        return stamp | usual | values

    nothing = dict.fromkeys(("actual_speed_hz", "power_kw", "flow_m3h", "wet_well_level_m"))
    return [
        sample(0, 0.0, **nothing, running=None, local_control=None),
        sample(1, 86_400.0),
        sample(3, -300.0),
        sample(6, 0.0, wet_well_level_m=999.0),
        sample(7, 0.0, power_kw=-1e6, flow_m3h=1e9),
        sample(8, 0.0, local_control=True),
        sample(9, 0.0, actual_speed_hz=0.0, running=True),
        sample(10, 0.0, actual_speed_hz=50.0, running=False),
    ]
