"""A sample optimiser: `python -m tools.simulate.optimiser`.

At once and then every minute it plans the next hours for every pump, from the last feedback and the
flow that the time of day lets expect, and puts the plan in place of the last one in a single
transaction. It knows of the runtime nothing but the database.

    CALEJO_OPTIMISER_DSN  database, a role with `plan_writer` (without: the embedded server's)
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

import numpy as np
import psycopg
import structlog

from runtime import log
from runtime.database.postmaster import ServerError
from tools.simulate import ending, planning, plans, sites
from tools.simulate.sites import Connection
from tools.simulate.sizing import size

EVERY = 60.0  # s
HOURS = 3.0
RETRY = 0.5  # s
PATIENCE = 30.0  # s of retries after which an outage is told
DSN = "CALEJO_OPTIMISER_DSN"

_FEEDBACK = """
SELECT pump_id, wet_well_level_m, coalesce(running, false) FROM pump_feedback_latest
WHERE measured_at > now() - interval '5 minutes'
"""

logger = structlog.get_logger()


def optimise(connection: Connection, hours: float = HOURS, now: datetime | None = None) -> int:
    """Plan once for all active pumps; how many pumps have a plan."""
    found = sites.read_sites(connection)
    if not found:
        return 0
    machines = [machine for site in found for machine in site.machines]
    fleet = planning.fleet(found, size(found))
    begin = plans.quarter(now or datetime.now(UTC))
    level = planning.station_target(fleet, begin.timestamp())
    running = np.zeros(len(machines), np.bool_)
    place = {machine.pump_id: number for number, machine in enumerate(machines)}
    for pump_id, measured, runs in connection.execute(_FEEDBACK):
        number = place.get(int(str(pump_id)))
        if number is not None:
            running[number] = bool(runs)
            if measured is not None:
                level[fleet.station[number]] = float(str(measured))
    intervals = round(hours * 3_600.0 / planning.INTERVAL)
    targets = planning.plan(fleet, level, running, begin.timestamp(), intervals)
    plans.write(connection, machines, targets, begin)
    return len(machines)


def work(every: float, hours: float) -> None:
    """Plan for ever, through outages of the database too."""
    failing = 0.0
    while True:
        try:
            with sites.connect(sites.dsn(DSN, "optimiser"), "optimiser") as connection:
                while True:
                    planned = optimise(connection, hours)
                    failing = 0.0
                    time.sleep(every if planned else RETRY)
        except (psycopg.Error, ServerError) as error:
            failing += RETRY
            if failing == PATIENCE:
                logger.warning("no plan written", reason=str(error).strip())
            time.sleep(RETRY)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.simulate.optimiser", description=__doc__)
    parser.add_argument("--every", type=float, default=EVERY, metavar="S")
    parser.add_argument("--hours", type=float, default=HOURS, help="that a plan covers")
    given = parser.parse_args()
    ending.at_once()
    log.configure("optimiser", "warning")
    work(given.every, given.hours)


if __name__ == "__main__":
    main()
