"""waitress, bounded: connections, sizes and times.

What it refuses by itself is a problem and is recorded, like all that is refused. That leans on the
internals of waitress 3.0.2, which is why that version is pinned.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]
from waitress.task import ErrorTask, ThreadedTaskDispatcher  # type: ignore[import-untyped]

from config import RestServer
from runtime.requests import Source
from runtime.servers.correlation import of_headers
from runtime.servers.refusals import Refusals, Refused
from runtime.servers.rest.gate import CORRELATION, READS
from runtime.servers.rest.problems import MEDIA, Fault, document

THREADS = 8
HEADERS = 16 * 1024  # bytes
BODY = 64 * 1024  # bytes
LIMITS = {413: ("body", f"{BODY} bytes"), 431: ("header", f"{HEADERS} bytes")}
TURN = 0.2  # s the loop waits for the network before it looks at anything else
END = 0.5  # s that requests in progress have when the server ends


class _ProblemTask(ErrorTask):  # type: ignore[misc]
    """The answer to a request that is broken or too large; nobody has looked who asks."""

    def __init__(self, refusals: Refusals, channel: Any, request: Any) -> None:
        super().__init__(channel, request)
        self._refusals = refusals

    def execute(self) -> None:
        error, headers = self.request.error, self.request.headers
        where, allowed = LIMITS.get(error.code, ("request", "HTTP/1.1"))
        # A broken request has no path; that of one with too long a header is waitress' invention.
        path = "" if where == "header" else getattr(self.request, "path", "")
        correlation = of_headers(headers.get("X_CORRELATION_ID"), headers.get("TRACEPARENT"))
        fault = Fault(where, error.reason.lower(), error.body, allowed)
        body = document(error.code, f"The {where} was refused.", [fault], path, correlation)
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [("Content-Type", MEDIA), (CORRELATION, correlation)]
        self.set_close_on_finish()
        self.content_length = len(body)
        if error.code != HTTPStatus.INTERNAL_SERVER_ERROR:  # that is our fault, and in the log
            self._record(f"{self.request.command} {path}" if path else "http request", correlation)
        self.write(body)

    def _record(self, action: str, correlation: str) -> None:
        error = self.request.error
        where = str(self.channel.addr[0])
        problem = f"{error.reason}: {error.body}"
        refused = Refused(
            Source.REST, "unknown", None, where, action, "", problem, correlation=correlation
        )
        self._refusals.record(refused, status=error.code)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection whose refusals are recorded."""

    def __init__(self, refusals: Refusals, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.error_task_class = partial(_ProblemTask, refusals)


class _Dispatcher(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Requests for changes go before those that only look: a stop waits for no report."""

    def add_task(self, task: Any) -> None:
        method = getattr(task.requests[0], "command", None)  # None if it is broken
        if method is None or method in READS:
            super().add_task(task)
            return
        with self.lock:
            self.queue.appendleft(task)
            self.queue_cv.notify()


class Listener:
    """The server on a socket that is bound."""

    def __init__(
        self,
        app: Callable[..., Any],
        bound: socket.socket,
        settings: RestServer,
        refusals: Refusals,
    ) -> None:
        # A queue of requests is normal under load, not a warning for each of them.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._sockets: dict[int, Any] = {}
        self._tasks = _Dispatcher()
        self._tasks.set_thread_count(THREADS)
        self._server = create_server(
            app,
            map=self._sockets,
            _dispatcher=self._tasks,
            sockets=[bound],
            connection_limit=settings.connections,
            channel_timeout=settings.idle,
            cleanup_interval=5,
            max_request_header_size=HEADERS,
            max_request_body_size=BODY,
            asyncore_use_poll=True,
            ident=None,
        )
        self._server.channel_class = partial(_Channel, refusals)
        self._waiting: object = None

    def serve(self) -> None:
        """Serve what comes within one turn of the loop."""
        wasyncore.loop(TURN, use_poll=True, map=self._sockets, count=1)

    @property
    def working(self) -> bool:
        """Whether requests get on: none waits, or not the same one as when last asked."""
        queue = self._tasks.queue
        first = queue[0] if queue else None
        stuck = first is not None and first is self._waiting
        self._waiting = first
        return not stuck

    def close(self) -> None:
        """Let the requests in progress end, and close all sockets."""
        self._tasks.shutdown(timeout=END)
        wasyncore.close_all(self._sockets, ignore_all=True)
