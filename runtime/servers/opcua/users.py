"""Who a client is: a user of asyncua's, who knows no roles like ours, with a role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_server import InternalServer
from asyncua.server.user_managers import UserManager

from runtime.requests import Role
from runtime.security.permissions import Permission
from runtime.security.permissions import may as role_may

ANONYMOUS = User(UserRole.Anonymous)


class Nobody(UserManager):
    """Lets nobody in: asyncua never decides it here, `sign_in` does."""

    def get_user(
        self,
        iserver: InternalServer,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        return None


@dataclass
class Known(User):
    """Who has signed in. Never asyncua's Admin: to that, its services open everything."""

    rank: Role = Role.VIEWER


def known(name: str, rank: Role) -> Known:
    return Known(UserRole.User, name, rank)


def role_of(user: User) -> Role | None:
    """The role of a user. Anonymous, if let in, may look; asyncua's own session is nobody."""
    if isinstance(user, Known):
        return user.rank
    return Role.VIEWER if user == ANONYMOUS else None


def may(user: User, permission: Permission) -> bool:
    return role_may(role_of(user), permission)
