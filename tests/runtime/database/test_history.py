"""The history in PostgreSQL: each sample once, whatever dies in between, with its names."""

from __future__ import annotations

import base64
import random
import signal
import subprocess
import sys

import numpy as np
import psycopg
import pytest

from runtime import spoolfile
from runtime.database import uploads
from runtime.places import Places
from runtime.samples import Samples, encode
from runtime.spool import Journal, Kind
from tests.conftest import Database
from tests.runtime.database.spools import PLANT, Connection, Row, drain
from tests.runtime.database.test_uploads import DRAIN, ROOT

BEGAN = 1_790_000_000.0


def spool(places: Places, records: list[bytes]) -> None:
    journal = Journal(places.spool / "history.db")
    journal.extend((Kind.SAMPLE, record) for record in records).result(20.0)
    journal.close()


def record(number: int, **values: float) -> bytes:
    """A sample of pump North/11 for each tag, one second after the record before."""
    samples = [
        Samples(f"Pump.{tag}", np.array([4]), np.array([value]), np.array([2]))
        for tag, value in values.items()
    ]
    return encode(100 + number, BEGAN + number, samples)


def stored(connection: Connection) -> list[Row]:
    return connection.execute("SELECT * FROM tag_history ORDER BY occurred_at, tag").fetchall()


def test_a_sample_is_stored_with_its_names_time_quality_and_scan(
    places: Places, database: Database, connection: Connection
) -> None:
    level = Samples("Station.Level", np.array([1]), np.array([np.nan]), np.array([0]))
    unknown = Samples("Pump.Mode", np.array([99]), np.array([1.0]), np.array([2]))
    spool(places, [record(0, Setpoint=33.5), encode(7, BEGAN, [level]), encode(8, 5.0, [unknown])])
    assert drain(database, places) == 3
    mode, setpoint, of_station = stored(connection)
    assert (setpoint["tag"], setpoint["station_id"], setpoint["pump_id"]) == (
        "Pump.Setpoint",
        "North",
        11,
    )
    assert (setpoint["value"], setpoint["quality"], setpoint["scan"]) == (33.5, 2, 100)
    assert setpoint["occurred_at"].timestamp() == BEGAN
    assert (of_station["station_id"], of_station["pump_id"]) == ("North", None)
    assert (np.isnan(of_station["value"]), of_station["quality"]) == (True, 0)
    assert (mode["station_id"], mode["pump_id"], mode["occurred_at"].year) == (None, None, 1970)


def test_samples_that_come_again_are_stored_once(
    places: Places, database: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool(places, [record(k, Setpoint=k, Speed=k) for k in range(20)])
    with monkeypatch.context() as patch:
        patch.setattr(spoolfile.SpoolReader, "done", lambda *_: None)
        with psycopg.connect(database.runtime, autocommit=True) as own:
            for _ in range(3):
                assert uploads.drain(own, places, PLANT) == (20, 0)
    drain(database, places)
    assert len(stored(connection)) == 40


def test_an_uploader_killed_again_and_again_stores_each_sample_once(
    places: Places, database: Database, connection: Connection
) -> None:
    count = 4_000
    spool(places, [record(k, Setpoint=k, Power=-k) for k in range(count)])
    chance = random.Random(7)
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", DRAIN, database.runtime, str(places.root)], cwd=ROOT
        )
        try:
            process.wait(0.3 + chance.random() * 0.3)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
    drain(database, places)
    rows = connection.execute(
        "SELECT tag, array_agg(value ORDER BY occurred_at) AS values FROM tag_history"
        " GROUP BY tag ORDER BY tag"
    ).fetchall()
    assert [row["tag"] for row in rows] == ["Pump.Power", "Pump.Setpoint"]
    np.testing.assert_array_equal(rows[1]["values"], np.arange(count))
    np.testing.assert_array_equal(rows[0]["values"], -np.arange(count))


def test_bytes_that_are_no_samples_are_kept_aside_and_hold_up_no_other(
    places: Places, database: Database, connection: Connection
) -> None:
    spool(places, [record(0, Mode=1), b"\7" * 90, record(1, Mode=0)])
    assert drain(database, places) == 3
    assert [row["value"] for row in stored(connection)] == [1.0, 0.0]
    (entry,) = connection.execute("SELECT * FROM audit_log").fetchall()
    assert (entry["action"], entry["result"]) == ("upload record", "refused")
    assert base64.b64encode(b"\7" * 90).decode() in str(entry["details"])


def test_one_line_is_read_from_an_index_of_its_own(
    places: Places, database: Database, connection: Connection
) -> None:
    spool(places, [record(k, Setpoint=k) for k in range(5)])
    drain(database, places)
    connection.execute("SET enable_seqscan = off")
    plan = connection.execute(
        "EXPLAIN SELECT occurred_at, value, quality FROM tag_history"
        " WHERE pump_id = 11 AND tag = 'Pump.Setpoint'"
        " AND occurred_at >= to_timestamp(%s) AND occurred_at < to_timestamp(%s)",
        [BEGAN, BEGAN + 10],
    ).fetchall()
    text = " ".join(str(line) for row in plan for line in row.values())
    assert "series_id_occurred_at" in text
    assert "history_series_by_pump" in text
