"""Which addresses are meant: a list of networks."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, TypeAlias

from config.notation import Notation

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Networks: TypeAlias = tuple[Network, ...]
LOOPBACK: Networks = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
EVERYWHERE: Networks = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


@dataclass(frozen=True)
class NetworkList(Notation[Networks]):
    """Addresses and networks, as a list or separated by commas; none of them is `none`."""

    NONE = "none"

    @property
    def allowed(self) -> str:
        return "none, or a list of addresses and networks such as 10.1.2.0/24"

    def read(self, written: object) -> Networks:
        if written == self.NONE:
            return ()
        parts = written if isinstance(written, list | tuple) else str(written).split(",")
        return tuple(_network(part, place) for place, part in enumerate(parts))

    def write(self, value: Networks) -> str | list[str]:
        return [str(network) for network in value] or self.NONE

    def schema(self) -> dict[str, Any]:
        entries = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
        return {"oneOf": [{"const": self.NONE}, entries], "title": self.allowed}


def _network(part: object, place: int) -> Network:
    if isinstance(part, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return part
    try:
        return ipaddress.ip_network(str(part).strip())
    except ValueError as error:
        raise ValueError(f"entry {place + 1}: {error}") from None
