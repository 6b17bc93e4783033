"""Emergency stops by method: asked of the scan, answered by it, only for the operator."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import orjson
import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.attribute_ids import AttributeIds

from runtime.alarm import AlarmState
from runtime.requests import Role, Source
from runtime.tags import Pump, Station, System
from tests.servers.modbus.station import Plant
from tests.servers.opcua.calling import called, clear, stop, text
from tests.servers.opcua.serving import Running, node, number, read, refused

SCOPES = {"System": System, "South": Station, "North/13": Pump}


@pytest.mark.parametrize("path", SCOPES)
def test_a_stop_is_in_force_when_the_call_returns_until_it_is_cleared(
    operator: Client, plant: Plant, path: str
) -> None:
    request, scan, latency = stop(operator, path, "smoke")
    tag = f"{path}/EmergencyStop"
    assert number(read(operator, tag)) is True
    assert number(read(operator, f"{tag}Id")) == request
    assert 0 < latency < 2
    assert scan <= (number(read(operator, "System/Scan")) or 0)
    ask = plant.asked[-1]
    assert (ask.id, ask.value, ask.role, ask.source) == (request, 1.0, Role.OPERATOR, Source.OPCUA)
    cleared, later, _ = clear(operator, path, "smoke is gone")
    assert cleared != request
    assert later > scan
    assert plant.asked[-1].reference == request
    assert number(read(operator, tag)) is False
    assert number(read(operator, f"{tag}Id")) == 0


def test_who_asked_and_why_is_spooled_first(operator: Client, server: Running) -> None:
    request, *_ = stop(operator, "North/11", "  välj  ")
    try:
        records = [found for found in spooled(server) if found["id"] == request]
        assert len(records) == 1
        assert records[0]["tag"] == "Pump.EmergencyStop"
        assert (records[0]["who"], records[0]["why"]) == ("operator", "välj")
        assert (records[0]["source"], records[0]["role"]) == ("OPCUA", "OPERATOR")
        assert str(records[0]["where"]).startswith("127.0.0.1:")
        assert records[0]["trace"] not in [r["trace"] for r in spooled(server) if r != records[0]]
    finally:
        clear(operator, "North/11", "test")


def spooled(server: Running) -> list[dict[str, object]]:
    """What lies in the spool of the server."""
    with closing(sqlite3.connect(server.spool)) as database:
        rows = database.execute("select body from record where kind = 'request'").fetchall()
    return [orjson.loads(body) for (body,) in rows]


@pytest.mark.parametrize("reason", ["", "   ", None])
def test_a_stop_needs_no_reason_but_clearing_does(
    operator: Client, plant: Plant, reason: str | None
) -> None:
    assert called(
        operator, "North/11", "North/11/SetEmergencyStop", text(reason)
    ).StatusCode.is_good()
    result = called(operator, "North/11", "North/11/ClearEmergencyStop", text(reason))
    assert result.StatusCode.name == "BadInvalidArgument"
    assert [code.name for code in result.InputArgumentResults] == ["BadOutOfRange"]
    assert number(read(operator, "North/11/EmergencyStop")) is True
    clear(operator, "North/11", "test")


def test_clearing_where_no_stop_is_in_force_is_refused(operator: Client, plant: Plant) -> None:
    stop(operator, "North", "the station, not the pump")
    with refused("BadInvalidState"):
        clear(operator, "North/11", "nothing to clear")
    clear(operator, "North", "test")


def test_a_pump_that_is_retired_can_not_be_stopped(operator: Client, plant: Plant) -> None:
    with refused("BadOutOfService"):
        stop(operator, "North/12", "retired")


@pytest.mark.parametrize("path", SCOPES)
def test_anonymous_may_not_call(anonymous: Client, plant: Plant, path: str) -> None:
    asked = len(plant.asked)
    with refused("BadUserAccessDenied"):
        stop(anonymous, path, "nobody")
    with refused("BadUserAccessDenied"):
        clear(anonymous, path, "nobody")
    assert len(plant.asked) == asked
    assert number(read(anonymous, f"{path}/EmergencyStop")) is False


@pytest.mark.parametrize(
    ("inputs", "name", "arguments"),
    [
        ([], "BadArgumentsMissing", []),
        ([text("a"), text("b")], "BadTooManyArguments", []),
        ([ua.Variant(1, ua.VariantType.Int32)], "BadInvalidArgument", ["BadTypeMismatch"]),
        ([ua.Variant(["a"], ua.VariantType.String)], "BadInvalidArgument", ["BadTypeMismatch"]),
        ([ua.Variant(None)], "BadInvalidArgument", ["BadTypeMismatch"]),
        ([text("a" * 1001)], "BadInvalidArgument", ["BadOutOfRange"]),
        ([text("zero \0 byte")], "BadInvalidArgument", ["BadOutOfRange"]),
        ([text("no UTF-8: \udcff")], "BadInvalidArgument", ["BadOutOfRange"]),
    ],
)
def test_arguments_are_checked(
    operator: Client, plant: Plant, inputs: list[ua.Variant], name: str, arguments: list[str]
) -> None:
    result = called(operator, "North/11", "North/11/SetEmergencyStop", *inputs)
    assert result.StatusCode.name == name
    assert [code.name for code in result.InputArgumentResults] == arguments
    assert number(read(operator, "North/11/EmergencyStop")) is False


@pytest.mark.parametrize(
    ("place", "method", "name"),
    [
        ("North/11", "North/13/SetEmergencyStop", "BadMethodInvalid"),
        ("North/11", "North/11/EmergencyStop", "BadMethodInvalid"),
        ("North/11", "/StationType/SetEmergencyStop", "BadMethodInvalid"),
        ("/PumpType", "/PumpType/SetEmergencyStop", "BadMethodInvalid"),
        ("North/11/Setpoint", "North/11/SetEmergencyStop", "BadMethodInvalid"),
        ("North/11", "North/11/Restart", "BadNodeIdUnknown"),
        ("North/99", "North/99/SetEmergencyStop", "BadNodeIdUnknown"),
    ],
)
def test_a_method_belongs_to_its_object(
    operator: Client, plant: Plant, place: str, method: str, name: str
) -> None:
    assert called(operator, place, method, text("?")).StatusCode.name == name


def test_a_method_says_what_it_takes_and_returns(anonymous: Client) -> None:
    inputs = node(anonymous, "North/11/SetEmergencyStop/InputArguments").read_value()
    outputs = node(anonymous, "North/11/SetEmergencyStop/OutputArguments").read_value()
    assert [argument.Name for argument in inputs] == ["Reason"]
    assert [argument.Name for argument in outputs] == ["RequestId", "Scan", "Latency"]


def test_a_method_may_be_named_as_the_one_of_the_type(operator: Client, plant: Plant) -> None:
    result = called(operator, "North/11", "/PumpType/SetEmergencyStop", text("by type"))
    assert result.StatusCode.is_good()
    clear(operator, "North/11", "test")


def number_of(value: float, kind: ua.VariantType) -> ua.Variant:
    return ua.Variant(value, kind)


def test_the_mode_is_changed_with_a_reason(operator: Client, plant: Plant, server: Running) -> None:
    manual, auto = (number_of(mode, ua.VariantType.Byte) for mode in (1, 0))
    result = called(operator, "North/11", "North/11/SetMode", manual, text("valve is stuck"))
    assert [code.name for code in result.InputArgumentResults] == ["Good", "Good"]
    assert result.StatusCode.is_good()
    assert number(read(operator, "North/11/Mode")) == 1
    record = next(r for r in spooled(server) if r["id"] == result.OutputArguments[0].Value)
    assert (record["tag"], record["who"], record["why"]) == (
        "Pump.Mode",
        "operator",
        "valve is stuck",
    )
    speed = number_of(42.5, ua.VariantType.Double)
    set_speed = called(operator, "North/11", "North/11/SetManualSetpoint", speed, text(None))
    assert set_speed.StatusCode.is_good()
    assert number(read(operator, "North/11/ManualSetpoint")) == 42.5
    assert called(operator, "North/11", "North/11/SetMode", auto, text(None)).StatusCode.is_good()


@pytest.mark.parametrize(
    ("method", "inputs", "name", "arguments"),
    [
        ("SetMode", [(1, "Byte")], "BadArgumentsMissing", []),
        (
            "SetMode",
            [(2, "Byte"), ("", "String")],
            "BadInvalidArgument",
            ["BadOutOfRange", "Good"],
        ),
        (
            "SetMode",
            [(1, "Int32"), ("\0", "String")],
            "BadInvalidArgument",
            ["BadTypeMismatch", "BadOutOfRange"],
        ),
        (
            "SetManualSetpoint",
            [(float("nan"), "Double"), ("", "String")],
            "BadInvalidArgument",
            ["BadOutOfRange", "Good"],
        ),
        ("SetManualSetpoint", [(19.0, "Double"), ("", "String")], "BadOutOfRange", []),
        (
            "Acknowledge",
            [("Setpoint", "String"), ("", "String")],
            "BadInvalidArgument",
            ["BadOutOfRange", "Good"],
        ),
        ("Acknowledge", [("NoFlow", "String"), ("", "String")], "BadInvalidState", []),
    ],
)
def test_each_argument_is_answered_for(
    operator: Client,
    plant: Plant,
    method: str,
    inputs: list[tuple[object, str]],
    name: str,
    arguments: list[str],
) -> None:
    given = [ua.Variant(value, ua.VariantType[kind]) for value, kind in inputs]
    result = called(operator, "North/11", f"North/11/{method}", *given)
    assert result.StatusCode.name == name
    if name == "BadInvalidArgument":
        assert [code.name for code in result.InputArgumentResults] == arguments


def test_an_alarm_is_acknowledged_by_its_name(operator: Client, plant: Plant) -> None:
    stop(operator, "North/11", "to have an alarm")
    assert number(read(operator, "North/11/EmergencyStopState")) == AlarmState.UNACKNOWLEDGED
    result = called(
        operator, "North/11", "North/11/Acknowledge", text("EmergencyStop"), text("I see")
    )
    assert result.StatusCode.is_good()
    assert number(read(operator, "North/11/EmergencyStopState")) == AlarmState.ACKNOWLEDGED
    clear(operator, "North/11", "test")


def test_statistics_are_reset(operator: Client, plant: Plant) -> None:
    assert called(operator, "System", "System/ResetStatistics", text("")).StatusCode.is_good()


def test_nothing_is_executable_on_what_is_retired(operator: Client, plant: Plant) -> None:
    for path, executable in (("North/11", True), ("North/12", False)):
        found = node(operator, f"{path}/SetEmergencyStop")
        for attribute in (AttributeIds.Executable, AttributeIds.UserExecutable):
            value = found.read_attribute(attribute).Value
            assert value is not None
            assert value.Value is executable
