"""`calejo status`: how the processes, the scan and the plant are, read from shared memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import config
from runtime import equipment, instance, wells
from runtime.equipment import Equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.progress import look
from runtime.region import Reader
from runtime.shared import RegionError
from runtime.tag import Tag
from runtime.tags import Pump, Station, System

ORDER = (
    *("run", "scan", "standby", "recorder", "postgres", "database"),
    *("modbus", "opcua", "rest", "alerts"),
)
SHOWN = 10  # of a list


def report(places: Places) -> tuple[list[str], bool]:
    """The lines to show, and whether the runtime is live: its scan publishes."""
    runner = instance.holder(places)
    if runner is None:
        return [f"nothing runs with state directory {places.root} (see CALEJO_STATE)"], False
    lines = [f"process {runner} runs with state directory {places.root}", "", *_processes(places)]
    try:
        configuration = config.load(places.shared / "scan.yaml", os.environ)
        capacity = Capacity.of(configuration.capacity)
        layout = Layout(capacity)
        reader = Reader(places.image, layout.size, layout.hash, layout.parameters)
        columns = Columns(layout)
        if not reader.read(columns.arena):
            raise RegionError("the scan has not published yet")
    except (RegionError, config.ConfigurationError) as error:
        return [*lines, "", f"scan: {error}"], False
    live = not reader.stands_still(columns.value(System.Period))
    if not live:
        lines += ["", f"THE SCAN STANDS STILL, for {reader.age:.1f} s; what follows is its last."]
    plant = equipment.load(places.equipment)
    return [*lines, "", *_scan(columns), "", *_plant(columns, plant)], live


def _processes(places: Places) -> Iterator[str]:
    found = {
        health.process: health
        for path in places.shared.glob("progress-*")
        if (health := look(path))
    }
    yield f"{'process':<10} {'pid':>7}  {'state':<9} {'age':>7}  health"
    for name in sorted(found, key=lambda name: (name not in ORDER, *_place(name))):
        health = found[name]
        alive = Path(f"/proc/{health.pid}").exists()
        if name == "standby" and (scan := found.get("scan")) and scan.pid == health.pid:
            continue  # it leads now
        state = health.state.name.lower() if alive else "ended"
        yield f"{name:<10} {health.pid:>7}  {state:<9} {health.age:>5.1f} s  {health.text}"


def _place(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _scan(columns: Columns) -> Iterator[str]:
    def ms(tag: Tag) -> str:
        return f"{columns.value(tag) * 1e3:.3f} ms"

    yield f"scan         {columns.value(System.Scan):.0f}, period {ms(System.Period)}"
    yield f"execution    mean {ms(System.ExecutionMean)}, max {ms(System.ExecutionMax)}"
    yield f"lateness     mean {ms(System.LatenessMean)}, max {ms(System.LatenessMax)}"
    overruns, skipped = columns.value(System.Overruns), columns.value(System.Skipped)
    yield f"overruns     {overruns:.0f}, periods skipped {skipped:.0f}"
    yield f"real time    {'yes' if columns.value(System.RealTime) else 'no (why: see scan above)'}"
    yield f"database     answered {_ago(columns.value(System.DatabaseAge))}"


def _ago(age: float) -> str:
    return f"{age:.1f} s ago" if age < 1e8 else "never"


def _plant(columns: Columns, plant: Equipment) -> Iterator[str]:
    stations = {s.slot: s.station_id for s in plant.stations if s.active}
    pumps = {p.slot: f"{p.station_id}/{p.pump_id}" for p in plant.pumps if p.active}
    yield f"stations     {len(stations)}, pumps {len(pumps)}"
    yield "failsafe     " + _named(columns, Station.Failsafe, stations)
    stops = [
        *(["the system"] if columns.value(System.EmergencyStop) else []),
        *_where(columns, Station.EmergencyStop, stations),
        *_where(columns, Pump.EmergencyStop, pumps),
    ]
    yield "stops        " + (", ".join(stops) or "none")
    yield from _listed("problems", plant.problems)
    yield from _listed("warnings", wells.warnings(plant))


def _listed(what: str, found: Sequence[str]) -> Iterator[str]:
    """How many there are, and the first of them."""
    yield f"{what:<12} {len(found) or 'none'}"
    for text in found[:SHOWN]:
        yield f"  {text}"
    if len(found) > SHOWN:
        yield f"  and {len(found) - SHOWN} more"


def _named(columns: Columns, tag: Tag, names: dict[int, str]) -> str:
    return ", ".join(_where(columns, tag, names)) or "none"


def _where(columns: Columns, tag: Tag, names: dict[int, str]) -> Iterable[str]:
    return (name for slot, name in names.items() if columns.value(tag, slot))
