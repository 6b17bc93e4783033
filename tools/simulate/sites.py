"""The stations of a database as simulation and sample optimiser need them, and how to reach it."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

import psycopg

from runtime.database.embedded import EmbeddedServer
from runtime.places import Places
from tools.simulate.sizing import Machine, Site

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]

CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_MS = 20_000

# A pump that lacks a limit is one that the runtime refuses; there is nothing to simulate.
_SITES = """
SELECT s.station_id, s.flow_direction = 'filling', coalesce(s.well_area_m2, 20.0),
       p.pump_id, p.control_type, p.min_speed_hz, p.max_speed_hz,
       l.hard_max_flow_m3h, l.hard_max_power_kw, l.hard_min_level_m, l.hard_max_level_m
FROM pump_stations s JOIN pumps p USING (station_id) JOIN pump_safety_limits l USING (pump_id)
WHERE s.active AND p.active AND num_nulls(
    p.min_speed_hz, p.max_speed_hz,
    l.hard_max_flow_m3h, l.hard_max_power_kw, l.hard_min_level_m, l.hard_max_level_m) = 0
    AND p.max_speed_hz > 0
ORDER BY s.slot, p.pump_id
"""


def dsn(variable: str, role: str) -> str:
    """The connection string in a variable; without it, that of a role of the embedded server.

    Raises ServerError while there is no embedded server yet.
    """
    given = os.environ.get(variable)
    return given or EmbeddedServer(Places.from_environment(os.environ).postgres).dsn(role)


def connect(conninfo: str, name: str) -> Connection:
    """A connection that gives up on a server that doesn't answer."""
    return psycopg.connect(
        conninfo,
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name=name,
        options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
    )


def read_sites(connection: Connection) -> list[Site]:
    """The active stations with their active pumps, in the order of their slots."""
    rows = connection.execute(_SITES).fetchall()
    return [_site(list(of_station)) for _, of_station in groupby(rows, lambda row: row[0])]


def _site(rows: list[tuple[object, ...]]) -> Site:
    numbers = [[float(str(value)) for value in row[5:]] for row in rows]
    return Site(
        station_id=str(rows[0][0]),
        filling=bool(rows[0][1]),
        area=float(str(rows[0][2])),
        low=max(number[4] for number in numbers),
        high=min(number[5] for number in numbers),
        machines=tuple(
            Machine(int(str(row[3])), str(row[4]), *number[:4])
            for row, number in zip(rows, numbers, strict=True)
        ),
    )


def of_pumps(found: list[Site], pumps: set[int]) -> list[Site]:
    """The same stations with no other pumps than these."""
    return [
        replace(site, machines=machines)
        for site in found
        if (machines := tuple(m for m in site.machines if m.pump_id in pumps))
    ]
