"""Sessions as PostgreSQL keeps them: begun, renewed, found again after a restart, ended."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from uuid import UUID

from runtime.database.asking import Ask, Row
from runtime.security.sessions import Changes, Kept, KeptToken

KEPT_DAYS = 30  # after a session would have ended anyway

_BEGIN = """
    WITH over AS (
        DELETE FROM sessions WHERE expires_at < now() - make_interval(days => %(kept)s)
    ), begun AS (
        INSERT INTO sessions (session_id, username, address, expires_at)
        VALUES (%(id)s, %(user)s, %(address)s, now() + make_interval(secs => %(lasts)s))
        RETURNING session_id
    )
    INSERT INTO session_tokens (token_hash, session_id)
    SELECT %(token)s, session_id FROM begun RETURNING session_id
"""
_RENEW = """
    WITH seen AS (
        UPDATE sessions SET last_seen_at = now()
        WHERE session_id = %(id)s AND revoked_at IS NULL RETURNING session_id
    )
    INSERT INTO session_tokens (token_hash, session_id)
    SELECT %(token)s, session_id FROM seen RETURNING session_id
"""
_FIND = """
    SELECT session_id, username, address, revoked_at IS NOT NULL AS revoked,
           extract(epoch FROM now() - created_at)::float8 AS age,
           extract(epoch FROM now() - last_seen_at)::float8 AS idle,
           extract(epoch FROM expires_at - now())::float8 AS left,
           token_hash, extract(epoch FROM now() - superseded_at)::float8 AS superseded
    FROM sessions JOIN session_tokens USING (session_id)
    WHERE session_id = (SELECT session_id FROM session_tokens WHERE token_hash = %(token)s)
    ORDER BY issued_at
"""
_EXCHANGE = """
    WITH seen AS (
        UPDATE sessions
        SET last_seen_at = greatest(last_seen_at, now() - make_interval(secs => idle))
        FROM unnest(%(ids)s::uuid[], %(idle)s::float8[]) AS used (id, idle)
        WHERE session_id = id AND revoked_at IS NULL
    ), superseded AS (
        UPDATE session_tokens SET superseded_at = now()
        WHERE token_hash = ANY(%(superseded)s::bytea[]) AND superseded_at IS NULL
    ), ended AS (
        UPDATE sessions SET revoked_at = now(), revoked_why = why
        FROM unnest(%(ended)s::uuid[], %(why)s::text[]) AS over (id, why)
        WHERE session_id = id AND revoked_at IS NULL
    )
    SELECT session_id FROM sessions WHERE session_id = ANY(%(ids)s::uuid[]) AND revoked_at IS NULL
"""


class SignIns:
    """The sessions of a database. What asks raises what `ask` raises; `later` holds up nobody."""

    def __init__(self, ask: Ask, later: Callable[..., Future[list[Row]]]) -> None:
        self._ask = ask
        self._later = later

    def begin(self, session: UUID, user: str, address: str, token: bytes, lasts: float) -> None:
        """Keep a new session and its first token. `lasts`: s."""
        given = {"id": session, "user": user, "address": address, "token": token, "lasts": lasts}
        self._ask(_BEGIN, given | {"kept": KEPT_DAYS})

    def renew(self, session: UUID, token: bytes) -> bool:
        """Keep a further token; False if the session has been revoked."""
        return bool(self._ask(_RENEW, {"id": session, "token": token}))

    def find(self, token: bytes) -> Kept | None:
        """The session of a token, whatever has become of both."""
        rows = self._ask(_FIND, {"token": token})
        if not rows:
            return None
        tokens = [KeptToken(bytes(row["token_hash"]), row["superseded"]) for row in rows]
        first = {name: rows[0][name] for name in ("address", "revoked", "age", "idle", "left")}
        return Kept(rows[0]["session_id"], rows[0]["username"], tokens=tokens, **first)

    def exchange(self, changes: Changes) -> Future[list[Row]]:
        """Tell what has changed, and learn which of the sessions are still in force."""
        given = {
            "ids": list(changes.idle),
            "idle": list(changes.idle.values()),
            "superseded": changes.superseded,
            "ended": list(changes.ended),
            "why": list(changes.ended.values()),
        }
        return self._later(_EXCHANGE, given)
