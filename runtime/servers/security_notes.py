"""What happens to accounts and sessions: the audit log has it, under the name of who did it."""

from __future__ import annotations

import time

import structlog

from runtime.requests import Role, Source
from runtime.servers.correlation import current
from runtime.spool import Journal, Kind

logger = structlog.get_logger()


class SecurityNotes:
    """Records what was done, in the spool of a server. Thread-safe."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def tell(
        self,
        who: str,
        role: Role,
        where: str,
        action: str,
        about: str = "",
        /,
        source: Source = Source.REST,
        **details: object,
    ) -> None:
        """Record that somebody did something, to another's account if `about` names it."""
        record = {
            "at": time.time(),
            "source": source.name,
            "who": who,
            "role": role.name,
            "where": where,
            "action": action,
            "object": about,
            "result": "executed",
            "correlation": current(),
            "details": details,
        }
        self._journal.append(Kind.NOTE, record)
        logger.info(action, user=who, client=where, object=about)
