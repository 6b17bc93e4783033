"""The settings of the Modbus server."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.address import Address, Optional, Reachable
from config.networks import EVERYWHERE, LOOPBACK, NetworkList, Networks
from config.notation import Whole
from config.quantity import Duration, Size
from config.settings import Settings


class ModbusSecurity(Settings):
    """Modbus/TCP Security: TLS with certificates of the clients, which name their roles."""

    listen: Annotated[Address | None, Optional()] = Field(
        default=None, description="Address and port (802 is the registered one), or none."
    )
    clients: Annotated[Networks, NetworkList()] = Field(
        default=EVERYWHERE, description="From where connections are taken at all."
    )
    handshake: Annotated[float, Duration("1 s", "60 s")] = Field(
        default=5.0, description="Time in which a client has to prove who it is."
    )


class ModbusServer(Settings):
    """Modbus TCP."""

    listen: Annotated[Address, Reachable()] = Field(
        default=Address("127.0.0.1", 5020), description="Address and port."
    )
    viewers: Annotated[Networks, NetworkList()] = Field(
        default=LOOPBACK,
        description="Addresses and networks whose connections may look, and command with the "
        "access token. Whoever is in none of these lists is not let in.",
    )
    operators: Annotated[Networks, NetworkList()] = Field(
        default=(),
        description="Those whose connections may command without the token. Unsafe where others "
        "can use or forge such an address: prefer the secure port.",
    )
    engineers: Annotated[Networks, NetworkList()] = Field(
        default=(), description="Those whose connections are recorded as an engineer's."
    )
    secure: ModbusSecurity = ModbusSecurity()
    word_order: Literal["high_first", "low_first"] = Field(
        default="high_first",
        description="Which of the two registers of a 32-bit value comes first: that with the high "
        "word or that with the low one. Each register itself is big-endian.",
    )
    connections: Annotated[int, Whole(1, 10_000)] = Field(
        default=128, description="Most connections at a time; one more is closed at once."
    )
    idle: Annotated[float, Duration("1 s", "1 d")] = Field(
        default=300.0, description="Silence after which a connection is closed."
    )
    requests: Annotated[int, Whole(1, 1_000_000)] = Field(
        default=5000,
        description="Requests per second that are taken from one connection; more have to wait.",
    )
    outstanding: Annotated[float, Size("1 kB", "100 MB")] = Field(
        default=64e3,
        description="Answers that a client may leave unread before nothing more is read from it.",
    )
