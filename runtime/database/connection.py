"""Connections that come back by themselves, and calls that end even if the server is frozen.

No timeout of libpq bounds a query to a server that stands still while the kernel still answers for
it. So every call has a limit, and a thread shuts the socket of the one that passes it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, errors

from runtime.database.arrays import load_as_arrays
from runtime.database.installation import ForeignDatabaseError, Installation
from runtime.database.migrations import SchemaError, check_schema
from runtime.database.postmaster import ServerError

CONNECT_TIMEOUT_S = 2  # the least that libpq knows
CALL_LIMIT_S = 2.0
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 2.0
LOOK_S = 0.1
Source = Callable[[], str]  # the DSN; an embedded server's is known only after its first start


class Frozen(Exception):
    """The server took a call and did not answer in time."""


_SPEAKING = (Frozen, SchemaError, ServerError, ForeignDatabaseError)
"""Errors whose own words tell an operator enough."""


@dataclass(eq=False)
class _Call:
    deadline: float
    socket: socket.socket
    cut: bool = False


class Guard:
    """Watches all connections of this process: which may be used, and how long a call takes."""

    def __init__(self, installation: Installation | None = None) -> None:
        self._installation = installation
        self._lock = threading.Lock()
        self._calls: set[_Call] = set()
        threading.Thread(target=self._watch, name="guard", daemon=True).start()

    def admit(self, connection: Connection[Any]) -> None:
        """Raise SchemaError or ForeignDatabaseError unless it is a database to work with."""
        check_schema(connection)
        if self._installation is not None:
            self._installation.require(connection)

    @contextmanager
    def limit(self, link: Link, seconds: float = CALL_LIMIT_S) -> Iterator[None]:
        """Raise Frozen if what runs inside takes longer than `seconds`."""
        call = _Call(time.monotonic() + seconds, link.socket)
        with self._lock:
            self._calls.add(call)
        try:
            yield
        except psycopg.Error:
            if call.cut:
                raise Frozen(f"frozen: no answer for {seconds:g} s") from None
            raise
        finally:
            with self._lock:
                self._calls.discard(call)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_S)
            now = time.monotonic()
            with self._lock:
                for call in self._calls:
                    if now > call.deadline and not call.cut:
                        call.cut = True
                        _shut(call.socket)


class Link:
    """An open connection, and a second handle of its socket that stays valid until it is closed."""

    def __init__(self, dsn: str, name: str, *, read_write: bool = True) -> None:
        self.connection: Connection[Any] = psycopg.connect(
            dsn,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name=f"calejo {name}",
            target_session_attrs="read-write" if read_write else "any",
        )
        self.socket = socket.fromfd(self.connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)

    def close(self) -> None:
        """Close without a word to the server: it may not listen."""
        _shut(self.socket)
        self.socket.close()
        self.connection.close()


class Worker(threading.Thread):
    """A thread with a connection of its own, opened again whenever it is lost.

    Subclasses do one round of their work in `work` and whatever a new connection needs in `begin`.
    `status` says in words how the connection is; it is good while `connected`. `losses` counts how
    often a good connection was lost.
    """

    limit_s = CALL_LIMIT_S

    def __init__(self, name: str, source: Source, guard: Guard) -> None:
        super().__init__(name=name, daemon=True)
        self.status = "connecting"
        self.connected = False
        self.losses = 0
        self._source = source
        self._guard = guard
        self._stopping = threading.Event()
        self._link: Link | None = None

    def begin(self, connection: Connection[Any]) -> None:
        """What a new connection needs before work begins."""

    def work(self, connection: Connection[Any]) -> None:
        """One round of work, including the wait for the next."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the thread: also out of a call that the server does not answer."""
        self._stopping.set()
        link = self._link
        if link is not None:
            _shut(link.socket)

    def pause(self, seconds: float) -> None:
        """Wait, unless the thread is to end."""
        self._stopping.wait(seconds)

    @contextmanager
    def limited(self, seconds: float | None = None) -> Iterator[None]:
        """Bound the calls inside by `limit_s`, or by `seconds`."""
        assert self._link is not None
        with self._guard.limit(self._link, seconds or self.limit_s):
            yield

    def run(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                self._open()
                assert self._link is not None
                with self.limited():
                    self.begin(self._link.connection)
                self.connected, self.status, pause = True, "connected", FIRST_PAUSE_S
                while not self._stopping.is_set():
                    self.work(self._link.connection)
            except (psycopg.Error, OSError, *_SPEAKING) as error:
                self.status = _words(error)
                self.losses += self.connected and not self._stopping.is_set()
            finally:
                self.connected = False
                self._close()
            self.pause(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _open(self) -> None:
        self._link = Link(self._source(), self.name)
        with self.limited():
            self._link.connection.execute(f"SET statement_timeout = {int(self.limit_s * 1000)}")
            load_as_arrays(self._link.connection)
            self._guard.admit(self._link.connection)

    def _close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


def _words(error: Exception) -> str:
    """An error in one line, as the health shows it."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, _SPEAKING):
        return text
    if "password authentication failed" in text:
        return "wrong password or user: " + text
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return "the server is a standby: " + text
    if isinstance(error, psycopg.OperationalError):
        return "unreachable: " + text
    return text


def _shut(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
