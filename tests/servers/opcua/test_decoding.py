"""Messages that announce or nest more than they hold cost the server nothing."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary

from runtime.servers.opcua.members import standard
from tests.servers.opcua.attacking import channel
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
        awaited(client, _written(protocol, sent))
    with guarded.client("operator", guarded.token) as other:
        assert number(read(other, "System/Scan"))


async def _written(protocol: Any, data: bytes) -> None:
    protocol.transport.write(data)
