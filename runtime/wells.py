"""Whether a station's well is large enough for its watchdog, and for the starts of its pumps.

A stale setpoint. The largest imbalance Q that the pumps allow is the sum of their HardMaxFlow, in
m³/h. It takes a well of surface A, in m², through Δh, in m, in

    t = 3600 · A · Δh / Q  s

- while the pumps stand at a stale 0 and Q comes in (is taken, on a filling station): from where the
  level releases pumps, RestartLevel, to the end of their levels, HardMaxLevel (HardMinLevel);
- while they run at a stale full speed and nothing comes in (is taken): from StartLevel, where a
  pump must run, to where it does harm, DryRunLevel (HardMaxLevel).

Of a station's pumps the levels count that leave the least room. A t shorter than WatchdogTimeout is
no fault: level guards and trips act in between. But they, and not the watchdog, are then what keeps
the well, and they need a good level. What the well bears for the whole timeout is the imbalance
3600 · A · Δh / WatchdogTimeout.

Starts. Pumps that move Q and start at a level Δh from that at which they stop take at least

    T = 4 · 3600 · A · Δh / Q  s

from start to start: longest at no inflow and at full inflow, shortest at half of Q. All pumps but
the one that runs already start at AllRunLevel, the only pump of a station at StartLevel, and by
then they may go down to StopLevel (blocks/duty.py). So MaxStartsPerHour needs a volume A · Δh of at
least Q / (4 · MaxStartsPerHour) m³ (UFC 3-240-04A: V = T · Q / 4); with less, a storm can use the
starts up, and the pump then stands at the level at which it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.levels import FILLING, axis
from runtime.tags import Pump, Station

HOUR = 3600.0
_OF_STATION = {
    tag.name for tag in (Station.WellArea, Station.WatchdogTimeout, Station.FlowDirection)
}
_OF_PUMP = {
    tag.name
    for tag in (
        *(Pump.DryRunLevel, Pump.StopLevel, Pump.RestartLevel, Pump.StartLevel, Pump.AllRunLevel),
        *(Pump.HardMinLevel, Pump.HardMaxLevel, Pump.HardMaxFlow, Pump.MaxStartsPerHour),
    )
}


def warnings(plant: Equipment) -> list[str]:
    """The stations whose watchdog, and the pumps whose starts, ask more than the well gives.

    What an earlier program has left without one of the parameters is passed over.
    """
    found: list[str] = []
    for station in plant.stations:
        pumps = [
            pump
            for pump in plant.pumps_of(station.station_id)
            if pump.active and pump.parameters.keys() >= _OF_PUMP
        ]
        if not (station.active and pumps and station.parameters.keys() >= _OF_STATION):
            continue
        area = station.parameters[Station.WellArea.name]
        if area > 0.0:
            found += _of_watchdog(station, pumps, area)
            found += _of_starts(station, pumps, area)
    return found


def _of_watchdog(station: StationEntry, pumps: Sequence[PumpEntry], area: float) -> Iterator[str]:
    timeout = station.parameters[Station.WatchdogTimeout.name]
    courses = "; ".join(_courses(station, pumps, area, timeout))
    if courses:
        yield (
            f"station {station.station_id}: watchdog_timeout_s {timeout:g} outlasts the well of"
            f" {area:g} m²: {courses}. Until the watchdog acts, only level guards and trips"
            " keep the level; without a good level, only without_level does"
        )


def _of_starts(station: StationEntry, pumps: Sequence[PumpEntry], area: float) -> Iterator[str]:
    flows = [pump.parameters[Pump.HardMaxFlow.name] for pump in pumps]
    alone = len(pumps) == 1
    begin, flow = (
        (Pump.StartLevel, flows[0]) if alone else (Pump.AllRunLevel, sum(flows) - min(flows))
    )
    stop, starts = Pump.StopLevel, Pump.MaxStartsPerHour
    for pump in pumps:
        high, low, most = (pump.parameters[tag.name] for tag in (begin, stop, starts))
        volume, needed = area * abs(high - low), flow / (4.0 * most)
        if volume < needed:
            yield (
                f"station {station.station_id}, pump {pump.pump_id}: {begin.column} {high:g} and"
                f" {stop.column} {low:g} leave too little room for {starts.column} {most:g}: found"
                f" {volume:.1f} m³ in the well of {area:g} m², allowed at least {needed:.1f} m³"
                f" where {flow:g} m³/h start and stop together. A storm may use up its starts, and"
                f" the well overflow while it stands: set these levels further apart, or allow more"
                " starts"
            )


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
