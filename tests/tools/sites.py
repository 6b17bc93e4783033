"""Sample rows as sites, without a database in between."""

from __future__ import annotations

from tools.simulate import stations
from tools.simulate.sizing import Machine, Site


def number(value: object) -> float:
    return float(str(value))


def sites_of(rows: stations.Rows) -> list[Site]:
    """What the database would say of these rows."""
    limits = {row["pump_id"]: row for row in rows.limits}
    found = []
    for station in rows.stations:
        machines = tuple(
            Machine(
                int(number(pump["pump_id"])),
                str(pump["control_type"]),
                number(pump["min_speed_hz"]),
                number(pump["max_speed_hz"]),
                number(limits[pump["pump_id"]]["hard_max_flow_m3h"]),
                number(limits[pump["pump_id"]]["hard_max_power_kw"]),
            )
            for pump in rows.pumps
            if pump["station_id"] == station["station_id"]
        )
        levels = limits[machines[0].pump_id]
        found.append(
            Site(
                str(station["station_id"]),
                station["flow_direction"] == "filling",
                number(station["well_area_m2"]),
                number(levels["hard_min_level_m"]),
                number(levels["hard_max_level_m"]),
                machines,
            )
        )
    return found
