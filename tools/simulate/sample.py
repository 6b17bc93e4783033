"""Sample data: `python -m tools.simulate.sample --stations 4 --pumps-per-station 3 --seed 1`.

Stations, pumps of all control types and their limits; for pumps that are new also plans for some
hours and feedback of the past minutes. Reproducible: the same numbers make the same rows (plans and
feedback the same for the same moment). What is there is left alone, so it may run at every start.
The database is that of CALEJO_SAMPLE_DSN (a role with `equipment_writer`, `plan_writer` and
`feedback_writer`), or the embedded one, for which it waits.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from runtime.database.postmaster import ServerError
from tools.simulate import edges, history, planning, plans, sites
from tools.simulate.sites import Connection
from tools.simulate.sizing import size
from tools.simulate.stations import DEMO_PUMPS, Row, Rows, generate

WAIT = 120.0  # s for a database that is still starting
INTERVALS_PER_HOUR = 4


@dataclass(frozen=True)
class Extent:
    """How much history new pumps get."""

    plan_hours: float = 6.0
    feedback_minutes: float = 10.0
    feedback_every: float = 10.0  # s


def load(
    connection: Connection,
    stations: int = 4,
    pumps: int | Sequence[int] = DEMO_PUMPS,
    seed: int = 1,
    *,
    extent: Extent | None = None,
    edge_cases: bool = False,
    now: datetime | None = None,
) -> int:
    """Enter what is not there yet, in one transaction; how many pumps that is.

    `pumps` is the number in each station, a sequence being repeated. Without `extent` there are no
    plans and no feedback.
    """
    now = now or datetime.now(UTC)
    with connection.transaction():
        added = enter(connection, generate(stations, pumps, seed))
        if extent and added:
            _add_history(connection, added, extent, now, seed)
        if edge_cases and (odd := enter(connection, edges.equipment())):
            added |= odd
            if extent:
                copy(connection, "pump_plans", edges.plans(now))
                copy(connection, "pump_feedback", edges.feedback(now))
    return len(added)


def enter(connection: Connection, rows: Rows) -> set[int]:
    """Enter the equipment that is not there yet; the ids of the pumps."""
    _copy_missing(connection, "pump_stations", "station_id", rows.stations)
    added = _copy_missing(connection, "pumps", "pump_id", rows.pumps)
    _copy_missing(
        connection,
        "pump_safety_limits",
        "pump_id",
        [row for row in rows.limits if row["pump_id"] in added],
    )
    return {int(str(pump_id)) for pump_id in added}


def _copy_missing(connection: Connection, table: str, key: str, rows: Sequence[Row]) -> set[object]:
    query = sql.SQL("SELECT {} FROM {}").format(sql.Identifier(key), sql.Identifier(table))
    there = {found for (found,) in connection.execute(query)}
    missing = [row for row in rows if row[key] not in there]
    copy(connection, table, missing)
    return {row[key] for row in missing}


def copy(connection: Connection, table: str, rows: Sequence[Row]) -> None:
    """Enter rows that all have the columns of the first."""
    if not rows:
        return
    columns = list(rows[0])
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as target:
        for row in rows:
            target.write_row([row[column] for column in columns])


def _add_history(
    connection: Connection, pumps: set[int], extent: Extent, now: datetime, seed: int
) -> None:
    found = sites.of_pumps(sites.read_sites(connection), pumps)
    machines = [machine for site in found for machine in site.machines]
    fleet = planning.fleet(found, size(found))
    begin = plans.quarter(now)
    level = planning.station_target(fleet, begin.timestamp())
    intervals = round(extent.plan_hours * INTERVALS_PER_HOUR)
    if intervals:
        running = fleet.rank < 0
        targets = planning.plan(fleet, level, running, begin.timestamp(), intervals)
        plans.write(connection, machines, targets, begin)
    if extent.feedback_minutes:
        minutes, every = extent.feedback_minutes, extent.feedback_every
        history.write(connection, history.simulate(fleet, machines, now, minutes, every, seed))


def wait_for_schema(dsn: Callable[[], str], patience: float = WAIT) -> Connection:
    """A connection to the migrated database, which may still be starting.

    Rights are given by the last migration, so whoever may enter equipment comes after all of them.
    Raises psycopg.Error or ServerError when patience ends.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            connection = sites.connect(dsn(), "sample")
            try:
                connection.execute("SET statement_timeout = 0")
                ready = "SELECT has_table_privilege('equipment_writer', 'pumps', 'INSERT')"
                if connection.execute(ready).fetchone() == (True,):
                    return connection
            except psycopg.Error:
                connection.close()
                raise
            connection.close()
            if time.monotonic() > deadline:
                raise ServerError("the database is not migrated: run `calejo migrate`")
        except (psycopg.Error, ServerError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.simulate.sample", description=__doc__)
    parser.add_argument("--stations", type=int, default=4, metavar="N")
    parser.add_argument("--pumps-per-station", type=int, metavar="M", help="without: 3, 3, 2, 2, …")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--plan-hours", type=float, default=Extent.plan_hours)
    parser.add_argument("--feedback-minutes", type=float, default=Extent.feedback_minutes)
    parser.add_argument("--feedback-every", type=float, default=Extent.feedback_every, metavar="S")
    parser.add_argument("--edge-cases", action="store_true", help="odd equipment, plans, feedback")
    given = parser.parse_args()
    extent = Extent(given.plan_hours, given.feedback_minutes, given.feedback_every)
    pumps = given.pumps_per_station or DEMO_PUMPS
    try:
        with wait_for_schema(lambda: sites.dsn("CALEJO_SAMPLE_DSN", "calejo_owner")) as connection:
            added = load(
                connection,
                given.stations,
                pumps,
                given.seed,
                extent=extent,
                edge_cases=given.edge_cases,
            )
    except (psycopg.Error, ServerError) as error:
        sys.exit(f"sample data: {error}")
    if added:
        print(f"sample data: {added} pumps entered", file=sys.stderr)


if __name__ == "__main__":
    main()
