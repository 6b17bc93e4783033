"""The plant as a process: setpoints in over Modbus, feedback out to PostgreSQL, through outages."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from runtime.equipment import Equipment, PumpEntry, StationEntry
from tests.conftest import Database
from tests.processes import until
from tests.tools.slave import Slave
from tools.simulate import sample
from tools.simulate.sites import Connection

PUMPS = range(1, 4)  # of KW-NORD, the first sample station


def address(pump: int) -> tuple[int, int]:
    return 1, 100 * pump


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        sample.load(connection)
        connection.execute("UPDATE pump_stations SET active = station_id = 'KW-NORD'")
        yield connection


@pytest.fixture
def slave() -> Iterator[Slave]:
    slave = Slave()
    slave.values = {address(pump): 0.0 for pump in PUMPS}
    yield slave
    slave.end()


@pytest.fixture
def start(
    owner: Connection, database: Database, slave: Slave, tmp_path: Path
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts the plant."""
    station = StationEntry(0, "KW-NORD", "", "UTC", 1, 0, True, {})
    pumps = [PumpEntry(n - 1, n, "KW-NORD", "", *address(n), True, {}) for n in PUMPS]
    Equipment(1, (station,), tuple(pumps)).save(tmp_path / "equipment.json")
    started: list[subprocess.Popen[bytes]] = []
    environ = {"CALEJO_STATE": str(tmp_path), "CALEJO_PLANT_DSN": database.collector}
    command = [sys.executable, "-m", "tools.simulate.plant"]
    command += ["--modbus", f"127.0.0.1:{slave.port}", "--speed", "10"]

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, env=os.environ | environ, stderr=subprocess.PIPE)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def latest(connection: Connection, pump: int, column: str) -> float:
    row = connection.execute(
        f"SELECT {column} FROM pump_feedback_latest WHERE pump_id = {pump}"
    ).fetchone()
    return float(str(row[0])) if row and row[0] is not None else float("nan")


def samples(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM pump_feedback").fetchone()
    return int(str(row[0])) if row else 0


def test_pumps_follow_their_setpoints_and_say_so(
    owner: Connection, slave: Slave, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    slave.values[address(2)] = 45.0
    process = start()
    until(lambda: latest(owner, 2, "actual_speed_hz") > 44.9)
    assert latest(owner, 2, "flow_m3h") > 10.0
    assert latest(owner, 2, "power_kw") > 1.0
    assert latest(owner, 1, "actual_speed_hz") == 0.0
    one, other = (latest(owner, pump, "wet_well_level_m") for pump in (1, 2))
    assert one == pytest.approx(other, abs=0.02)
    slave.values[address(2)] = 0.0
    until(lambda: latest(owner, 2, "flow_m3h") == 0.0)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")


def test_setpoints_that_are_no_speeds_are_not_followed(
    owner: Connection, slave: Slave, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    slave.values |= {address(1): float("nan"), address(2): 1e6, address(3): 40.0}
    start()
    until(lambda: latest(owner, 3, "actual_speed_hz") > 39.9)
    assert latest(owner, 1, "actual_speed_hz") == 0.0
    assert latest(owner, 2, "actual_speed_hz") == 0.0


def test_feedback_goes_on_when_the_database_has_thrown_the_plant_out(
    owner: Connection,
    database: Database,
    slave: Slave,
    start: Callable[[], subprocess.Popen[bytes]],
) -> None:
    process = start()
    until(lambda: samples(owner) > 0)
    with psycopg.connect(database.dsn("postgres"), autocommit=True) as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'plant'"
        )
    before = samples(owner)
    until(lambda: samples(owner) > before + 3)
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert said.count(b"database lost") == 1
    assert said.count(b"database back") == 1


def test_drives_keep_their_speed_while_nobody_answers_and_obey_again(
    owner: Connection, slave: Slave, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    slave.values[address(1)] = 45.0
    process = start()
    until(lambda: latest(owner, 1, "actual_speed_hz") > 44.9)
    values, slave.values = slave.values, {}
    reads = slave.reads
    until(lambda: slave.reads > reads + 10)  # all answered with exceptions
    before = samples(owner)
    until(lambda: samples(owner) > before + 3)
    assert latest(owner, 1, "actual_speed_hz") > 44.9
    slave.values = values | {address(1): 40.0}
    until(lambda: latest(owner, 1, "actual_speed_hz") < 40.1)
    assert process.poll() is None


def test_a_plant_that_is_started_again_goes_on_from_its_last_feedback(
    owner: Connection, slave: Slave, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    owner.execute(
        "INSERT INTO pump_feedback (pump_id, measured_at, actual_speed_hz, wet_well_level_m)"
        " SELECT pump_id, now(), 44, 2.718 FROM pumps WHERE station_id = 'KW-NORD'"
    )
    slave.values = {address(pump): 44.0 for pump in PUMPS}
    before = samples(owner)
    start()
    until(lambda: samples(owner) > before)
    assert latest(owner, 1, "actual_speed_hz") == pytest.approx(44.0, abs=0.1)
    assert latest(owner, 1, "wet_well_level_m") == pytest.approx(2.7, abs=0.1)
