"""Events that were, as a client reads them from PostgreSQL: which of them, and with what fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from runtime.alarm import AlarmState
from runtime.database import audit_entries
from runtime.database.embedded import EmbeddedServer
from runtime.database.historian import Historian
from runtime.servers.opcua import event_history, history
from runtime.servers.opcua.references import node_id
from tests.conftest import Database, fresh
from tests.runtime.database.audit_logs import entry
from tests.servers.opcua.listening import CONDITIONS, SERVER, element, field, literal
from tests.servers.opcua.serving import Running, awaited

BEGAN = 1_790_000_000.0  # s since 1970
_S = AlarmState
PUMP, OTHER, STATION, SYSTEM = ("North", 11), ("South", 21), ("North", None), (None, None)
CHANGES = (  # s after BEGAN, the state's tag, where, from, to, the request that asked for it
    (0, "Pump.NotFollowingState", PUMP, _S.NORMAL, _S.UNACKNOWLEDGED, None),
    (10, "Pump.NotFollowingState", PUMP, _S.UNACKNOWLEDGED, _S.ACKNOWLEDGED, "77"),
    (20, "System.RecordsRefusedState", SYSTEM, _S.NORMAL, _S.UNACKNOWLEDGED, None),
    (20, "Pump.NotFollowingState", OTHER, _S.NORMAL, _S.UNACKNOWLEDGED, None),
    (30, "Pump.NotFollowingState", OTHER, _S.UNACKNOWLEDGED, _S.SHELVED, None),
    (40, "Station.FailsafeState", STATION, _S.NORMAL, _S.UNACKNOWLEDGED, None),
    (50, "Pump.NotFollowingState", PUMP, _S.ACKNOWLEDGED, _S.NORMAL, None),
    (60, "Pump.NotFollowingState", ("Gone", 99), _S.SHELVED, _S.OUT_OF_SERVICE, None),
)
SELECTED = (
    *("Time", "SourceNode", "SourceName", "ConditionName", "Severity", "EventId", "Retain"),
    *("ActiveState/Id", "AckedState/Id", "Comment", "ClientUserId", "EnabledState/Id"),
    *("SuppressedOrShelved", "ShelvingState/CurrentState"),
)
_Op = ua.FilterOperator
Found = dict[str, Any]


@pytest.fixture(scope="module")
def reader(server: Running, postgres: EmbeddedServer) -> Iterator[Client]:
    """A client of a server whose database holds CHANGES."""
    with fresh(postgres) as database:
        fill(database)
        historian = Historian(lambda: database.runtime)
        server.server.core.remember(historian, 600.0)
        with server.client() as client:
            yield client
        server.server.core.histories = None
        historian.close()


def fill(database: Database) -> None:
    """Store CHANGES in a database."""
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("SELECT create_partitions('events', '2026-09-20', '2026-09-24')")
        for number, (after, tag, (station, pump), old, new, request) in enumerate(CHANGES):
            owner.execute(
                "INSERT INTO events (source, sequence, occurred_at, scan, tag, station_id, pump_id,"
                " old_value, new_value, correlation_id)"
                " VALUES ('s', %s, to_timestamp(%s), 1, %s, %s, %s, %s, %s, %s)",
                [number, BEGAN + after, tag, station, pump, old, new, request],
            )
        owner.execute(
            "INSERT INTO events (source, sequence, occurred_at, scan, tag, station_id, pump_id,"
            " old_value, new_value)"
            " VALUES ('s', 100, to_timestamp(%s), 1, 'Pump.Mode', 'North', 11, 0, 1)",
            [BEGAN + 5],
        )
    with psycopg.connect(database.runtime, autocommit=True) as runtime:
        asked = entry(1, actor="ada", reason="on my way", correlation="77")
        audit_entries.append(runtime, "test", [asked])


def test_the_server_tells_all_alarms_in_their_order(reader: Client) -> None:
    found = events(read(reader, SERVER, 0, 100))
    assert [(event["Time"], event["SourceNode"]) for event in found] == [
        *((0, node_id("North/11")), (10, node_id("North/11")), (20, node_id("System"))),
        *((20, node_id("South/21")), (30, node_id("South/21")), (40, node_id("North"))),
        *((50, node_id("North/11")), (60, node_id("Gone/99"))),
    ]
    back = events(read(reader, SERVER, 100, 0))
    assert [event["EventId"] for event in back] == [
        event["EventId"] for event in reversed(found) if event["Time"] > 0
    ]
    assert events(read(reader, node_id("/"), 0, 100)) == found


@pytest.mark.parametrize(
    ("path", "times"),
    [
        ("North/11", [0, 10, 50]),
        ("North", [0, 10, 40, 50]),
        ("South", [20, 30]),
        ("South/21", [20, 30]),
        ("System", [20]),
    ],
)
def test_a_notifier_tells_what_is_heard_at_it(
    reader: Client, path: str, times: list[float]
) -> None:
    assert [event["Time"] for event in events(read(reader, node_id(path), 0, 100))] == times


def test_an_event_has_the_fields_of_the_condition_then(reader: Client) -> None:
    raised, acknowledged, ended = events(read(reader, node_id("North/11"), 0, 100))
    assert raised["ConditionName"] == "NotFollowing"
    assert raised["ConditionId"] == node_id("North/11/NotFollowing/Condition")
    assert (raised["ActiveState/Id"], raised["AckedState/Id"], raised["Retain"]) == (
        *(True, False, True),
    )
    assert (acknowledged["AckedState/Id"], acknowledged["ClientUserId"]) == (True, "ada")
    assert acknowledged["Comment"] == "on my way"
    assert (ended["ActiveState/Id"], ended["Retain"]) == (False, False)
    assert len({raised["EventId"], acknowledged["EventId"], ended["EventId"]}) == 3


def test_what_the_record_does_not_tell_is_null(reader: Client) -> None:
    _, shelved = events(read(reader, node_id("South/21"), 0, 100))
    assert (shelved["SuppressedOrShelved"], shelved["ActiveState/Id"]) == (True, True)
    assert shelved["ShelvingState/CurrentState"] is None
    disabled = events(read(reader, SERVER, 60, 100))[0]
    assert (disabled["EnabledState/Id"], disabled["ActiveState/Id"]) == (False, None)


def test_the_where_clause_decides_which_events_are_told(reader: Client) -> None:
    named = element(_Op.Like, field("ConditionName"), literal("Not%", ua.VariantType.String))
    found = events(read(reader, SERVER, 0, 100, where=[named]))
    assert {event["ConditionName"] for event in found} == {"NotFollowing"}
    assert len(found) == 6
    kind = ua.NodeId(ua.Int32(ObjectIds.SystemOffNormalAlarmType))
    typed = element(_Op.OfType, literal(kind, ua.VariantType.NodeId))
    assert [event["Time"] for event in events(read(reader, SERVER, 0, 100, where=[typed]))] == [20]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_reader_goes_on_behind_the_last_event_even_of_the_same_time(
    reader: Client, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(event_history, "MOST_EVENTS", most)
    for start, end in ((0, 100), (100, -1)):
        parts = list(read_on(reader, start, end))
        assert all(len(part) <= most for part in parts)
        whole = [event["EventId"] for part in parts for event in part]
        assert len(whole) == len(set(whole)) == len(CHANGES)


def test_a_search_that_finds_little_goes_on_in_parts(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_history, "MOST_LOOKED_AT", 2)
    severe = element(_Op.Equals, field("ConditionName"), literal("Failsafe", ua.VariantType.String))
    parts = list(read_on(reader, 0, 100, where=[severe]))
    assert [len(part) for part in parts] == [0, 0, 1, 0]


def test_no_more_events_are_told_than_were_asked_for(reader: Client) -> None:
    result = read(reader, SERVER, 0, None, most=3)
    assert [event["Time"] for event in events(result)] == [0, 10, 20]
    assert not result.ContinuationPoint
    latest = events(read(reader, SERVER, None, 100, most=2))
    assert [event["Time"] for event in latest] == [60, 50]


def test_what_makes_no_sense_is_refused(reader: Client) -> None:
    def status(result: Any) -> str:
        return str(result.StatusCode.name)

    assert status(read(reader, SERVER, 200, 300)) == "GoodNoData"
    assert status(read(reader, SERVER, 0, None)) == "BadInvalidArgument"
    assert status(read(reader, node_id("Nowhere"), 0, 1)) == "BadNodeIdUnknown"
    for path in ("North/11/Setpoint", "North/11/NotFollowing/Condition", "/PumpType"):
        refused = read(reader, node_id(path), 0, 1)
        assert status(refused) == "BadHistoryOperationUnsupported", path
    bad = element(_Op.Equals, field("Severity"))
    assert status(read(reader, SERVER, 0, 1, where=[bad])) == "BadEventFilterInvalid"
    for point in (b"made up", b"\0" * 21):
        gone = read(reader, SERVER, 0, 100, point=point)
        assert status(gone) == "BadContinuationPointInvalid"


def test_the_server_says_what_history_it_has(reader: Client) -> None:
    def value(name: str) -> Any:
        return reader.get_node(ua.NodeId(ua.Int32(getattr(ObjectIds, name)))).read_value()

    capability, limit = "HistoryServerCapabilities_", "Server_ServerCapabilities_OperationLimits_"
    assert value(f"{capability}AccessHistoryDataCapability") is True
    assert value(f"{capability}AccessHistoryEventsCapability") is True
    assert value(f"{capability}InsertEventCapability") is False
    assert value(f"{capability}MaxReturnDataValues") == history.MOST_VALUES
    assert value(f"{capability}MaxReturnEventValues") == event_history.MOST_EVENTS
    for kind in ("Data", "Events"):
        assert value(f"{limit}MaxNodesPerHistoryRead{kind}") == history.MOST_NODES
    folder = reader.get_node(
        ua.NodeId(ua.Int32(ObjectIds.HistoryServerCapabilities_AggregateFunctions))
    )
    names = {child.read_browse_name().Name for child in folder.get_children()}
    assert names == {"Average", "Minimum", "Maximum", "Count", "TimeAverage", "TimeAverage2"}


def test_notifiers_say_that_they_have_a_history(reader: Client) -> None:
    both = ua.EventNotifier.SubscribeToEvents.mask | ua.EventNotifier.HistoryRead.mask
    for at in (SERVER, node_id("/"), node_id("North"), node_id("North/11"), node_id("System")):
        shown = reader.get_node(at).read_attribute(AttributeIds.EventNotifier)
        assert shown.Value.Value == both, at
    assert (
        reader.get_node(node_id("/0")).read_attribute(AttributeIds.EventNotifier).Value.Value == 0
    )


def moment(after: float | None) -> Any:
    return datetime.fromtimestamp(BEGAN + after, UTC) if after is not None else ua.get_win_epoch()


def read(
    client: Client,
    at: ua.NodeId,
    start: float | None,
    end: float | None,
    most: int = 0,
    where: Sequence[ua.ContentFilterElement] = (),
    point: bytes | None = None,
) -> Any:
    wanted = ua.EventFilter()
    wanted.SelectClauses = [field(name) for name in SELECTED]
    wanted.SelectClauses.append(
        ua.SimpleAttributeOperand(
            TypeDefinitionId=ua.NodeId(ua.Int32(CONDITIONS)),
            AttributeId=ua.IntegerId(AttributeIds.NodeId),
        )
    )
    wanted.WhereClause = ua.ContentFilter(list(where))
    details = ua.ReadEventDetails(ua.Counter(most), moment(start), moment(end), wanted)
    params = ua.HistoryReadParameters(details, ReleaseContinuationPoints=False)
    params.TimestampsToReturn = ua.TimestampsToReturn.Neither  # events have times of their own
    params.NodesToRead = [ua.HistoryReadValueId(NodeId=at, ContinuationPoint=point)]
    return awaited(client, client.aio_obj.uaclient.history_read(params))[0]


def read_on(
    client: Client, start: float, end: float, where: Sequence[ua.ContentFilterElement] = ()
) -> Iterator[list[Found]]:
    """All answers, each continued from the one before."""
    point = None
    while True:
        result = read(client, SERVER, start, end, where=where, point=point)
        yield events(result)
        point = result.ContinuationPoint
        if not point:
            return


def events(result: Any) -> list[Found]:
    """Events by the names of their fields; times in s after BEGAN."""
    return [_event(given.EventFields) for given in result.HistoryData.Events]


def _event(fields: Sequence[ua.Variant]) -> Found:
    values = [given.Value for given in fields]
    plain = [value.Text if isinstance(value, ua.LocalizedText) else value for value in values]
    found: Found = dict(zip((*SELECTED, "ConditionId"), plain, strict=True))
    found["Time"] = round(found["Time"].replace(tzinfo=UTC).timestamp() - BEGAN, 3)
    return found
