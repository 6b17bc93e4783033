"""Which services there are, and the refusal of every write.

asyncua's defaults let anybody write read-only nodes, and add and delete nodes.
"""

from __future__ import annotations

from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import PermissionRuleset, User, UserRole
from asyncua.server.address_space import AttributeService
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.users import ANONYMOUS

OPEN = frozenset(
    ua.NodeId(ua.Int32(getattr(ObjectIds, f"{service}Request_Encoding_DefaultBinary")))
    for service in (
        *(
            "Read",
            "HistoryRead",
            "Write",
            "Call",
            "Browse",
            "BrowseNext",
            "TranslateBrowsePathsToNodeIds",
        ),
        *("RegisterNodes", "UnregisterNodes", "Publish", "Republish"),
        *("CreateSubscription", "ModifySubscription", "DeleteSubscriptions"),
        *("TransferSubscriptions", "SetPublishingMode", "SetMonitoringMode", "SetTriggering"),
        *("CreateMonitoredItems", "ModifyMonitoredItems", "DeleteMonitoredItems"),
    )
)


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
        if user.role is UserRole.Admin:  # only asyncua's own session: `sign_in` never says so
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
