"""What is wrong with the chunks and tokens of an open channel: signed, and encrypted if it is."""

from __future__ import annotations

import random
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary

from tools.fuzz.mutation import spoiled
from tools.fuzz.opcua_line import Line

_LIFETIMES = (0, 1, 3_600_000, 2**32 - 1)
_ENDINGS = (b"", b"\0" * 8, b"\0\0\0\0\xff\xff\xff\xff", b"\0\0\0\0\xff\xff\xff\x7f")  # of an abort


def send_spoiled(line: Line, body: bytes, dice: random.Random) -> None:
    """Send a request in chunks of which something is wrong."""
    chunks = line.chunks(body)
    chunk = dice.choice(chunks)
    match dice.randrange(10):
        case 0:
            chunk.SequenceHeader.SequenceNumber += dice.choice((-1, 1, 1_000, 2**31))
        case 1:
            chunk.SequenceHeader.RequestId += 1
        case 2:
            chunk.MessageHeader.ChannelId += dice.choice((-1, 1))
        case 3:
            chunk.MessageHeader.ChunkType = ua.ChunkType.Abort
        case 4:
            chunk.MessageHeader.ChunkType = ua.ChunkType.Intermediate
        case 5:
            dice.shuffle(chunks)
        case 6:
            chunk.Body = spoiled(chunk.Body, dice)
        case 7:
            chunk.SecurityHeader.TokenId = dice.choice((0, 1, 12, 14, 15, 1_000, 2**32 - 1))
        case 8:
            _abort(chunks, dice)
        case 9:
            _send_damaged(line, chunks, dice)
            return
    for each in chunks:
        line.send(each.to_binary())


def _abort(chunks: list[Any], dice: random.Random) -> None:
    """End the message with an abort: with a reason, or with what is none."""
    chunks[-1].MessageHeader.ChunkType = ua.ChunkType.Abort
    chunks[-1].Body = dice.choice((*_ENDINGS, dice.randbytes(40)))


def _send_damaged(line: Line, chunks: list[Any], dice: random.Random) -> None:
    """Change what was signed and encrypted: by a bit, or by its end."""
    for each in chunks:
        data = bytearray(each.to_binary())
        data[dice.randrange(8, len(data))] ^= 1 << dice.randrange(8)
        line.send(bytes(data[: dice.choice((len(data), len(data) - 1))]))


def renew(line: Line, dice: random.Random) -> None:
    """Ask for a new token: rightly, or with anything wrong."""
    request = line.renewal()
    asked = request.Parameters
    asked.RequestedLifetime = dice.choice(_LIFETIMES)
    match dice.randrange(6):
        case 0:
            line.open(request)
            return
        case 1:
            asked.RequestType = ua.SecurityTokenRequestType.Issue
        case 2:
            asked.SecurityMode = dice.choice(tuple(ua.MessageSecurityMode))
        case 3:
            asked.ClientNonce = dice.randbytes(dice.choice((0, 1, 31, 33, 4_000)))
        case 4:
            asked.ClientNonce = None
    body = struct_to_binary(request)
    line.ask_to_open(spoiled(body, dice) if dice.random() < 0.5 else body)
