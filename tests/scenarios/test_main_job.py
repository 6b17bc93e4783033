"""The main job, end to end: a plan becomes a setpoint, the plant follows, operators stop it.

One demonstration runs for all tests but the last ones; the sample optimiser is held, so that the
tests alone write plans.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psycopg
import pytest

from runtime.database.embedded import EmbeddedServer
from tests.calejo import Calejo
from tests.processes import until
from tests.scenarios.control_room import HAS_MBPOLL, Http, OpcUa, Scada

STATION, PUMP = "KW-NORD", "1"  # controlled by speed; an emergency stop stops it
RUNNING = {"scan", "recorder", "postgres", "database", "modbus", "opcua", "rest"}


@pytest.fixture(scope="module")
def calejo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calejo]:
    calejo = Calejo(tmp_path_factory.mktemp("main-job") / "state")
    calejo.start("demo")
    try:
        calejo.wait_until_ready()
        os.kill(calejo.process_of("tools.simulate.optimiser"), signal.SIGSTOP)
        allow_many_starts(calejo)
        yield calejo
    finally:
        calejo.clean_up()


@pytest.fixture(scope="module")
def scada(calejo: Calejo) -> Scada:
    return Scada(calejo)


@pytest.fixture(scope="module")
def http(calejo: Calejo) -> Http:
    return Http(calejo)


@pytest.fixture(scope="module")
def opcua(calejo: Calejo) -> OpcUa:
    return OpcUa(calejo)


def connect(calejo: Calejo, role: str) -> psycopg.Connection[tuple[object, ...]]:
    dsn = EmbeddedServer(calejo.places.postgres).dsn(role)
    return psycopg.connect(dsn, autocommit=True)


def allow_many_starts(calejo: Calejo) -> None:
    """Let the pump start again seconds after a stop, and often."""
    with connect(calejo, "calejo_owner") as connection:
        connection.execute(
            "UPDATE pump_safety_limits SET max_starts_per_hour = 20, min_run_s = 0, min_off_s = 2"
            " WHERE pump_id = %s",
            [PUMP],
        )


def plan(calejo: Calejo, hz: float) -> None:
    """Have the pump run at a speed for the next hour, in place of what was planned."""
    with connect(calejo, "optimiser") as connection, connection.transaction():
        connection.execute(
            "UPDATE pump_plans SET status = 'superseded' WHERE pump_id = %s AND status = 'active'",
            [PUMP],
        )
        connection.execute(
            "INSERT INTO pump_plans"
            " (pump_id, interval_start, interval_end, target_speed_hz, plan_version)"
            " SELECT %s, now(), now() + interval '1 hour', %s, max(plan_version) + 1"
            " FROM pump_plans",
            [PUMP, hz],
        )


def settled(scada: Scada, hz: float) -> bool:
    return scada.read(STATION, PUMP, "Setpoint") == hz


def test_a_plan_row_becomes_a_setpoint_that_the_plant_follows_and_reports(
    calejo: Calejo, scada: Scada
) -> None:
    plan(calejo, 38.0)
    until(lambda: scada.read(STATION, PUMP, "TargetSpeed") == 38.0)
    until(lambda: settled(scada, 38.0))
    assert scada.read(STATION, PUMP, "Authority") == 1.0
    until(lambda: abs(scada.read(STATION, PUMP, "Speed") - 38.0) < 0.5)
    with connect(calejo, "control_reader") as reader:
        (row,) = reader.execute(
            "SELECT actual_speed_hz, running FROM pump_feedback"
            " WHERE pump_id = %s ORDER BY measured_at DESC LIMIT 1",
            [PUMP],
        )
    assert row == (pytest.approx(38.0, abs=0.5), True)


@pytest.mark.skipif(not HAS_MBPOLL, reason="mbpoll is not installed here")
def test_a_foreign_modbus_client_reads_the_setpoint(calejo: Calejo, scada: Scada) -> None:
    plan(calejo, 37.0)
    until(lambda: settled(scada, 37.0))
    assert scada.mbpoll(STATION, PUMP, "Setpoint") == pytest.approx(37.0)


def test_all_protocols_show_the_same_setpoint(
    calejo: Calejo, scada: Scada, http: Http, opcua: OpcUa
) -> None:
    plan(calejo, 36.0)
    until(lambda: settled(scada, 36.0))
    shown = http.get(f"stations/{STATION}/pumps/{PUMP}")["tags"]["Setpoint"]
    assert shown == {"value": 36.0, "unit": "Hz", "quality": "Good"}
    assert opcua.read(f"{STATION}/{PUMP}/Setpoint") == 36.0


def test_a_plan_beyond_the_hard_limit_is_held_at_it(calejo: Calejo, scada: Scada) -> None:
    plan(calejo, 60.0)
    limit = scada.read(STATION, PUMP, "HighLimit")
    until(lambda: scada.read(STATION, PUMP, "TargetSpeed") == 60.0)
    until(lambda: settled(scada, limit))
    assert scada.read(STATION, PUMP, "Limited") != 0
    plan(calejo, 36.0)


def test_a_pump_is_stopped_over_modbus_and_released_over_rest(
    calejo: Calejo, scada: Scada, http: Http
) -> None:
    scada.press(STATION, PUMP, "EmergencyStop")
    assert scada.read(STATION, PUMP, "Setpoint") == 0.0
    assert scada.read(STATION, PUMP, "Stopped") == 1.0
    (stop,) = http.stops()
    until(lambda: scada.read(STATION, PUMP, "Speed") < 1.0)
    http.clear(stop)
    assert http.stops() == []
    assert 0 < until(lambda: scada.read(STATION, PUMP, "Setpoint")) < 36.0, "a jump"
    until(lambda: settled(scada, 36.0), patience=90)


def test_a_station_is_stopped_over_rest_and_released_over_opc_ua(
    calejo: Calejo, scada: Scada, http: Http, opcua: OpcUa
) -> None:
    http.stop(scope="station", station=STATION)
    assert scada.read(STATION, PUMP, "Setpoint") == 0.0
    assert scada.read(STATION, "", "EmergencyStop") == 1.0
    until(lambda: scada.read(STATION, PUMP, "Running") == 0.0, patience=60)
    opcua.call(STATION, "ClearEmergencyStop", "drill is over")
    assert scada.read(STATION, "", "EmergencyStop") == 0.0
    assert scada.read(STATION, PUMP, "Stopped") == 0.0


def test_the_system_is_stopped_over_opc_ua(
    calejo: Calejo, scada: Scada, http: Http, opcua: OpcUa
) -> None:
    _, scan, latency = opcua.call("System", "SetEmergencyStop", "drill")
    assert scan > 0
    assert latency > 0
    assert scada.read(STATION, PUMP, "Setpoint") == 0.0
    assert scada.read("", "", "EmergencyStop") == 1.0
    (stop,) = http.stops()
    http.clear(stop)


def test_the_trail_says_who_stopped_what_from_where_and_why(calejo: Calejo, http: Http) -> None:
    stop = http.stop(scope="pump", station=STATION, pump=int(PUMP))
    http.clear(stop)

    def trail() -> list[tuple[object, ...]] | None:
        with connect(calejo, "control_reader") as reader:
            rows = reader.execute(
                "SELECT event, scope, station_id, pump_id, actor, protocol, address, reason"
                " FROM emergency_stop_events WHERE emergency_stop_id = %s ORDER BY occurred_at",
                [stop],
            ).fetchall()
        return rows if len(rows) == 2 else None

    what = ("pump", STATION, int(PUMP), "operator", "rest", "127.0.0.1")
    assert until(trail) == [("set", *what, "drill"), ("cleared", *what, "drill is over")]


@pytest.mark.parametrize("name", ["scan", "database", "modbus", "recorder", "postgres"])
def test_a_stop_stays_latched_when_a_process_is_killed(
    calejo: Calejo, scada: Scada, http: Http, name: str
) -> None:
    stop = http.stop(scope="pump", station=STATION, pump=int(PUMP))
    before = calejo.health(name).pid
    os.kill(before, signal.SIGKILL)
    calejo.health(name, but=before)
    assert http.stops() == [stop]
    assert scada.read(STATION, PUMP, "Stopped") == 1.0
    assert scada.read(STATION, PUMP, "Setpoint") == 0.0
    http.clear(stop)


def test_a_killed_database_process_comes_back_with_the_plan(calejo: Calejo, scada: Scada) -> None:
    before = calejo.health("database").pid
    os.kill(before, signal.SIGKILL)
    calejo.health("database", but=before)
    plan(calejo, 41.0)
    until(lambda: scada.read(STATION, PUMP, "TargetSpeed") == 41.0)


def test_a_stop_survives_a_power_cut_and_a_start_without_the_database(
    calejo: Calejo, scada: Scada, http: Http
) -> None:
    stop = http.stop(scope="pump", station=STATION, pump=int(PUMP))
    calejo.kill_everything()
    calejo.start("run", CALEJO_POSTGRES_BIN="/nowhere")
    calejo.health("scan")
    calejo.health("rest")
    calejo.health("modbus")
    assert until(http.stops) == [stop]
    assert scada.read(STATION, PUMP, "Stopped") == 1.0
    assert scada.read(STATION, PUMP, "Setpoint") == 0.0


def test_a_stop_survives_an_orderly_restart_without_the_database_and_stops_still_work(
    calejo: Calejo, scada: Scada, http: Http
) -> None:
    before = http.stops()
    assert calejo.end() == 0
    assert calejo.processes() == []
    assert not calejo.places.shared.exists()
    calejo.start("run", CALEJO_POSTGRES_BIN="/nowhere")
    calejo.health("scan")
    calejo.health("rest")
    calejo.health("modbus")
    assert until(http.stops) == before
    second = http.stop(scope="station", station="PW-HAFEN")
    assert sorted(http.stops()) == sorted([*before, second])
    assert scada.read("PW-HAFEN", "", "EmergencyStop") == 1.0
    for stop in http.stops():
        http.clear(stop)
    assert http.stops() == []
