"""Messages that announce or nest more than they hold cost the server nothing."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import fields
from typing import Any

import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import (
    nodeid_from_binary,
    nodeid_to_binary,
    struct_from_binary,
    struct_to_binary,
)
from asyncua.ua.uaerrors import UaStatusCodeError

from runtime.servers.opcua.limits import MOST_ELEMENTS, MOST_ELEMENTS_UNKNOWN
from runtime.servers.opcua.members import standard
from tests.servers.opcua.attacking import channel, raw, written
from tests.servers.opcua.serving import (
    Running,
    awaited,
    number,
    read,
)


def additional(variant: bytes) -> bytes:
    """A GetEndpoints whose header has an extension object with this variant in it."""
    kind = standard(ObjectIds.LiteralOperand_Encoding_DefaultBinary)
    header = struct_to_binary(ua.RequestHeader())
    empty = len(struct_to_binary(ua.ExtensionObject()))
    body = nodeid_to_binary(kind) + b"\x01" + struct.pack("<i", len(variant)) + variant
    request = ua.NodeId(ua.Int32(ObjectIds.GetEndpointsRequest_Encoding_DefaultBinary))
    return nodeid_to_binary(request) + header[:-empty] + body


BOMBS = {
    "array of values without bytes": b"\x80" + struct.pack("<i", 2**31 - 1),
    "array of texts that go back": b"\x8c" + struct.pack("<i", 8) + b"\xfb\xff\xff\xff" * 8,
    "text of negative length": b"\x0c" + struct.pack("<i", -1000),
    "dimensions of a million": b"\xc1" + struct.pack("<ibii", 1, 1, 1, 1_000_000),
    "variants in variants": b"\x18" * 20_000,
    "array of arrays": (b"\x98" + struct.pack("<i", 1)) * 4_000,
    "diagnoses in diagnoses": b"\x19" + b"\x40" * 20_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_message_that_announces_more_than_it_holds_costs_nothing(
    guarded: Running, bomb: str
) -> None:
    with channel(guarded) as client:
        protocol = client.aio_obj.uaclient.protocol
        sent = protocol._connection.message_to_binary(
            additional(BOMBS[bomb]), message_type=ua.MessageType.SecureMessage, request_id=99
        )
        awaited(client, written(client, sent))
    with guarded.client("operator", guarded.token) as other:
        assert number(read(other, "System/Scan"))


@pytest.mark.parametrize(
    ("signed_in", "most"), [(False, MOST_ELEMENTS_UNKNOWN), (True, MOST_ELEMENTS)]
)
def test_a_message_may_have_only_so_many_elements(
    server: Running, signed_in: bool, most: int
) -> None:
    """A byte of a message takes ten microseconds to decode: everybody else would wait."""
    kind = ua.NodeId(ua.Int32(ObjectIds.GetEndpointsRequest_Encoding_DefaultBinary))
    with server.client() if signed_in else channel(server) as client:
        for count, name in ((most // 2, "Good"), (most + 1, "BadEncodingLimitsExceeded")):
            head = nodeid_to_binary(kind) + struct_to_binary(ua.RequestHeader())
            urls = struct.pack("<iii", -1, count, 0)[:8] + b"\xff" * 4 * count
            protocol = client.aio_obj.uaclient.protocol
            answer = awaited(client, _answer(protocol, head + urls + b"\xff" * 4))
            assert answer == name


async def _answer(protocol: Any, body: bytes) -> str:
    """The status of what is answered to the body of a request."""
    loop = asyncio.get_running_loop()
    protocol._request_id += 1
    number = protocol._request_id
    protocol._callbackmap[number] = answered = loop.create_future()
    protocol.transport.write(protocol._connection.message_to_binary(body, request_id=number))
    data = (await asyncio.wait_for(answered, 20)).copy()
    nodeid_from_binary(data)
    header: ua.ResponseHeader = struct_from_binary(ua.ResponseHeader, data)
    return str(header.ServiceResult.name)


def test_a_request_that_leaves_its_lists_out_is_no_error_of_the_server(server: Running) -> None:
    ends = ("CloseSessionRequest", "CloseSecureChannelRequest", "OpenSecureChannelRequest")
    waits = ("PublishRequest", "CreateSubscriptionRequest")
    names = [name for name in sorted(vars(ua)) if name.endswith("Request")]
    requests = [getattr(ua, name)() for name in names if name not in (*ends, *waits)]
    with server.client() as client:
        created = awaited(client, raw(client, ua.CreateSubscriptionRequest()))
        subscription = struct_from_binary(ua.CreateSubscriptionResponse, created).Parameters
        for request in (each for each in requests if hasattr(each, "RequestHeader")):
            asked = getattr(request, "Parameters", request)
            for field in fields(asked):
                if isinstance(getattr(asked, field.name), list):
                    setattr(asked, field.name, None)
            if hasattr(asked, "SubscriptionId"):
                asked.SubscriptionId = subscription.SubscriptionId
            assert _failure(client, request) != "BadInternalError", type(request).__name__


def _failure(client: Client, request: Any) -> str:
    try:
        awaited(client, raw(client, request))
    except UaStatusCodeError as error:
        return ua.StatusCode(ua.UInt32(error.code)).name
    return ""
