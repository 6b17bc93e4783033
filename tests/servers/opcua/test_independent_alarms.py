"""Alarms and history as a client sees them that has nothing in common with the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from runtime.database.embedded import EmbeddedServer
from runtime.database.historian import Historian
from runtime.servers.opcua import event_history, history
from runtime.tags import System
from tests.conftest import fresh
from tests.processes import until
from tests.servers.modbus.station import Plant
from tests.servers.opcua.attacking import PASSWORD
from tests.servers.opcua.node_opcua import NodeClient
from tests.servers.opcua.serving import Running
from tests.servers.opcua.test_event_history import BEGAN, CHANGES, fill

CONDITION = "System/RecordsRefused/Condition"
DISABLE, ENABLE, REFRESH, TIMED, ONE_SHOT, UNSHELVE = 9028, 9027, 3875, 2949, 2948, 2947
CONDITION_TYPE = 2782
SPEEDS = (30.0, 40.0, 50.0, 45.0)  # of North/11, each 10 s after the one before


@pytest.fixture
def engineer(node: NodeClient, guarded: Running) -> Iterator[NodeClient]:
    with node.signed_in(guarded.url, "engineer-1", PASSWORD) as client:
        yield client


@pytest.fixture(scope="module")
def remembering(server: Running, postgres: EmbeddedServer) -> Iterator[Running]:
    """A server whose database holds CHANGES and SPEEDS."""
    with fresh(postgres) as database:
        fill(database)
        with psycopg.connect(database.owner, autocommit=True) as owner:
            owner.execute("SELECT create_partitions('history', '2026-09-20', '2026-09-24')")
            owner.execute("INSERT INTO history_series (tag, slot) VALUES ('Pump.Setpoint', 0)")
            for number, speed in enumerate(SPEEDS):
                owner.execute(
                    "INSERT INTO history SELECT to_timestamp(%s), 1, %s, series_id, 2"
                    " FROM history_series",
                    [BEGAN + 10 * number, speed],
                )
        historian = Historian(lambda: database.runtime)
        server.server.core.remember(historian, 600.0)
        yield server
        server.server.core.histories = None
        historian.close()


@pytest.fixture
def reader(node: NodeClient, remembering: Running) -> Iterator[NodeClient]:
    with node.signed_in(remembering.url) as client:
        yield client


def heard(client: NodeClient, **fields: object) -> dict[str, Any]:
    """The next event of the condition that has these fields; others are passed over."""
    while True:
        told = client.told()
        if told["ConditionName"] == "RecordsRefused" and fields.items() <= told.items():
            return told


def test_it_answers_an_alarm(engineer: NodeClient, plant: Plant) -> None:
    def invoke(method: int, *inputs: list[object], on: str | int = CONDITION) -> str:
        answer = engineer.do("invoke", object=on, method=method, inputs=list(inputs))
        return str(answer["status"])

    def answer(how: str, comment: str) -> str:
        asked = {"how": how, "eventId": told["EventId"], "comment": comment}
        return str(engineer.do("answer", path=CONDITION, **asked))

    subscription = engineer.do("listen")
    plant[System.RecordsRefused][0] = True
    try:
        told = heard(engineer, **{"ActiveState.Id": True, "AckedState.Id": False})
        assert (told["SourceNode"], told["Retain"]) == ("System", True)
        assert answer("addComment", "van is on its way") == "Good"
        told = heard(engineer, Comment="van is on its way")
        assert answer("confirm", "") == "BadConditionBranchAlreadyConfirmed"
        assert answer("acknowledge", "seen") == "Good"
        told = heard(engineer, **{"AckedState.Id": True, "ClientUserId": "engineer-1"})
        assert told["Comment"] == "seen"
        assert invoke(TIMED, ["Double", 600e3]) == "Good"
        heard(engineer, **{"ShelvingState.CurrentState": "Timed Shelved"})
        assert invoke(ONE_SHOT) == "Good"
        heard(engineer, **{"ShelvingState.CurrentState": "One Shot Shelved"})
        assert invoke(UNSHELVE) == "Good"
        heard(engineer, **{"ShelvingState.CurrentState": "Unshelved", "ActiveState.Id": True})
        assert invoke(DISABLE) == "Good"
        heard(engineer, **{"EnabledState.Id": False, "Retain": False})
        assert invoke(ENABLE) == "Good"
        latest = heard(engineer, **{"EnabledState.Id": True, "AckedState.Id": False})
        refreshed = invoke(REFRESH, ["UInt32", subscription], on=CONDITION_TYPE)
        assert refreshed == "Good"
        assert heard(engineer, Retain=True)["ActiveState.Id"] is latest["ActiveState.Id"]
    finally:
        plant[System.RecordsRefused][0] = False
        until(lambda: not plant[System.tag("RecordsRefusedSince")][0])


def test_it_reads_values_in_parts(reader: NodeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_VALUES", 3)
    span = {"start": BEGAN, "end": BEGAN + 100}
    assert reader.do("raw", path="North/11/Setpoint", **span) == [[30, 40, 50], [45]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Average", [35, 47.5]),
        ("Minimum", [30, 45]),
        ("Maximum", [40, 50]),
        ("Count", [2, 2]),
        ("TimeAverage", [35, 47.5]),
    ],
)
def test_it_reads_aggregates(reader: NodeClient, name: str, expected: list[float]) -> None:
    span = {"start": BEGAN, "end": BEGAN + 40, "step": 20}
    assert reader.do("aggregate", path="North/11/Setpoint", name=name, **span) == expected


def test_it_reads_events_in_parts(reader: NodeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_history, "MOST_EVENTS", 3)
    span = {"start": BEGAN, "end": BEGAN + 100}
    parts = reader.do("events", path="", **span)
    assert [len(part) for part in parts] == [3, 3, 2]
    assert len({event["EventId"] for part in parts for event in part}) == len(CHANGES)
    ((first, acknowledged, _),) = reader.do("events", path="North/11", **span)
    assert (first["SourceNode"], first["ActiveState.Id"]) == ("North/11", True)
    assert (acknowledged["ClientUserId"], acknowledged["Comment"]) == ("ada", "on my way")
