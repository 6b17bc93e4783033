"""Whether a station's well bears a stale setpoint for as long as its watchdog lets one stand.

The largest imbalance Q that the pumps allow is the sum of their HardMaxFlow, in m³/h. It takes a
well of surface A, in m², through Δh, in m, in

    t = 3600 · A · Δh / Q  s

- while the pumps stand at a stale 0 and Q comes in (is taken, on a filling station): from where the
  level releases pumps, RestartLevel, to the end of their levels, HardMaxLevel (HardMinLevel);
- while they run at a stale full speed and nothing comes in (is taken): from StartLevel, where a
  pump must run, to where it does harm, DryRunLevel (HardMaxLevel).

Of a station's pumps the levels count that leave the least room. A t shorter than WatchdogTimeout is
no fault: level guards and trips act in between. But they, and not the watchdog, are then what keeps
the well, and they need a good level. What the well bears for the whole timeout is the imbalance
3600 · A · Δh / WatchdogTimeout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.levels import FILLING, axis
from runtime.tags import Pump, Station

HOUR = 3600.0


def warnings(plant: Equipment) -> list[str]:
    """The stations whose watchdog tolerates more than the well."""
    found = []
    for station in plant.stations:
        pumps = [pump for pump in plant.pumps_of(station.station_id) if pump.active]
        area = station.parameters.get(Station.WellArea.name, 0.0)
        if not (station.active and pumps and area > 0.0):
            continue
        timeout = station.parameters[Station.WatchdogTimeout.name]
        courses = "; ".join(_courses(station, pumps, area, timeout))
        if courses:
            found.append(
                f"station {station.station_id}: watchdog_timeout_s {timeout:g} outlasts the well of"
                f" {area:g} m²: {courses}. Until the watchdog acts, only level guards and trips"
                " keep the level; without a good level, only without_level does"
            )
    return found


def _courses(
    station: StationEntry, pumps: Sequence[PumpEntry], area: float, timeout: float
) -> Iterator[str]:
    """The courses of the level that take less than the timeout."""
    seen = axis(station.parameters[Station.FlowDirection.name])
    comes, harm = "coming in", Pump.DryRunLevel
    if seen is FILLING:
        comes, harm = "taken", Pump.HardMaxLevel
    flow = sum(pump.parameters[Pump.HardMaxFlow.name] for pump in pumps)
    for what, way, begin, finish in (
        (f"with pumps at a stale 0 and {flow:g} m³/h {comes}", 1.0, Pump.RestartLevel, seen.end),
        (f"with {flow:g} m³/h pumped and nothing {comes}", -1.0, Pump.StartLevel, harm),
    ):
        sign = way * seen.sign
        start = sign * max(sign * pump.parameters[begin.name] for pump in pumps)
        end = sign * min(sign * pump.parameters[finish.name] for pump in pumps)
        volume = HOUR * area * max(0.0, sign * (end - start))
        if volume < flow * timeout:
            yield (
                f"{what} it goes from {start:g} m ({begin.column}) to {end:g} m ({finish.column})"
                f" in {volume / flow:.0f} s ({timeout:g} s bear {volume / timeout:.0f} m³/h)"
            )
