"""Signing in and out: sessions, and one's own password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Annotated, Any, Literal

import falcon
from pydantic import Field

from runtime.security import passwords, policy
from runtime.security.accounts import FIRST
from runtime.security.permissions import Permission, may
from runtime.security.sessions import Session, TooMany
from runtime.servers.rest.asked import Asked
from runtime.servers.rest.doors import Doors
from runtime.servers.rest.identity import HELP, Known, set_cookie, unset_cookie
from runtime.servers.rest.models import Model
from runtime.servers.rest.needs import ANYBODY, SIGNED_IN
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.problems import Problem
from runtime.servers.rest.queries import Away, Busy
from runtime.servers.rest.replies import send

Password = Annotated[str, Field(min_length=1, max_length=policy.LONGEST)]
Role = Literal["viewer", "operator", "engineer", "administrator"]


class SigningIn(Asked):
    """Who signs in."""

    user: str = Field(min_length=1, max_length=64)
    password: Password = Field(exclude=True)


class Nothing(Asked):
    """An empty object."""


class PasswordChange(Asked):
    """One's own password, and the one in its place."""

    password: Password = Field(exclude=True)
    new: Password = Field(exclude=True)


class SessionShown(Model):
    user: str
    role: Role
    kind: Literal["session", "emergency account"]
    address: str
    began_at: datetime | None = Field(description="Null of the emergency account.")
    ends_at: datetime | None = Field(description="At the latest; sooner if its user does nothing.")
    own: bool


class SessionsShown(Model):
    sessions: list[SessionShown]


class SignedIn(Model):
    user: str
    role: Role
    csrf: str | None = Field(description="What a change carries as the header X-CSRF.")
    initial: bool = Field(description="The password has to be changed before anything else.")


class SessionsResource:
    """Sessions."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    @documented(SessionsShown, needs=SIGNED_IN, refusals=(401,), protected=True, about="sessions")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Who has signed in: oneself; for administrators everybody."""
        known: Known = req.context.known
        all_of_them = may(known.role, Permission.ADMINISTER)
        shown = [
            self._session(session, session is known.session)
            for session in self._doors.sessions
            if all_of_them or session.user == known.name
        ]
        if known.session is None:
            emergency = {"user": FIRST, "role": "operator", "kind": "emergency account"}
            own = {"address": req.remote_addr, "began_at": None, "ends_at": None, "own": True}
            shown.append(emergency | own)
        send(resp, {"sessions": shown})

    def _session(self, session: Session, own: bool) -> dict[str, Any]:
        now, at = monotonic(), datetime.now(UTC)
        account = self._doors.accounts.get(session.user)
        return {
            "user": session.user,
            "role": account.role if account else "viewer",
            "kind": "session",
            "address": session.address,
            "began_at": at + timedelta(seconds=session.began - now),
            "ends_at": at + timedelta(seconds=session.ends - now),
            "own": own,
        }

    @documented(
        SignedIn,
        status=(201,),
        body=SigningIn,
        needs=ANYBODY,
        refusals=(401, 429, 503),
        about="sessions",
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Sign in. The reply sets the cookie of the session."""
        asked: SigningIn = req.context.json
        doors = self._doors
        account = doors.check(req, asked.user, asked.password)
        with storing("Nobody can sign in"):
            session, token = doors.sessions.begin(asked.user, req.remote_addr)
        doors.notes.tell(asked.user, account.rank, req.remote_addr, "sign in")
        set_cookie(req, resp, token)
        resp.status = falcon.HTTP_201
        resp.set_header("Cache-Control", "no-store")
        send(resp, doors.shown(Known(asked.user, account.rank, session, account.initial)))


class OwnResource:
    """One's own session."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    @documented(SignedIn, needs=SIGNED_IN, refusals=(401,), protected=True, about="sessions")
    def on_get_one(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Who one is, and what a change has to carry."""
        resp.set_header("Cache-Control", "no-store")
        send(resp, self._doors.shown(req.context.known))

    @documented(SignedIn, body=Nothing, needs=SIGNED_IN, refusals=(401, 403, 503), about="sessions")
    def on_post_renew(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Say that its user is there. The reply has a new token; the old one soon ends."""
        known: Known = req.context.known
        if known.session is not None:
            with storing("The session goes on with its old token"):
                token = self._doors.sessions.renew(known.session)
            if token is None:
                raise Problem(401, "The session has been revoked.")
            set_cookie(req, resp, token)
        resp.set_header("Cache-Control", "no-store")
        send(resp, self._doors.shown(known))

    @documented(
        None, status=(204,), body=Nothing, needs=SIGNED_IN, refusals=(401, 403), about="sessions"
    )
    def on_post_end(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Sign out."""
        known: Known = req.context.known
        if known.session is not None:
            self._doors.sessions.end(known.session, "signed out")
            self._doors.notes.tell(known.name, known.role, req.remote_addr, "sign out")
        unset_cookie(req, resp)
        resp.status = falcon.HTTP_204

    @documented(
        SignedIn,
        body=PasswordChange,
        needs=SIGNED_IN,
        refusals=(401, 403, 409, 429, 503),
        about="sessions",
    )
    def on_post_password(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Change one's own password. All other sessions of the user end."""
        asked: PasswordChange = req.context.json
        known: Known = req.context.known
        doors = self._doors
        if known.session is None:
            raise Problem(409, "The emergency account has no password but the token file.")
        doors.check(req, known.name, asked.password)
        new_password(asked.new, known.name)
        if asked.new == asked.password:
            raise Problem(422, "The new password is the old one.")
        with doors.room():
            kept = passwords.hashed(asked.new)
        doors.accounts.change(known.name, password=kept, initial=False)
        doors.sessions.end_all(known.name, "the password was changed", but=known.session)
        doors.notes.tell(known.name, known.role, req.remote_addr, "change password")
        send(resp, doors.shown(Known(known.name, known.role, known.session)))


def new_password(password: str, name: str) -> None:
    """Refuse a password that may not be chosen; it is never shown."""
    try:
        policy.check(password, name)
    except policy.PasswordError as error:
        raise Problem(422, f"The request is not valid. {error}.") from None


@contextmanager
def storing(otherwise: str) -> Iterator[None]:
    """Tell what it means that the database does not answer."""
    try:
        yield
    except (Away, Busy, TooMany) as error:
        detail = f"{otherwise}: {error}. {HELP}"
        raise Problem(503, detail, headers={"Retry-After": "5"}) from None
