"""One id for all that follows from one request of a client: records, log lines, the reply.

A client may bring its own: over HTTP as X-Correlation-Id or as the trace of a traceparent (W3C
Trace Context), over OPC UA as the AuditEntryId of a request. Who brings none, or one that is
malformed, gets one. While a request is served, the id is
bound to the log lines of its thread or task, and what is asked of the scan takes it from there.
"""

from __future__ import annotations

import re
import uuid
from contextlib import AbstractContextManager

from structlog.contextvars import bound_contextvars, get_contextvars

_GIVEN = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-.*")


def new() -> str:
    """An id that no other request has."""
    return str(uuid.uuid4())


def current() -> str:
    """The id of the request that is being served; a new one if none is."""
    return str(get_contextvars().get("correlation") or new())


def serving(given: str | None = None) -> AbstractContextManager[None]:
    """Serve a request: by its own id, else by a new one."""
    return bound_contextvars(correlation=of_headers(given, None))


def of_headers(given: str | None, traceparent: str | None) -> str:
    """The id of an HTTP request: its own, else that of its trace, else a new one."""
    if _GIVEN.fullmatch(given or ""):
        return str(given)
    trace = _TRACEPARENT.fullmatch((traceparent or "").strip())
    return trace[1] if trace else new()
