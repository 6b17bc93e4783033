"""A database process in pieces: the workers that a test starts, its inputs, spools to upload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

import config
from config import Config
from runtime.database.board import Board
from runtime.database.changes import Changes
from runtime.database.connection import Guard, Worker
from runtime.database.discovery import Discovery
from runtime.database.feedback import FeedbackReader
from runtime.database.inputs import Inputs
from runtime.database.plans import PlanReader
from runtime.equipment import Equipment, load
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places
from runtime.tag import Tag
from tests.conftest import Database
from tests.processes import until
from tests.runtime.database.spools import Make, Row, Spool

Connection = psycopg.Connection[tuple[object, ...]]
SCAN_YAML = Path(__file__).parents[3] / "scan.yaml"


@pytest.fixture
def configuration() -> Config:
    return config.load(SCAN_YAML, {})


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        yield connection


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "state")
    places.shared = tmp_path / "shared"
    places.inputs = places.shared / "inputs"
    places.prepare()
    return places


@pytest.fixture
def spool(places: Places) -> Iterator[Make]:
    """Spools by name, filled by hand."""
    made: list[Spool] = []

    def make(name: str) -> Spool:
        made.append(Spool(places, name))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Row]]:
    """The runtime's, whose rows go by the names of their columns."""
    with psycopg.connect(
        database.runtime, autocommit=True, row_factory=psycopg.rows.dict_row
    ) as connection:
        yield connection


_CLOCK = """
CREATE SCHEMA clock;
GRANT USAGE ON SCHEMA clock TO PUBLIC;
CREATE TABLE clock.set (by interval);
INSERT INTO clock.set VALUES ('0');
GRANT SELECT ON clock.set TO PUBLIC;
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT pg_catalog.now() + by FROM clock.set';
CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.clock_timestamp() + by FROM clock.set';
"""


class SettableClock:
    """A database whose clock, as the runtime sees it through `dsn`, can be set."""

    def __init__(self, database: Database) -> None:
        self._superuser = database.dsn("postgres")
        self.dsn = f"{database.runtime} options='-c search_path=clock,pg_catalog,public'"
        with psycopg.connect(self._superuser) as connection:
            connection.execute(_CLOCK)

    def set_by(self, change: timedelta) -> None:
        with psycopg.connect(self._superuser) as connection:
            connection.execute("UPDATE clock.set SET by = by + %s", [change])


@pytest.fixture
def clock(database: Database) -> SettableClock:
    return SettableClock(database)


class Pieces:
    """The readers of a database process, and what they bring into the inputs."""

    def __init__(self, configuration: Config, places: Places, source: Callable[[], str]) -> None:
        capacity = Capacity.of(configuration.capacity)
        self.columns = Columns(Layout(capacity))
        self.places = places
        self.inputs = Inputs(places, self.columns)
        known = load(places.equipment)
        self.board = Board(known, self.inputs.plan_times(known))
        guard = Guard()
        self._changes = Changes(places)
        self.discovery = Discovery(
            self.board, source, guard, configuration, places.equipment, self._changes
        )
        self.plans = PlanReader(self.board, source, guard, configuration.stations)
        self.feedback = FeedbackReader(self.board, source, guard, configuration.stations)
        self.started: list[Worker] = []

    def start(self, *workers: Worker) -> None:
        """Start workers, all three if none are named."""
        for worker in workers or (self.discovery, self.plans, self.feedback):
            worker.start()
            self.started.append(worker)

    def stop(self) -> None:
        for worker in self.started:
            worker.stop()
        for worker in self.started:
            worker.join()
        self._changes.close()

    @property
    def equipment(self) -> Equipment:
        return self.board.equipment

    def value(self, tag: Tag, slot: int = 0) -> float:
        """What is published now."""
        self.inputs.publish(self.board)
        return self.columns.value(tag, slot)

    def wait_for(self, tag: Tag, value: float, slot: int = 0) -> None:
        until(lambda: bool(np.isclose(self.value(tag, slot), value)), what=f"for {tag!r} = {value}")


@pytest.fixture
def pieces(configuration: Config, places: Places, database: Database) -> Iterator[Pieces]:
    pieces = Pieces(configuration, places, lambda: database.runtime)
    yield pieces
    pieces.stop()
    assert [(worker.status, worker.losses) for worker in pieces.started if worker.losses] == []
