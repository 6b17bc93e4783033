"""A state directory works with one database only."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from runtime.database.installation import ForeignDatabaseError, Installation
from tests.conftest import Database


def require(path: Path, database: Database) -> None:
    with psycopg.connect(database.runtime) as connection:
        Installation(path).require(connection)


def another_installation(database: Database) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute("UPDATE installation SET installation_id = gen_random_uuid()")


def test_the_first_database_is_the_one_that_is_kept(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "installation"
    require(path, database)
    require(path, database)
    another_installation(database)
    with pytest.raises(ForeignDatabaseError, match="set CALEJO_STATE to another directory"):
        require(path, database)


def test_an_operator_may_bind_the_state_to_another_database(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "installation"
    require(path, database)
    another_installation(database)
    path.unlink()
    require(path, database)
    require(path, database)


def test_a_file_cut_short_by_a_power_cut_is_no_other_database(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "installation"
    path.touch()
    require(path, database)
    assert path.read_text().strip()
