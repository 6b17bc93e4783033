"""Who comes in by a password.

Whoever may not learns nothing but that: unknown user, wrong password, locked account look alike and
take as long. Who has failed often waits, by user and address, so that nobody can keep somebody else
out. Argon2 takes 64 MiB and a tenth of a second: few at a time, the others are asked to come again,
and stops don't queue behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Semaphore
from typing import Any, NoReturn

import falcon

from runtime.requests import Source
from runtime.security import passwords
from runtime.security.accounts import Account, Accounts
from runtime.security.sessions import Sessions
from runtime.security.throttle import Throttle
from runtime.servers.refusals import Refusals, Refused
from runtime.servers.rest.identity import Identities, Known
from runtime.servers.rest.problems import Fault, Problem
from runtime.servers.security_notes import SecurityNotes

AT_ONCE = 2  # Argon2
MOST_WAITING = 4  # with those that are at it: of 8 threads the others stay free for stops


class Doors:
    """What signing in takes, for all resources of it."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        identities: Identities,
        refusals: Refusals,
        notes: SecurityNotes,
    ) -> None:
        self.accounts = accounts
        self.sessions = sessions
        self.identities = identities
        self.notes = notes
        self._refusals = refusals
        self._throttle = Throttle()
        self._room = BoundedSemaphore(MOST_WAITING)
        self._turn = Semaphore(AT_ONCE)

    def check(self, req: falcon.Request, user: str, password: str) -> Account:
        """The account of a user who knows its password, or a problem that says nothing else."""
        place = f"{req.remote_addr} {user}"
        if (wait := self._throttle.wait(place)) > 0:
            seconds = str(int(wait) + 1)
            detail = "Too many failed sign-ins; wait before the next."
            raise Problem(429, detail, headers={"Retry-After": seconds})
        account = self.accounts.get(user)
        with self.room():
            right = passwords.matches(account.password if account else "", password)
        if account is None or not right or not account.open:
            self._throttle.failed(place)
            self._refuse(req, user)
        self._throttle.succeeded(place)
        return account

    @contextmanager
    def room(self) -> Iterator[None]:
        """Room for an Argon2."""
        if not self._room.acquire(blocking=False):
            detail = "Too many sign in at once."
            raise Problem(503, detail, headers={"Retry-After": "1"})
        try:
            with self._turn:
                yield
        finally:
            self._room.release()

    def _refuse(self, req: falcon.Request, user: str) -> NoReturn:
        req.context.recorded = True
        problem = "unknown user, wrong password, or locked account"
        tried = Refused(Source.REST, "unknown", None, req.remote_addr, "sign in", user, problem)
        self._refusals.record(tried, status=401)
        fault = Fault("body", "not known", "user and password", "those of an account that is open")
        headers = {"WWW-Authenticate": 'Session realm="calejo"'}
        raise Problem(401, "User or password is wrong.", [fault], headers)

    def shown(self, known: Known) -> dict[str, Any]:
        csrf = self.identities.csrf(known.session) if known.session else None
        role = known.role.name.lower()
        return {"user": known.name, "role": role, "csrf": csrf, "initial": known.initial}
