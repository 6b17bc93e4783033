"""The database process: PostgreSQL both ways, with a thread for each kind of work.

The main thread never touches the database. It publishes the inputs every cycle and whenever
something is new, from what the readers last found: a frozen server ages the inputs, it stops
nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from psycopg import Connection, errors

from config import Config
from runtime import equipment
from runtime.database import uploads
from runtime.database.anchoring import AnchorCopies, Anchorer
from runtime.database.board import Board
from runtime.database.changes import Changes
from runtime.database.connection import Guard, Source, Worker
from runtime.database.discovery import Discovery
from runtime.database.embedded import EmbeddedServer
from runtime.database.examination import Examiner
from runtime.database.feedback import FeedbackReader
from runtime.database.findings import DiskWatch
from runtime.database.health import HealthTeller
from runtime.database.housekeeping import Housekeeper
from runtime.database.inputs import Inputs
from runtime.database.installation import Installation
from runtime.database.plans import PlanReader
from runtime.database.rules import completed_pump, completed_station
from runtime.database.spool_watch import SpoolWatch
from runtime.ending import Ending
from runtime.equipment import Equipment, EquipmentError
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.progress import Progress
from runtime.register_map import Copy
from runtime.tags import System

CYCLE_S = 0.1
END_S = 0.5  # for the threads to end; what they leave undone is done after the next start
ROLE = "calejo_runtime"

logger = structlog.get_logger()


def main(config: Config, places: Places) -> None:
    """Keep inputs and records flowing until told to end."""
    ending = Ending()
    progress = Progress(places.progress("database"))
    columns = Columns(Layout(Capacity.of(config.capacity)))
    inputs = Inputs(places, columns)
    known = last_known(places, columns, config)
    board = Board(known, inputs.plan_times(known))
    board.clock.steps = int(columns.value(System.DatabaseClockSteps))
    board.findings.resume(columns)
    DiskWatch(places.spool, places.certificates, board.findings).start()
    guard = Guard(Installation(places.installation), Copy(places.registers))
    source = source_of(config, places)
    changes = Changes(places)
    changes.configuration(config)
    workers: list[Worker] = [
        Examiner("examination", source, guard),
        Discovery(board, source, guard, config, places.equipment, changes),
        PlanReader(board, source, guard, config.stations),
        FeedbackReader(board, source, guard, config.stations),
        Uploader(board, source, guard, places, SpoolWatch(places, changes)),
        Housekeeper(source, guard, config.retention, changes),
        Anchorer(source, guard, places, config.audit.keep, board.findings, changes),
    ]
    if config.audit.anchors is not None:
        AnchorCopies(places, config.audit.anchors).start()
    health = HealthTeller(progress, workers, board)
    for worker in workers:
        worker.start()
    try:
        while not ending.asked:
            inputs.publish(board)
            health.tell()
            progress.beat()
            board.wait(CYCLE_S)
            _require_all(workers)
    finally:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.join(END_S / len(workers))
        changes.close()


def _require_all(workers: Sequence[Worker]) -> None:
    """A thread that died of an error takes the process along: the supervisor starts it anew."""
    dead = [worker.name for worker in workers if not worker.is_alive()]
    if dead:
        raise RuntimeError(f"the thread {dead[0]} ended with an error")


def source_of(config: Config, places: Places) -> Source:
    """Where to connect: the configured DSN, or the embedded server's, which its start decides."""
    database = config.database
    if isinstance(database, str):
        return lambda: EmbeddedServer(places.postgres).dsn(ROLE)
    return database.get_secret_value


def last_known(places: Places, columns: Columns, config: Config) -> Equipment:
    """The equipment of the last run, as far as it fits into the image of this one.

    Its program may have known fewer parameters: the others are as if they were not given.
    """
    try:
        known = equipment.load(places.equipment)
    except EquipmentError as error:
        logger.error("equipment not known until the database answers", reason=str(error))
        # A version that was never used makes the servers read the list that is to come.
        known = Equipment(version=int(columns.value(System.PlantVersion)))
    capacity = columns.layout.capacity
    stations = tuple(
        replace(station, parameters=completed_station(station.parameters, config))
        for station in known.stations
        if station.slot < capacity.stations
    )
    ours = {station.station_id: station.parameters for station in stations}
    pumps = tuple(
        replace(pump, parameters=completed_pump(pump.parameters, ours[pump.station_id], config))
        if pump.parameters
        else pump
        for pump in known.pumps
        if pump.station_id in ours and pump.slot < capacity.pumps
    )
    return Equipment(known.version, stations, pumps, known.problems)


class Uploader(Worker):
    """Brings the spools to PostgreSQL."""

    limit_s = 30.0
    pause_s = 0.2  # between looks at spools that were empty

    def __init__(
        self, board: Board, source: Source, guard: Guard, places: Places, spools: SpoolWatch
    ) -> None:
        super().__init__("uploads", source, guard)
        self._spools = spools
        self._board = board
        self._places = places

    def work(self, connection: Connection[Any]) -> None:
        self._spools.look()
        findings = self._board.findings
        try:
            with self.limited():
                done = uploads.drain(connection, self._places, self._board.equipment)
        except errors.DiskFull:
            findings.full = True
            raise
        findings.stored = time.monotonic()
        if done.refused:
            findings.refused += done.refused
            findings.refused_at = time.monotonic()
        if done.records:
            findings.full = False
        else:
            self.pause(self.pause_s)
