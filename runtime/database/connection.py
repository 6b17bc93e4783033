"""Connections that come back by themselves, and calls that end even if the server is frozen.

No timeout of libpq bounds a query to a server that stands still while the kernel still answers for
it. So every call has a limit, and a thread shuts the socket of the one that passes it.

While there is no database, one thread at a time tries to connect, and the others wait for it at the
door: a server that is back is found by all at once, and one that refuses is not stormed.
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
from psycopg import Connection

from runtime.database.arrays import load_as_arrays
from runtime.database.installation import Installation
from runtime.database.migrations import require_migrated, require_registers
from runtime.database.register_map import recorded
from runtime.database.troubles import READ_ONLY, SPEAKING, Frozen, words
from runtime.register_map import Copy

CONNECT_TIMEOUT_S = 2  # the least that libpq knows
CALL_LIMIT_S = 2.0
KNOCK_S = 0.25  # between attempts to connect
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 1.0  # a thread's own, whose work failed on a good connection
LOOK_S = 0.1
Source = Callable[[], str]  # the DSN; an embedded server's is known only after its first start


@dataclass(eq=False)
class _Call:
    deadline: float
    socket: socket.socket
    cut: bool = False


class Guard:
    """Watches all connections of this process: which may be used, and how long a call takes.

    `trouble` says why the last attempt to connect failed; it is empty after one that did not.
    """

    def __init__(self, installation: Installation | None = None, copy: Copy | None = None) -> None:
        self.door = threading.Lock()
        self.trouble = ""
        self._installation = installation
        self._copy = copy
        self._lock = threading.Lock()
        self._calls: set[_Call] = set()
        self._links: set[Link] = set()
        threading.Thread(target=self._watch, name="guard", daemon=True).start()

    def admit(self, connection: Connection[Any]) -> None:
        """Raise SchemaError or ForeignDatabaseError unless it is a database to work with."""
        require_migrated(connection)
        if self._installation is not None:
            self._installation.require(connection)
        if self._copy is not None:
            self._copy.keep(recorded(connection) or {})
        require_registers(connection)

    def keep(self, link: Link) -> None:
        """Take a link among those that `cut` cuts."""
        with self._lock:
            self._links.add(link)

    def close(self, link: Link) -> None:
        """Close a link."""
        with self._lock:
            self._links.discard(link)
            link.close()

    def cut(self) -> None:
        """Cut all links: they lead to what is no database to work with any more."""
        with self._lock:
            for link in self._links:
                link.shut()

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

    def shut(self) -> None:
        """Have whatever runs on it fail at once."""
        _shut(self.socket)

    def close(self) -> None:
        """Close without a word to the server: it may not listen."""
        self.shut()
        self.socket.close()
        self.connection.close()


class Worker(threading.Thread):
    """A thread with a connection of its own, opened again whenever it is lost.

    Subclasses do one round of their work in `work` and whatever a new connection needs in `begin`.
    `connected` says that its work succeeded on this connection, `status` in words how it is.
    `losses` counts how often a good connection was lost.
    """

    limit_s = CALL_LIMIT_S

    def __init__(self, name: str, source: Source, guard: Guard) -> None:
        super().__init__(name=name, daemon=True)
        self.connected = False
        self.losses = 0
        self.guard = guard
        self._source = source
        self._failure = "connecting"
        self._pause = FIRST_PAUSE_S
        self._stopping = threading.Event()
        self._link: Link | None = None

    @property
    def status(self) -> str:
        """How the connection is. What keeps all from connecting comes before one's own trouble."""
        return "connected" if self.connected else self.guard.trouble or self._failure

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
            link.shut()

    def pause(self, seconds: float) -> None:
        """Wait, unless the thread is to end."""
        self._stopping.wait(seconds)

    @contextmanager
    def limited(self, seconds: float | None = None) -> Iterator[None]:
        """A part of the work whose calls are bound by `limit_s`, or by `seconds`."""
        assert self._link is not None
        with self.guard.limit(self._link, seconds or self.limit_s):
            yield
        self.connected, self._pause = True, FIRST_PAUSE_S

    def run(self) -> None:
        while not self._stopping.is_set():
            if not self._enter():
                continue
            try:
                self._work()
            except (psycopg.Error, OSError, *SPEAKING) as error:
                self._failure = words(error)
                self.losses += self.connected and not self._stopping.is_set()
            finally:
                self.connected = False
                self._close()
            self.pause(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_S)

    def _enter(self) -> bool:
        """Connect, when it is this thread's turn to try; whether it could."""
        with self.guard.door:
            if self._stopping.is_set():
                return False
            try:
                self._open()
            except (psycopg.Error, OSError, *SPEAKING) as error:
                self._close()
                self.guard.trouble = words(error)
                if isinstance(error, SPEAKING) or self.guard.trouble.startswith(READ_ONLY):
                    self.guard.cut()  # it answers, and is not to be worked with: by nobody
                self.pause(KNOCK_S)
                return False
            self.guard.trouble = ""
            return True

    def _open(self) -> None:
        link = self._link = Link(self._source(), self.name)
        self.guard.keep(link)
        with self.guard.limit(link):
            link.connection.execute(f"SET statement_timeout = {int(self.limit_s * 1000)}")
            load_as_arrays(link.connection)
            self.guard.admit(link.connection)

    def _work(self) -> None:
        assert self._link is not None
        connection = self._link.connection
        with self.guard.limit(self._link, self.limit_s):
            self.begin(connection)
        while not self._stopping.is_set():
            self.work(connection)

    def _close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            self.guard.close(link)


def _shut(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
