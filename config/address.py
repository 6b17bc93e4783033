"""Where a server listens."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from config.notation import Notation


class Address(NamedTuple):
    """A TCP address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Reachable(Notation[Address]):
    """An address of this machine that others may reach: of a server that knows who they are."""

    @property
    def allowed(self) -> str:
        return "an address or host name with a port from 1 to 65535, such as '0.0.0.0:4840'"

    def read(self, written: object) -> Address:
        if isinstance(written, Address):
            return written
        match = re.fullmatch(r"(?:\[([0-9a-fA-F:]+)\]|([^:\[\]\s]+)):([0-9]{1,5})", str(written))
        if match is None:
            raise ValueError("")
        host, port = match[1] or match[2], int(match[3])
        if not 1 <= port <= 65_535:
            raise ValueError("")
        return Address(host, port)

    def write(self, value: Address) -> str:
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^.+:[0-9]{1,5}$", "title": self.allowed}


@dataclass(frozen=True)
class Optional(Notation[Address | None]):
    """Such an address, or none."""

    NONE = "none"

    @property
    def allowed(self) -> str:
        return f"{self.NONE}, or {Reachable().allowed}"

    def read(self, written: object) -> Address | None:
        return None if written in (None, self.NONE) else Reachable().read(written)

    def write(self, value: Address | None) -> str:
        return self.NONE if value is None else str(value)

    def schema(self) -> dict[str, Any]:
        return {"oneOf": [{"const": self.NONE}, Reachable().schema()], "title": self.allowed}


@dataclass(frozen=True)
class Loopback(Reachable):
    """An address that this machine alone can reach.

    Of a server that doesn't yet know users and certificates: a connection from elsewhere has to
    come through something that does, such as an SSH tunnel.
    """

    @property
    def allowed(self) -> str:
        return "a loopback address with a port from 1 to 65535, such as '127.0.0.1:5020'"

    def read(self, written: object) -> Address:
        address = super().read(written)
        if not isinstance(written, Address) and not _is_loopback(address.host):
            raise ValueError("")
        return address


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
