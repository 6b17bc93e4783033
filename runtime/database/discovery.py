"""Finds stations and pumps in the database and keeps the list of them up to date."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from psycopg import Connection, sql
from psycopg.rows import dict_row

from config import Config
from runtime import wells
from runtime.database.assembly import assemble
from runtime.database.board import Board
from runtime.database.changes import Changes
from runtime.database.connection import Guard, Source, Worker
from runtime.database.rules import PUMP_COLUMNS
from runtime.equipment import Equipment
from runtime.spool import SpoolError

LIMIT_S = 15.0
SHORTEST_PAUSE_S = 0.25  # equipment entered row by row is read in a few goes
RETRY_S = 5.0
NOTED_S = 5.0  # for the notes of what changed to get to the disk
_STATIONS = "SELECT * FROM pump_stations ORDER BY slot"
_PUMPS = sql.SQL(
    "SELECT pumps.pump_id, station_id, name, active, slot, modbus_unit, modbus_base,"
    " control_parameters, {} FROM pumps LEFT JOIN pump_safety_limits USING (pump_id) ORDER BY slot"
).format(sql.SQL(", ").join(map(sql.Identifier, PUMP_COLUMNS)))

logger = structlog.get_logger()


class Discovery(Worker):
    """Reads the equipment at the start, at every notification, and every `config.discovery` s."""

    limit_s = LIMIT_S

    def __init__(
        self,
        board: Board,
        source: Source,
        guard: Guard,
        config: Config,
        path: Path,
        changes: Changes,
    ) -> None:
        super().__init__("discovery", source, guard)
        self._changes = changes
        self._board = board
        self._config = config
        self._path = path

    def begin(self, connection: Connection[Any]) -> None:
        connection.execute("LISTEN calejo_equipment")

    def work(self, connection: Connection[Any]) -> None:
        with self.limited():
            found = discover(connection, self._config, self._board.equipment)
        wait = self._config.discovery if self._apply(found) else RETRY_S
        for _ in connection.notifies(timeout=wait, stop_after=1):
            self.pause(SHORTEST_PAUSE_S)

    def _apply(self, found: Equipment) -> bool:
        """Put a list that differs in force; False if it could not be saved."""
        known = self._board.equipment
        if replace(found, version=known.version) == known:
            return True
        found = replace(found, version=known.version + 1)
        try:
            noted = self._changes.equipment(known, found)
            if noted is not None:
                noted.result(NOTED_S)
            found.save(self._path)
        except (OSError, SpoolError, sqlite3.Error) as error:
            logger.error(
                "equipment not saved, so unchanged", path=str(self._path), reason=repr(error)
            )
            return False
        for problem in sorted(set(found.problems) - set(known.problems)):
            logger.warning("equipment row skipped", problem=problem)
        for problem in sorted(set(wells.warnings(found)) - set(wells.warnings(known))):
            logger.warning("well too small", problem=problem)
        active = sum(pump.active for pump in found.pumps)
        logger.info("equipment", version=found.version, stations=len(found.stations), pumps=active)
        self._board.equipment = found
        self._board.announce()
        return True


def discover(connection: Connection[Any], config: Config, known: Equipment) -> Equipment:
    """What the database holds, checked; `known` is what has been in force."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        stations = cursor.execute(_STATIONS).fetchall()
        pumps = cursor.execute(_PUMPS).fetchall()
    return assemble(stations, pumps, config, known)
