"""Plans as rows: written all at once, in place of the active ones that they overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from tools.simulate.planning import INTERVAL, Targets
from tools.simulate.sites import Connection
from tools.simulate.sizing import Machine

HOUR = 3_600.0

_NEXT = "SELECT coalesce(max(plan_version), 0) + 1 FROM pump_plans WHERE pump_id = ANY(%s)"
_SUPERSEDE = """
UPDATE pump_plans SET status = 'superseded'
WHERE status = 'active' AND interval_end > %s AND pump_id = ANY(%s)
"""
_COPY = """
COPY pump_plans (pump_id, interval_start, interval_end, plan_version,
                 target_speed_hz, target_level_m, target_power_kw, target_flow_m3h) FROM STDIN
"""


def write(
    connection: Connection, machines: Sequence[Machine], targets: Targets, begin: datetime
) -> int:
    """Replace what these pumps' plans say from `begin` on; the version written."""
    pumps = [machine.pump_id for machine in machines]
    with connection.transaction(), connection.cursor() as cursor:
        found = cursor.execute(_NEXT, [pumps]).fetchone()
        version = int(str(found[0])) if found else 1
        cursor.execute(_SUPERSEDE, [begin, pumps])
        with cursor.copy(_COPY) as copy:
            for row in rows(machines, targets, begin, version):
                copy.write_row(row)
    return version


def rows(
    machines: Sequence[Machine], targets: Targets, begin: datetime, version: int
) -> Iterator[tuple[object, ...]]:
    """The rows of a plan, interval by interval; of the targets those that the type follows."""
    for number in range(len(targets.speed)):
        start = begin + timedelta(seconds=number * INTERVAL)
        end = start + timedelta(seconds=INTERVAL)
        columns = zip(
            machines,
            np.round(targets.speed[number], 2).tolist(),
            np.round(targets.level[number], 3).tolist(),
            np.round(targets.power[number], 2).tolist(),
            np.round(targets.flow[number] * HOUR, 1).tolist(),
            strict=True,
        )
        for machine, speed, level, kilowatts, flow in columns:
            head = (machine.pump_id, start, end, version)
            match machine.control_type:
                case "DIRECT_SPEED":
                    yield *head, speed, None, None, flow
                case "LEVEL_CONTROLLED":
                    yield *head, None, level, None, None
                case _:
                    yield *head, None, None, kilowatts, flow


def quarter(moment: datetime) -> datetime:
    """The beginning of the interval in which a moment lies."""
    seconds = moment.timestamp()
    return datetime.fromtimestamp(seconds - seconds % INTERVAL, UTC)
