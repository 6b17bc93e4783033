"""Who may do what: users, services, and the refusal of every write.

asyncua's defaults let anybody sign in as "admin" without a password, write read-only nodes, and
add and delete nodes. Here everybody may look; only the operator may call methods; nobody may write.
"""

from __future__ import annotations

import secrets
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import PermissionRuleset, User, UserRole
from asyncua.server.address_space import AttributeService
from asyncua.server.internal_server import InternalServer
from asyncua.server.user_managers import UserManager
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

OPERATOR = "operator"
ANONYMOUS = User(UserRole.Anonymous)

OPEN = frozenset(
    ua.NodeId(ua.Int32(getattr(ObjectIds, f"{service}Request_Encoding_DefaultBinary")))
    for service in (
        *("Read", "Write", "Call", "Browse", "BrowseNext", "TranslateBrowsePathsToNodeIds"),
        *("RegisterNodes", "UnregisterNodes", "Publish", "Republish"),
        *("CreateSubscription", "ModifySubscription", "DeleteSubscriptions"),
        *("TransferSubscriptions", "SetPublishingMode", "SetMonitoringMode"),
        *("CreateMonitoredItems", "ModifyMonitoredItems", "DeleteMonitoredItems"),
    )
)


class Users(UserManager):
    """Anonymous, and the operator with the token as password."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def get_user(
        self,
        iserver: InternalServer,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        """The user of these credentials; None refuses them."""
        if username is None and password is None:
            return ANONYMOUS
        given = (password or "").encode(errors="surrogateescape")
        known = secrets.compare_digest(given, self._token)
        return User(UserRole.User, OPERATOR) if known and username == OPERATOR else None


class Services(PermissionRuleset):
    """The services of a session. What is not named in OPEN does not exist here."""

    def check_validity(self, user: User, action_type: ua.NodeId, body: Any) -> bool:
        if action_type not in OPEN:
            raise ServiceError(StatusCodes.BadServiceUnsupported)
        return True


class Attributes(AttributeService):
    """Reading for all, writing for nobody but asyncua itself (its clock and its capabilities)."""

    async def write(
        self, params: ua.WriteParameters, user: User = ANONYMOUS
    ) -> list[ua.StatusCode]:
        if user.role is UserRole.Admin:  # only asyncua's own session: Users never says so
            return await super().write(params, user)
        return [ua.StatusCode(ua.UInt32(self._refusal(item, user))) for item in params.NodesToWrite]

    def _refusal(self, item: ua.WriteValue, user: User) -> int:
        node = self._aspace.get(item.NodeId)
        if node is None:
            return StatusCodes.BadNodeIdUnknown
        if item.AttributeId not in node.attributes:
            return StatusCodes.BadAttributeIdInvalid
        known = user.role is UserRole.User
        return StatusCodes.BadNotWritable if known else StatusCodes.BadUserAccessDenied
