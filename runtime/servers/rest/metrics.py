"""Metrics for Prometheus, read from the image at each scrape: the scan does nothing for them.

    calejo_<table>_<tag>                 shown tags but parameters, with the labels station, pump
    calejo_<table>_<tag>_total           whole numbers that only grow
    calejo_scan_<what>_seconds           histograms of the scan
    calejo_block_<what>_seconds          each block of the program
    calejo_process_*, calejo_http_*      the processes; this server
    calejo_certificate_*                 when certificates end (`certificate_metrics`)

While the scan stands still, the values of tags are left out: their series end, as they should.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from runtime.places import Places
from runtime.progress import State
from runtime.servers.rest.health import PROCESSES, healths
from runtime.servers.rest.snapshots import Snapshot, Snapshots
from runtime.servers.rest.tagged import is_identity
from runtime.tag import Area, Table, Tag
from runtime.tags import SHOWN, Block, Bucket, Station, System, shown

FIRST_BUCKET = 1e-6  # s; each further one ends at twice that
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def snake(tag: Tag) -> str:
    """PascalCase to snake_case: the column's name without its unit."""
    return tag.column.removesuffix(tag.unit.suffix)


def is_measured(tag: Tag) -> bool:
    """Whether a tag makes a metric: parameters are configuration, identities are names."""
    return tag.area is not Area.PARAMETER and not is_identity(tag)


def is_counter(tag: Tag) -> bool:
    """64-bit whole numbers count; shorter ones are states."""
    return tag.dtype == "u8"


class Traffic:
    """Requests to this server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "calejo_http_requests",
            "HTTP requests answered.",
            ("method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "calejo_http_request_seconds",
            "Time from request to answer.",
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
            registry=registry,
        )

    def count(self, method: str, status: int, seconds: float) -> None:
        known = method if method in ("GET", "POST") else "other"
        self._requests.labels(known, str(status)).inc()
        self._seconds.observe(seconds)


class ImageCollector(Collector):
    """What the image says, as metric families."""

    def __init__(self, snapshots: Snapshots, places: Places, blocks: Sequence[str]) -> None:
        self._snapshots = snapshots
        self._places = places
        self._blocks = blocks

    def describe(self) -> Iterable[Metric]:
        return []  # else registering would collect

    def collect(self) -> Iterator[Metric]:
        snapshot = self._snapshots.newest()
        live = snapshot is not None and snapshot.live
        yield GaugeMetricFamily("calejo_image_live", "The scan runs.", float(live))
        yield from self._processes()
        if snapshot is None:
            return
        yield GaugeMetricFamily(
            "calejo_image_age_seconds", "Time since the scan last published.", snapshot.age
        )
        if live:
            yield from _histograms(snapshot)
            yield from self._executions(snapshot)

    def _executions(self, snapshot: Snapshot) -> Iterator[Metric]:
        for tag in Block.tags():
            name = f"calejo_block_{snake(tag)}_seconds"
            kind = CounterMetricFamily if tag is Block.Total else GaugeMetricFamily
            family = kind(name, tag.doc, labels=("block",))
            column = snapshot.columns[tag].tolist()
            for block, value in zip(self._blocks, column, strict=False):
                family.add_metric((block,), value)
            yield family

    def _processes(self) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            "calejo_process_state",
            "How a process is: " + ", ".join(f"{s.value} {s.name.lower()}" for s in State) + ".",
            labels=("process",),
        )
        count = CounterMetricFamily(
            "calejo_process_progress", "Moves while a process works.", labels=("process",)
        )
        age = GaugeMetricFamily(
            "calejo_process_age_seconds", "Time since it last moved.", labels=("process",)
        )
        for name, health in zip(PROCESSES, healths(self._places), strict=True):
            if health is not None:
                state.add_metric((name,), health.state)
                count.add_metric((name,), health.count)
                age.add_metric((name,), health.age)
        yield from (state, count, age)


def tables(snapshot: Snapshot) -> Iterator[str]:
    """The tags of all rows in use as lines of text.

    Written by hand: ten thousand pumps make half a million samples, for which objects take seconds.
    """
    for table in SHOWN:
        labels, slots = _rows(snapshot, table)
        for tag in shown(table):
            if is_measured(tag):
                name = f"calejo_{table.__name__.lower()}_{snake(tag)}"
                name, kind = (f"{name}_total", "counter") if is_counter(tag) else (name, "gauge")
                yield f"# HELP {name} {about(tag)}\n# TYPE {name} {kind}\n"
                texts = _texts(snapshot.columns[tag][slots])
                yield "".join(
                    [f"{name}{row} {text}\n" for row, text in zip(labels, texts, strict=True)]
                )


def about(tag: Tag) -> str:
    """The documentation of a tag, with its unit."""
    return f"{tag.doc} [{tag.unit.symbol}]" if tag.unit.symbol else tag.doc


def _texts(column: NDArray[Any]) -> Iterable[str]:
    """Values as the exposition format writes them."""
    if column.dtype.kind == "b":
        column = column.astype(np.uint8)
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        return map(floatToGoString, column.tolist())
    return map(repr, column.tolist())


def _rows(snapshot: Snapshot, table: type[Table]) -> tuple[list[str], list[int]]:
    """Labels and slots of the rows in use."""
    if table is System:
        return [""], [0]
    used = snapshot.columns[table.tag("Configured")]
    labels: dict[int, str]
    if table is Station:
        stations = snapshot.plant.stations.values()
        labels = {s.slot: f"{{station={_quoted(s.station_id)}}}" for s in stations}
    else:
        pumps = snapshot.plant.pumps.values()
        labels = {p.slot: f'{{station={_quoted(p.station_id)},pump="{p.pump_id}"}}' for p in pumps}
    slots = [slot for slot in labels if used[slot]]
    return [labels[slot] for slot in slots], slots


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _histograms(snapshot: Snapshot) -> Iterator[Metric]:
    columns = snapshot.columns
    samples = columns.value(System.Samples)
    for tag in Bucket.tags():
        counts = np.cumsum(columns[tag].astype(np.int64)).tolist()
        bounds = [str(FIRST_BUCKET * 2**row) for row in range(len(counts) - 1)]
        buckets = list(zip([*bounds, "+Inf"], map(float, counts), strict=True))
        total = columns.value(System.tag(f"{tag.name}Mean")) * samples
        name = f"calejo_scan_{snake(tag)}_seconds"
        yield HistogramMetricFamily(name, tag.doc, buckets=buckets, sum_value=total)


class Metrics:
    """The page that Prometheus reads. One scrape at a time: a second one waits for its turn."""

    def __init__(self, registry: CollectorRegistry, snapshots: Snapshots) -> None:
        self._registry = registry
        self._snapshots = snapshots
        self._turn = Lock()

    def page(self) -> bytes:
        with self._turn:
            snapshot = self._snapshots.newest()
            live = snapshot is not None and snapshot.live
            text = "".join(tables(snapshot)) if snapshot is not None and live else ""
            return generate_latest(self._registry) + text.encode()
