"""Who a client is, and what it may do.

| comes by          | may                                                                          |
|-------------------|------------------------------------------------------------------------------|
| the plain port    | what the list with its address says: viewers, operators, engineers; whoever  |
|                   | stands in none is not let in. The access token makes a viewer an operator.   |
| the secure port   | what the role in its certificate says; without one, nothing                  |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

import structlog

from config.modbus import ModbusServer
from config.networks import Networks
from runtime.requests import Role

UNKNOWN = "unknown"
BY_TOKEN = "modbus"  # who a client is that has shown the token

logger = structlog.get_logger()


@dataclass
class Client:
    """One connection: where it comes from, who it is, and its role; None has no rights at all."""

    where: str
    who: str = UNKNOWN
    role: Role | None = None

    @property
    def may_look(self) -> bool:
        return self.role is not None

    def unlock(self) -> None:
        """It has shown the token."""
        if self.role is Role.VIEWER:
            self.role = Role.OPERATOR
        if self.who == UNKNOWN:
            self.who = BY_TOKEN


def token_octets(token: str) -> bytes:
    """The access token as registers carry it; none if it was replaced by something else."""
    if re.fullmatch(r"[0-9a-fA-F]{32}", token):
        return bytes.fromhex(token)
    logger.error("the token is not 32 hexadecimal digits: nothing can be written over modbus")
    return b""


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
