"""Calls and writes that never reach the scan are recorded all the same."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.sync import Client

from tests.servers.opcua.calling import called, text
from tests.servers.opcua.serving import Running, awaited, node
from tests.servers.state import refusals

VALUE = 13  # the attribute


def test_a_refused_call_is_recorded_with_who_what_and_why(
    anonymous: Client, operator: Client, server: Running
) -> None:
    before = len(refusals(server.spool, 0))
    called(anonymous, "North/11", "North/11/SetEmergencyStop", text("smoke"))
    called(operator, "North/11", "North/11/ClearEmergencyStop", text(""))
    called(operator, "North/11", "North/11/Nothing", text("smoke"))
    found = refusals(server.spool, before + 3)[before:]
    assert [record["who"] for record in found] == ["anonymous", "operator", "operator"]
    assert [record["details"]["problem"] for record in found] == [
        "BadUserAccessDenied",
        "BadInvalidArgument",
        "BadNodeIdUnknown",
    ]
    assert found[0]["action"] == "call North/11/SetEmergencyStop"
    assert (found[0]["object"], found[0]["why"]) == ("North/11", "smoke")
    assert found[0]["where"].startswith("127.0.0.1:")
    assert len({record["correlation"] for record in found}) == 3


def test_a_request_goes_by_the_id_that_its_client_gave_it(
    operator: Client, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = operator.aio_obj.uaclient.protocol
    set_up = protocol._setup_request_header

    def named(header: ua.RequestHeader, timeout: float = 1) -> None:
        set_up(header, timeout)
        header.AuditEntryId = "shift-7"

    before = len(refusals(server.spool, 0))
    monkeypatch.setattr(protocol, "_setup_request_header", named)
    called(operator, "North/11", "North/11/Nothing", text("smoke"))
    called(operator, "North/11", "North/11/ClearEmergencyStop", text(""))
    found = refusals(server.spool, before + 2)[before:]
    assert [record["correlation"] for record in found] == ["shift-7", "shift-7"]


def test_a_refused_write_is_recorded(operator: Client, server: Running) -> None:
    before = len(refusals(server.spool, 0))
    target = node(operator, "North/11/Setpoint").aio_obj.nodeid
    value = ua.DataValue(ua.Variant(50.0, ua.VariantType.Double))
    written = ua.WriteValue(target, ua.IntegerId(VALUE), None, value)
    parameters = ua.WriteParameters([written])
    awaited(operator, operator.aio_obj.uaclient.write(parameters))
    (found,) = refusals(server.spool, before + 1)[before:]
    assert (found["action"], found["object"]) == ("write", "North/11/Setpoint")
    assert found["details"]["problem"] == "BadNotWritable"
