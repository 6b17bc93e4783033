"""Who a client is, and what it may do.

| comes by          | may                                                                          |
|-------------------|------------------------------------------------------------------------------|
| the plain port    | what the list with its address says: viewers, operators, engineers; whoever  |
|                   | stands in none is not let in. The access token makes a viewer an operator.   |
| the secure port   | what the role in its certificate says; without one, nothing                  |
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from config.modbus import ModbusServer
from config.networks import Networks
from runtime.requests import Role

UNKNOWN = "unknown"


@dataclass
class Client:
    """One connection: where it comes from, who it is, and its role; None has no rights at all."""

    where: str
    who: str = UNKNOWN
    role: Role | None = None

    @property
    def may_look(self) -> bool:
        return self.role is not None


def listed(networks: Networks, host: str) -> bool:
    """Whether an address is in one of the networks."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def role_of(settings: ModbusServer, host: str) -> Role | None:
    """The role that an address has at the plain port; None if it is not let in."""
    lists = (
        (Role.ENGINEER, settings.engineers),
        (Role.OPERATOR, settings.operators),
        (Role.VIEWER, settings.viewers),
    )
    return next((role for role, networks in lists if listed(networks, host)), None)
