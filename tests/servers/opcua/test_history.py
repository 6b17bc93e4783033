"""History as a client reads it, from PostgreSQL and while that is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.database.embedded import EmbeddedServer
from runtime.database.historian import Historian
from runtime.database.postmaster import ServerError
from tests.conftest import Database, fresh
from tests.servers.opcua.serving import Running, awaited, node, refused

BEGAN = 1_790_000_000.0  # s since 1970
SILENCE = 600.0
STORED = (  # s after BEGAN, value, quality: of North/11
    *((-100.0, 20.0, 2), (0.0, 30.0, 2), (10.0, 40.0, 2), (20.0, 50.0, 2), (30.0, 45.0, 2)),
    *((60.0, 10.0, 1), (70.0, 0.0, 0), (100.0, 35.0, 2)),
)


@pytest.fixture(scope="module")
def kept(postgres: EmbeddedServer) -> Iterator[Database]:
    """A database that holds STORED."""
    with fresh(postgres) as database, psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("SELECT create_partitions('history', '2026-09-20', '2026-09-24')")
        owner.execute(
            "INSERT INTO history_series (tag, slot, station_id, pump_id)"
            " VALUES ('Pump.Setpoint', 0, 'North', 11)"
        )
        for after, value, quality in STORED:
            owner.execute(
                "INSERT INTO history SELECT to_timestamp(%s), 1, %s, series_id, %s"
                " FROM history_series",
                [BEGAN + after, value, quality],
            )
        yield database


@pytest.fixture
def reader(server: Running, kept: Database) -> Iterator[Client]:
    historian = Historian(lambda: kept.runtime)
    server.server.core.remember(historian, SILENCE)
    with server.client() as client:
        yield client
    historian.close()
    server.server.core.histories = None


def test_values_are_read_between_times_and_from_the_end_backwards(reader: Client) -> None:
    assert values(raw(reader, 0, 30)) == [(0, 30.0), (10, 40.0), (20, 50.0)]
    assert values(raw(reader, 30, 0)) == [(30, 45.0), (20, 50.0), (10, 40.0)]
    assert values(raw(reader, 0, None, most=2)) == [(0, 30.0), (10, 40.0)]
    assert values(raw(reader, None, 20, most=2)) == [(20, 50.0), (10, 40.0)]
    assert raw(reader, 1000, 2000).StatusCode.name == "GoodNoData"


def test_bounds_tell_what_held_when_the_period_began(reader: Client) -> None:
    found = values(raw(reader, 5, 25, bounds=True))
    assert found == [(0, 30.0), (10, 40.0), (20, 50.0), (30, 45.0)]
    assert values(raw(reader, 0, 10, bounds=True)) == [(0, 30.0), (10, 40.0)]
    result = raw(reader, 5000, 6000, bounds=True)
    assert names(result) == ["Good", "BadBoundNotFound"]


def test_qualities_are_those_of_the_values(reader: Client) -> None:
    assert names(raw(reader, 60, 110)) == ["Uncertain", "Bad", "Good"]
    assert values(raw(reader, 60, 110)) == [(60, 10.0), (70, None), (100, 35.0)]


def test_a_reader_goes_on_where_an_answer_ended(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.servers.opcua.history.MOST_VALUES", 3)
    first = raw(reader, 0, 200)
    second = raw(reader, 0, 200, point=first.ContinuationPoint)
    third = raw(reader, 0, 200, point=second.ContinuationPoint)
    assert third.ContinuationPoint is None
    assert [at for part in (first, second, third) for at, _ in values(part)] == [
        *(0, 10, 20, 30, 60, 70, 100)
    ]
    made_up = raw(reader, 0, 200, point=b"made up")
    assert made_up.StatusCode.name == "BadContinuationPointInvalid"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("Average", [40.0, 45.0, None]),
        ("Minimum", [30.0, 45.0, None]),
        ("Maximum", [50.0, 45.0, None]),
        ("Count", [3, 1, 0]),
        ("TimeAverage", [40.0, 45.0, None]),
    ],
)
def test_aggregates_of_intervals(
    reader: Client, function: str, expected: list[float | None]
) -> None:
    result = processed(reader, function, 0, 90, 30)
    assert values(result) == [(place * 30, value) for place, value in enumerate(expected)]
    codes = [given.StatusCode.value for given in result.HistoryData.DataValues]
    assert codes[:2] == [0x401, 0x401]  # good, and calculated


def test_a_time_average_counts_what_held_when_the_interval_began(reader: Client) -> None:
    average = processed(reader, "TimeAverage", 5, 15, 0)
    assert values(average) == [(5, 35.0)]  # 30 for 5 s, then 40 for 5 s


def test_what_is_partly_bad_is_uncertain(reader: Client) -> None:
    result = processed(reader, "Average", 60, 120, 60)
    assert values(result) == [(60, 35.0)]
    code = result.HistoryData.DataValues[0].StatusCode.value
    assert code == StatusCodes.UncertainDataSubNormal | 0x401  # calculated


def test_what_has_no_history_or_makes_no_sense_is_refused(reader: Client) -> None:
    assert raw(reader, 0, 1, path="North/11/HardMaxSpeed").StatusCode.name == (
        "BadHistoryOperationUnsupported"
    )
    assert raw(reader, 0, 1, path="North/99/Setpoint").StatusCode.name == "BadNodeIdUnknown"
    assert raw(reader, 0, None).StatusCode.name == "BadInvalidArgument"
    odd = processed(reader, "StandardDeviationSample", 0, 1, 0)
    assert odd.StatusCode.name == "BadAggregateNotSupported"
    assert node(reader, "North/11/Setpoint").read_attribute(AttributeIds.Historizing).Value.Value


def test_while_the_database_is_away_the_answer_says_so(server: Running) -> None:
    def away() -> str:
        raise ServerError("no server")

    historian = Historian(away)
    server.server.core.remember(historian, SILENCE)
    with server.client() as client:
        assert raw(client, 0, 1).StatusCode.name == "BadNoCommunication"
    historian.close()
    server.server.core.histories = None
    with server.client() as client, refused("BadServiceUnsupported"):
        raw(client, 0, 1)


def moment(after: float | None) -> Any:
    return datetime.fromtimestamp(BEGAN + after, UTC) if after is not None else ua.get_win_epoch()


def raw(
    client: Client,
    start: float | None,
    end: float | None,
    most: int = 0,
    bounds: bool = False,
    point: bytes | None = None,
    path: str = "North/11/Setpoint",
) -> Any:
    details = ua.ReadRawModifiedDetails(False, moment(start), moment(end), most, bounds)
    return asked(client, details, path, point)


def processed(client: Client, function: str, start: float, end: float, step: float) -> Any:
    kind = ua.NodeId(ua.Int32(getattr(ObjectIds, f"AggregateFunction_{function}")))
    details = ua.ReadProcessedDetails(moment(start), moment(end), step * 1e3, [kind])
    return asked(client, details, "North/11/Setpoint", None)


def asked(client: Client, details: Any, path: str, point: bytes | None) -> Any:
    wanted = ua.HistoryReadValueId(NodeId=node(client, path).nodeid, ContinuationPoint=point)
    params = ua.HistoryReadParameters(details, ReleaseContinuationPoints=False)
    params.NodesToRead = [wanted]
    return awaited(client, client.aio_obj.uaclient.history_read(params))[0]


def values(result: Any) -> list[tuple[float, Any]]:
    """Seconds after BEGAN, and values."""
    return [
        (
            round(given.SourceTimestamp.replace(tzinfo=UTC).timestamp() - BEGAN, 3),
            given.Value.Value if given.Value is not None else None,
        )
        for given in result.HistoryData.DataValues
    ]


def names(result: Any) -> list[str]:
    return [given.StatusCode.name for given in result.HistoryData.DataValues]
