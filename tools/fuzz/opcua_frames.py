"""What somebody says who has agreed on nothing yet: greetings and frames of wrong sizes."""

from __future__ import annotations

import random
import struct

from tools.fuzz.mutation import spoiled
from tools.fuzz.opcua_line import GREETING

_KINDS = (b"HEL", b"OPN", b"MSG", b"CLO", b"ACK", b"ERR", b"RHE")
_BUFFERS = (0, 1, 8_191, 8_192, 65_535, 65_536, 2**31, 2**32 - 1)
_URLS = (-2, -1, 0, 1, 100, 4_096, 4_097, 30_000, 2**31 - 1)
_POLICIES = (b"", b"None", b"Basic128Rsa15", b"Basic256Sha256", b"Aes256_Sha256_RsaPss", b"x" * 300)


def frame(dice: random.Random) -> bytes:
    """A frame of any kind, whose size may be another than it says."""
    kind = dice.choice(_KINDS)
    body = dice.randbytes(dice.choice((0, 4, 28, 300, 5_000)))
    size = dice.choice((len(body) + 8, len(body) + 8, 0, 8, 12, 65_536, 2**31))
    flag = dice.choice((b"F", b"C", b"A", b"\0"))
    data = kind + flag + size.to_bytes(4, "little") + body
    return dice.choice((b"", GREETING)) + dice.choice((data, spoiled(data, dice)))


def greeting(dice: random.Random) -> bytes:
    """A Hello with any version, buffer sizes, limits and URL, once or twice."""
    version, *sizes = (dice.choice(_BUFFERS) for _ in range(5))
    announced = dice.choice(_URLS)
    url = b"o" * min(max(announced, 0), 30_000)
    body = struct.pack("<5Ii", version, *sizes, announced) + url
    return (b"HELF" + struct.pack("<I", len(body) + 8) + body) * dice.choice((1, 1, 2))


def opening(dice: random.Random) -> bytes:
    """An OpenSecureChannel whose header is made up: any policy, certificate and thumbprint."""
    policy = b"http://opcfoundation.org/UA/SecurityPolicy#" + dice.choice(_POLICIES)
    sender = dice.choice(
        (b"", b"\x30\x82\xff\xff" + b"\0" * 50, dice.randbytes(900), b"0" * 20_000)
    )
    mark = dice.randbytes(dice.choice((0, 19, 20, 21)))
    texts = b"".join(struct.pack("<i", len(part)) + part for part in (policy, sender, mark))
    body = struct.pack("<I", dice.choice((0, 1, 2**32 - 1))) + texts
    body += dice.randbytes(dice.choice((0, 8, 132, 256, 512)))
    return GREETING + b"OPNF" + struct.pack("<I", len(body) + 8) + body
