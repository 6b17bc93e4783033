"""Who asks: somebody with a session, or the emergency account with the token of this machine.

    Cookie                                a session: a change also takes its X-CSRF
    Authorization: Bearer <token file>    the emergency account: operator, needs no database

A page can't read the cookie and no other site can know X-CSRF, which is derived from the session
and the token file. What is wrong with it never counts as nobody: it is refused, unless the request
only looks.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass

import falcon
import structlog

from runtime.requests import Role, Source
from runtime.security.accounts import FIRST, Account, Accounts
from runtime.security.sessions import Session, Sessions
from runtime.servers.mirror import Asker
from runtime.servers.rest.problems import Fault, Problem
from runtime.servers.rest.queries import Away, Busy
from runtime.servers.security_notes import SecurityNotes

PLAIN, SECURE = "calejo", "__Host-calejo"
CSRF = "X-CSRF"
AGAIN = 900.0  # s after which use of the emergency account from the same address is told again
ADDRESSES = 1_000  # that are remembered for it

logger = structlog.get_logger()


@dataclass(frozen=True)
class Known:
    """Who asks. `session` None: the emergency account."""

    name: str
    role: Role
    session: Session | None = None
    initial: bool = False


class Identities:
    """Tells who asks."""

    def __init__(
        self,
        token: str,
        accounts: Accounts,
        sessions: Sessions,
        notes: SecurityNotes,
        database_away: Callable[[], bool],
    ) -> None:
        self._token = token.encode()
        self._accounts = accounts
        self._sessions = sessions
        self._notes = notes
        self._database_away = database_away
        self._told: dict[str, float] = {}

    def of(self, req: falcon.Request, changes: bool) -> Known | None:
        """Who asks; None: nobody says so. Raises Problem if it is no proof and `changes`."""
        if given := req.get_header("Authorization"):
            return self._by_token(req, given, changes)
        if cookie := req.cookies.get(cookie_name(req)):
            return self._by_session(req, cookie, changes)
        return None

    def csrf(self, session: Session) -> str:
        """What a change has to carry beside the cookie of a session."""
        return hmac.new(self._token, b"csrf " + session.id.bytes, hashlib.sha256).hexdigest()

    def _by_token(self, req: falcon.Request, given: str, changes: bool) -> Known | None:
        scheme, _, token = given.partition(" ")
        right = hmac.compare_digest(token.strip().encode(errors="replace"), self._token)
        if scheme.lower() == "bearer" and right:
            self._tell_emergency(req.remote_addr)
            return Known(FIRST, Role.OPERATOR)
        if changes:
            raise unknown_asker("another token" if token else "no bearer token")
        return None

    def _by_session(self, req: falcon.Request, cookie: str, changes: bool) -> Known | None:
        try:
            session = self._sessions.of(cookie, active=changes)
        except (Away, Busy) as error:
            if not changes:
                return None
            detail = f"Whether this session is in force only the database knows: {error}. {HELP}"
            raise Problem(503, detail, headers={"Retry-After": "5"}) from None
        account = self._account(session) if session else None
        if session is None or account is None:
            if changes:
                raise unknown_asker("no session that is in force")
            return None
        if changes and not hmac.compare_digest(
            (req.get_header(CSRF) or "").encode(errors="replace"), self.csrf(session).encode()
        ):
            fault = Fault(f"header.{CSRF}", "does not fit", "another", "`csrf` of the session")
            raise Problem(403, "A change on behalf of another site is refused.", [fault])
        return Known(session.user, account.rank, session, account.initial)

    def _account(self, session: Session) -> Account | None:
        """The account of a session, as it is now: a lock or another role is felt at once."""
        account = self._accounts.get(session.user)
        if account is not None and account.open:
            return account
        self._sessions.end(session, "the account is locked or retired")
        return None

    def _tell_emergency(self, address: str) -> None:
        now = time.monotonic()
        if now - self._told.get(address, -AGAIN) < AGAIN:
            return
        if len(self._told) >= ADDRESSES:
            self._told.clear()
        self._told[address] = now
        away = self._database_away()
        self._notes.tell(FIRST, Role.OPERATOR, address, "use emergency account", database_away=away)
        tell = logger.error if away else logger.warning
        tell("emergency account used", client=address, database_away=away)


HELP = (
    "While it is away, the token of the state directory serves: sign in without a user name, and"
    " with it as the password."
)


def cookie_name(req: falcon.Request) -> str:
    """Over plain HTTP a browser takes no cookie of the safe kind."""
    return SECURE if req.scheme == "https" else PLAIN


def set_cookie(req: falcon.Request, resp: falcon.Response, token: str) -> None:
    """Give a browser its token; it goes when the browser is closed."""
    name, secure = cookie_name(req), req.scheme == "https"
    resp.set_cookie(name, token, path="/", http_only=True, same_site="Strict", secure=secure)


def unset_cookie(req: falcon.Request, resp: falcon.Response) -> None:
    name, secure = cookie_name(req), req.scheme == "https"
    resp.set_cookie(
        name, "", path="/", http_only=True, same_site="Strict", secure=secure, max_age=0
    )


def asker(req: falcon.Request, why: str) -> Asker:
    """Who asks the scan for a change, why, and from where."""
    known: Known = req.context.known
    return Asker(Source.REST, known.role, known.name, why, req.remote_addr)


def unknown_asker(found: str) -> Problem:
    """The answer to a change by nobody we know."""
    challenge = 'Bearer realm="calejo"' + (', error="invalid_token"' if "other" in found else "")
    fault = Fault(
        "header.Authorization", "not authorised", found, "a session, or Bearer <token file>"
    )
    return Problem(
        401,
        "This needs somebody who has signed in, or the token of the state directory.",
        [fault],
        {"WWW-Authenticate": challenge},
    )
