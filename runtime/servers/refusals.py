"""Requests that were refused before they reached the scan: the audit log has them, too.

Anybody who reaches a port can be refused, as often as he likes, and the spool has no room for that:
past BURST in a row RATE of them a second are recorded, each with how many were passed over. What
is recorded is also logged; record and line go by the id of the request that was refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from runtime.requests import Role, Source
from runtime.servers.correlation import current
from runtime.spool import Journal, Kind

BURST = 200
RATE = 5.0  # refusals/s that are recorded in the long run
LONGEST = 1_000  # characters of a text that somebody unknown has sent

logger = structlog.get_logger()


@dataclass(frozen=True)
class Refused:
    """Who wanted what, from where, and why he didn't get it. `role` None: nobody we know."""

    source: Source
    who: str
    role: Role | None
    where: str
    action: str
    object: str
    problem: str
    reason: str = ""
    correlation: str = field(default_factory=current)


class Refusals:
    """Records refusals in the spool of a server. Thread-safe."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._room = float(BURST)
        self._counted = time.monotonic()
        self._passed_over = 0

    def record(self, refused: Refused, **details: object) -> None:
        """Record a refusal, unless there have been too many."""
        with self._lock:
            now = time.monotonic()
            self._room = min(float(BURST), self._room + (now - self._counted) * RATE)
            self._counted = now
            if self._room < 1.0:
                self._passed_over += 1
                return
            self._room -= 1.0
            passed_over, self._passed_over = self._passed_over, 0
        if passed_over:
            details["passed_over_before"] = passed_over
        record: Mapping[str, object] = {
            "at": time.time(),
            "source": refused.source.name,
            "who": _short(refused.who),
            "role": refused.role.name if refused.role is not None else None,
            "where": refused.where,
            "action": _short(refused.action),
            "object": _short(refused.object),
            "why": _short(refused.reason),
            "correlation": refused.correlation,
            "details": {"problem": _short(refused.problem)} | details,
        }
        self._journal.append(Kind.REFUSED, record)
        logger.warning(
            "request refused",
            client=refused.where,
            action=record["action"],
            object=record["object"],
            reason=_short(refused.problem),
            correlation=refused.correlation,
        )


def _short(text: str) -> str:
    """Text that can be stored, of bounded length."""
    return text[:LONGEST].encode("utf-8", "replace").decode()
