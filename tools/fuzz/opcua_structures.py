"""OPC UA requests that nest, announce and name what no client should: built, not spoiled.

what         where
nesting      Variants in Variants, ExtensionObjects in them, DiagnosticInfos in themselves
announcing   arrays, dimensions, texts and bodies of more than there is, or of very much
naming       services that there are not; node ids and types in every encoding
"""

from __future__ import annotations

import random
import struct

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary

from runtime.servers.opcua.references import node_id
from tools.fuzz.mutation import COUNTS

DEPTHS = (1, 10, 100, 101, 1_000, 5_000)
MANY = (0, 1, 100, 1_001, 20_000)
HEADER_END = 3  # bytes of the empty extension object that a request header ends with
_ARRAY, _DIMENSIONS = 0x80, 0x40  # bits of a Variant's type
_VARIANT, _DIAGNOSIS, _EXTENSION, _LITERAL = 24, 25, 22, 597  # types; LiteralOperand's encoding
_INNER = 0x40  # the bit of a DiagnosticInfo that says that one follows
_WRITE, _ENDPOINTS = 673, 428  # WriteRequest, GetEndpointsRequest: their encodings


def structured(token: ua.NodeId, dice: random.Random) -> bytes:
    """A request of the session with this token."""
    match dice.randrange(3):
        case 0:
            return _unknown(token, dice)
        case 1:
            return _with_header(token, _extension(_value(dice)))
        case _:
            return _written(token, _value(dice))


def _value(dice: random.Random) -> bytes:
    """A Variant that nests or announces."""
    return dice.choice((_nested, _in_arrays, _diagnosed, _in_bodies, _announced, _many))(dice)


def _nested(dice: random.Random) -> bytes:
    return bytes((_VARIANT,)) * dice.choice(DEPTHS) + b"\x00"


def _in_arrays(dice: random.Random) -> bytes:
    level = bytes((_VARIANT | _ARRAY,)) + struct.pack("<i", dice.choice((1, 2)))
    return level * dice.choice(DEPTHS) + b"\x00"


def _diagnosed(dice: random.Random) -> bytes:
    return bytes((_DIAGNOSIS,)) + bytes((_INNER,)) * dice.choice(DEPTHS) + b"\x00"


def _in_bodies(dice: random.Random) -> bytes:
    """A literal in a literal, each with a length that fits; now and then one that doesn't."""
    value = b"\x00"
    for _ in range(min(dice.choice(DEPTHS), 1_000)):
        value = bytes((_EXTENSION,)) + _extension(value)
    wrong = struct.pack("<i", dice.choice(COUNTS))
    return value[:6] + wrong + value[10:] if dice.random() < 0.3 else value


def _announced(dice: random.Random) -> bytes:
    kind = dice.randrange(64)
    count = struct.pack("<i", dice.choice(COUNTS))
    if dice.random() < 0.5:
        return bytes((kind | _ARRAY,)) + count + dice.randbytes(dice.choice((0, 8, 200)))
    sizes = [dice.choice((-1, 0, 1, 2, 1_000, 1_000_000)) for _ in range(dice.randint(1, 9))]
    dimensions = struct.pack(f"<i{len(sizes)}i", len(sizes), *sizes)
    return b"\xc1" + struct.pack("<i", 2) + b"\x01\x00" + dimensions


def _many(dice: random.Random) -> bytes:
    """Very many elements that take a byte or two each."""
    kind, count = dice.choice((0, 1, 12, 17, 19, 21, 23, 24, 25)), dice.choice(MANY)
    return bytes((kind | _ARRAY,)) + struct.pack("<i", count) + b"\0" * (count * 4)


def _extension(value: bytes) -> bytes:
    """The value in an extension object, as a literal of a filter."""
    return nodeid_to_binary(_numeric(_LITERAL)) + b"\x01" + struct.pack("<i", len(value)) + value


def _header(token: ua.NodeId) -> bytes:
    return struct_to_binary(ua.RequestHeader(AuthenticationToken=token))


def _with_header(token: ua.NodeId, additional: bytes) -> bytes:
    """A request whose header has more in it: it is decoded before anything else is known."""
    head = nodeid_to_binary(_numeric(_ENDPOINTS)) + _header(token)
    return head[:-HEADER_END] + additional + struct.pack("<iii", -1, -1, -1)


def _written(token: ua.NodeId, value: bytes) -> bytes:
    """A Write of the value to a setpoint."""
    target = nodeid_to_binary(node_id("North/11/ManualSetpoint"))
    item = target + struct.pack("<Ii", AttributeIds.Value, -1) + b"\x01" + value
    return nodeid_to_binary(_numeric(_WRITE)) + _header(token) + struct.pack("<i", 1) + item


def _unknown(token: ua.NodeId, dice: random.Random) -> bytes:
    """A service that there is not, or a type that is none, by any kind of id."""
    name = dice.choice(
        (
            dice.choice(_ENCODINGS),
            _numeric(dice.randrange(2**32)),
            ua.NodeId(ua.String("Read"), ua.Int16(dice.choice((0, 1, 32_767)))),
            ua.NodeId(ua.ByteString(dice.randbytes(8)), ua.Int16(1)),
        )
    )
    encoded = nodeid_to_binary(name)
    if dice.random() < 0.2:
        encoded = bytes((dice.randrange(256),)) + encoded[1:]
    return encoded + _header(token) + dice.randbytes(dice.choice((0, 4, 60, 3_000)))


def _numeric(number: int) -> ua.NodeId:
    return ua.NodeId(ua.Int32(number), ua.Int16(0), ua.NodeIdType.Numeric)


_ENCODINGS = [
    _numeric(number)
    for name, number in vars(ObjectIds).items()
    if name.endswith("Request_Encoding_DefaultBinary")
]
