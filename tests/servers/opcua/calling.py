"""Calls of the methods, as a client makes them."""

from __future__ import annotations

from asyncua import ua
from asyncua.sync import Client

from runtime.servers.opcua.references import node_id
from tests.servers.opcua.serving import awaited, node


def stop(client: Client, path: str, *reason: object) -> list[float]:
    """Call SetEmergencyStop; what it returns."""
    found: list[float] = node(client, path).call_method("2:SetEmergencyStop", *reason)
    return found


def clear(client: Client, path: str, *reason: object) -> list[float]:
    found: list[float] = node(client, path).call_method("2:ClearEmergencyStop", *reason)
    return found


def called(client: Client, place: str, method: str, *inputs: ua.Variant) -> ua.CallMethodResult:
    """The bare result of a call."""
    call = ua.CallMethodRequest(node_id(place), node_id(method), list(inputs))
    result: ua.CallMethodResult = awaited(client, client.aio_obj.uaclient.call([call]))[0]
    return result


def text(value: str | None) -> ua.Variant:
    return ua.Variant(value, ua.VariantType.String)
