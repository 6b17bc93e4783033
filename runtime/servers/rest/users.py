"""Users, for administrators: seen, added, changed, locked, retired.

A password is never shown, and one that an administrator chose has to be changed by its user.
"""

from __future__ import annotations

from typing import Any, Literal

import falcon
from pydantic import Field

from runtime.security import passwords
from runtime.security.accounts import Account, AccountsError
from runtime.security.permissions import Permission
from runtime.servers.rest.asked import Asked
from runtime.servers.rest.doors import Doors
from runtime.servers.rest.identity import Known
from runtime.servers.rest.models import Model
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.problems import Fault, Problem, quoted, unknown
from runtime.servers.rest.replies import send
from runtime.servers.rest.sign_in import Password, Role, new_password

REFUSALS = (401, 403, 404, 409, 503)


class UserAdded(Asked):
    """A new user. `password` serves only until he has chosen one himself."""

    user: str = Field(min_length=1, max_length=64)
    role: Role
    password: Password = Field(exclude=True)


class UserChanged(Asked):
    """What shall be different; what is not named stays."""

    role: Role | None = None
    locked: bool | None = None
    retired: Literal[True] | None = Field(None, description="For good.")
    password: Password | None = Field(
        None, exclude=True, description="Serves only to choose another."
    )


class UserShown(Model):
    user: str
    role: Role
    locked: bool
    retired: bool
    initial: bool = Field(description="Somebody else chose the password: it has to be changed.")
    certificates: int = Field(description="How many user certificates sign in as this user.")


class UsersShown(Model):
    users: list[UserShown]


class UsersResource:
    """Users."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    @documented(
        UsersShown,
        needs=Permission.ADMINISTER,
        refusals=(401, 403),
        protected=True,
        about="users",
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All users, retired ones too."""
        send(resp, {"users": [_shown(name, account) for name, account in self._doors.accounts]})

    @documented(
        UserShown,
        status=(201,),
        body=UserAdded,
        needs=Permission.ADMINISTER,
        refusals=REFUSALS,
        about="users",
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Add a user."""
        asked: UserAdded = req.context.json
        account = Account(role=asked.role, password=self._kept(asked.password, asked.user))
        account = account.model_copy(update={"initial": True})
        try:
            self._doors.accounts.add(asked.user, account)
        except AccountsError as error:
            raise _refused(error, asked.user) from None
        self._tell(req, "add user", asked.user, role=asked.role)
        resp.status = falcon.HTTP_201
        send(resp, _shown(asked.user, account))

    @documented(
        UserShown,
        body=UserChanged,
        needs=Permission.ADMINISTER,
        refusals=REFUSALS,
        about="users",
    )
    def on_post_change(self, req: falcon.Request, resp: falcon.Response, user: str) -> None:
        """Change, lock, unlock or retire a user. A lock or another password ends his sessions."""
        asked: UserChanged = req.context.json
        known: Known = req.context.known
        accounts = self._doors.accounts
        if accounts.get(user) is None:
            raise unknown("user", "path", user, [name for name, _ in accounts])
        if user == known.name:
            raise Problem(409, "Nobody changes his own account: another administrator does.")
        told = asked.model_dump(exclude_none=True)
        changes: dict[str, Any] = dict(told)
        if asked.retired:
            changes |= {"password": "", "certificates": ()}
        elif asked.password is not None:
            changes |= {"password": self._kept(asked.password, user), "initial": True}
        try:
            account = accounts.change(user, **changes)
        except AccountsError as error:
            raise _refused(error, user) from None
        if not account.open or asked.password is not None:
            self._doors.sessions.end_all(user, "an administrator changed the account")
        if asked.password is not None:
            told["password"] = "changed"
        self._tell(req, "change user", user, **told)
        send(resp, _shown(user, account))

    def _kept(self, password: str, user: str) -> str:
        new_password(password, user)
        with self._doors.room():
            return passwords.hashed(password)

    def _tell(self, req: falcon.Request, action: str, user: str, **details: Any) -> None:
        known: Known = req.context.known
        self._doors.notes.tell(known.name, known.role, req.remote_addr, action, user, **details)


def _shown(name: str, account: Account) -> dict[str, Any]:
    return {
        "user": name,
        "role": account.role,
        "locked": account.locked,
        "retired": account.retired,
        "initial": account.initial,
        "certificates": len(account.certificates),
    }


def _refused(error: AccountsError, user: str) -> Problem:
    return Problem(409, f"Not done: {error}.", [Fault("user", "refused", quoted(user), "detail")])
