"""Binding the address that a server listens at, with an error that helps."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from config import Address
from runtime.processes import UNUSABLE
from runtime.progress import Progress, State

_LISTENS = "0A"  # the state of a listening socket in /proc/net/tcp

logger = structlog.get_logger()


class ListenError(Exception):
    """An address can't be listened at; the message says which, why, and what helps."""


def listening(server: str, address: Address, progress: Progress) -> socket.socket:
    """A socket bound to the address of a server; without it the process says why and ends."""
    try:
        return bind(address.host, address.port, f"servers.{server}.listen")
    except ListenError as error:
        progress.say(State.DEGRADED, str(error))
        logger.error("can't listen", reason=str(error))
        sys.exit(UNUSABLE)


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A socket bound to the address that the configuration key `setting` gives."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen()  # two sockets may be bound to one address, but only one may listen
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise ListenError(
            f"{setting}: can't listen at {host} port {port}: {_reason(error, port)}"
        ) from None
    return bound


def _reason(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        holder = next(_holders(port), "another process")
        return f"{holder} already does; end it, or choose another port"
    if error.errno == errno.EACCES:
        return "not permitted (ports below 1024 need a privilege); choose another port"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address; choose one that it has"
    return error.strerror or str(error)


def _holders(port: int) -> Iterator[str]:
    """The processes that listen at a port, as far as this account may see them."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # of another account, or gone meanwhile
            if os.readlink(link) in sockets:
                process = link.parent.parent
                yield f"process {process.name} ({(process / 'comm').read_text().strip()})"


def _listening(port: int) -> Iterator[str]:
    """The inodes of the sockets that listen at a port."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and fields[1].endswith(f":{port:04X}"):
                    yield fields[9]
