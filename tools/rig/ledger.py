"""Whether every record is in the tables exactly once: spools and ring against the tables.

The numbers of a spool have no gap, and it knows the last one that it gave, so its records are all
there if the tables hold the numbers from 1 to that one. The edges of one tag of one pump or station
follow from each other: each begins with the value with which the one before ended. And the ring of
edges counts what the scan put in.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from runtime import samples, spoolfile
from runtime.events import EventReader
from runtime.layout import Layout
from runtime.places import Places
from runtime.spool import Kind
from tools.rig.operators import Told

Connection = psycopg.Connection[Any]
SAMPLES = "history"  # the spool whose records are no rows of their own

_NUMBERS = """
SELECT sequence FROM events WHERE source = %(source)s
UNION ALL SELECT sequence FROM audit_log WHERE source = %(source)s
"""
_BROKEN = """
SELECT tag, station_id, pump_id, scan, old_value, before FROM (
    SELECT *, lag(new_value) OVER (
        PARTITION BY tag, station_id, pump_id ORDER BY occurred_at, event_id) AS before
    FROM events WHERE tag <> 'System.FirstScan'
) AS edge
WHERE before IS NOT NULL AND before <> old_value
"""
_FAILSAFES = """
SELECT (SELECT count(*) FROM events WHERE tag = 'Station.Failsafe' AND station_id IS NOT NULL),
       (SELECT count(*) FROM failsafe_events)
"""
_STOPS = """
SELECT emergency_stop_id::text, count(*) FILTER (WHERE event = 'set'),
       count(*) FILTER (WHERE event = 'cleared')
FROM emergency_stop_events GROUP BY 1
"""
_CHAIN = "SELECT count(*), coalesce(max(audit_id), 0), count(DISTINCT audit_id) FROM audit_log"
_SAMPLE = """
SELECT count(*) FROM unnest(%s::text[], %s::integer[], %s::float8[]) AS kept (tag, slot, utc)
WHERE NOT EXISTS (
    SELECT FROM history JOIN history_series USING (series_id)
    WHERE history_series.tag = kept.tag AND history_series.slot = kept.slot
        AND occurred_at = to_timestamp(kept.utc))
"""


@dataclass(frozen=True)
class Spool:
    """One file of the spool: who it is, the last number that it gave, how many records wait."""

    name: str
    identity: str
    last: int
    waiting: int


@dataclass
class Findings:
    """What was counted, and what is wrong."""

    records: int = 0
    edges: int = 0
    samples: int = 0
    stops: int = 0
    faults: list[str] = field(default_factory=list)


def spools(places: Places) -> Iterator[Spool]:
    for path in spoolfile.files(places.spool):
        with contextlib.suppress(sqlite3.Error), contextlib.closing(_open(path)) as connection:
            (identity,) = connection.execute("select identity from spool").fetchone()
            (waiting,) = connection.execute("select count(*) from record").fetchone()
            found = connection.execute("select seq from sqlite_sequence where name = 'record'")
            yield Spool(path.stem, identity, (found.fetchone() or (0,))[0], waiting)


def waiting(places: Places) -> int:
    """Records in the spools that are not yet in the database."""
    return sum(spool.waiting for spool in spools(places))


def kept_samples(places: Places) -> list[tuple[str, int, float]]:
    """The samples that wait: tag, row and time."""
    path = places.spool / f"{SAMPLES}.db"
    if not path.exists():
        return []
    with contextlib.closing(_open(path)) as connection:
        rows = connection.execute("select body from record where kind = ?", (Kind.SAMPLE,))
        found = [samples.decode(bytes(body)) for (body,) in rows]
    return [
        (each.tag, int(slot), utc)
        for _, utc, several in found
        for each in several
        for slot in each.rows.tolist()
    ]


def unread(places: Places, layout: Layout) -> int:
    """Edges in the ring that are not yet on disk."""
    return EventReader(places.events, layout).backlog


def account(
    connection: Connection,
    places: Places,
    produced: int,
    told: Told,
    samples_kept: Sequence[tuple[str, int, float]] = (),
) -> Findings:
    """Compare. `produced` is how many edges the scan put into the ring; nothing flows any more."""
    found = Findings()
    for spool in spools(places):
        if spool.waiting:
            found.faults.append(f"{spool.name}: {spool.waiting} records wait still")
        elif spool.name != SAMPLES:
            _compare_numbers(connection, spool, found)
    (found.edges,) = connection.execute("SELECT count(*) FROM events").fetchone() or (0,)
    if found.edges != produced:
        found.faults.append(f"the scan told {produced} edges, the table has {found.edges}")
    for row in connection.execute(_BROKEN):
        found.faults.append(f"an edge does not follow from the one before: {row}")
    edges, rows = connection.execute(_FAILSAFES).fetchone() or (0, 0)
    if edges != rows:
        found.faults.append(f"{edges} edges of failsafe, but {rows} rows of it")
    count, last, distinct = connection.execute(_CHAIN).fetchone() or (0, 0, 0)
    if not count == last == distinct:
        found.faults.append(f"the audit log has {count} entries, numbered up to {last}")
    _compare_stops(connection, told, found)
    _compare_samples(connection, samples_kept, found)
    return found


def _compare_numbers(connection: Connection, spool: Spool, found: Findings) -> None:
    numbers = [row[0] for row in connection.execute(_NUMBERS, {"source": spool.identity})]
    found.records += len(numbers)
    missing = sorted(set(range(1, spool.last + 1)) - set(numbers))
    if missing:
        found.faults.append(f"{spool.name}: {len(missing)} records lost, first: {missing[0]}")
    if len(numbers) != len(set(numbers)):
        found.faults.append(f"{spool.name}: {len(numbers) - len(set(numbers))} records doubled")


def _compare_stops(connection: Connection, told: Told, found: Findings) -> None:
    stored = {name: (begun, ended) for name, begun, ended in connection.execute(_STOPS)}
    for stop in told.stops.values():
        found.stops += 1
        begun, ended = stored.get(stop.id, (0, 0))
        if begun != 1 or (stop.cleared and ended != 1) or ended > 1:
            said = "cleared" if stop.cleared else "not cleared"
            found.faults.append(f"stop {stop.id} ({said}): {begun} times set, {ended} cleared")


def _compare_samples(
    connection: Connection, kept: Sequence[tuple[str, int, float]], found: Findings
) -> None:
    found.samples += len(kept)
    columns = [[row[field] for row in kept] for field in range(3)]
    (lost,) = connection.execute(_SAMPLE, columns).fetchone() or (0,)
    if lost:
        found.faults.append(f"history: {lost} of {len(kept)} samples lost")


def _open(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=5.0)
