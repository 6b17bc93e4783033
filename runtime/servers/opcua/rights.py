"""What a user may do at a node: what writing it or calling it needs.

A method that is not named here nobody may call, a variable that is no tag nobody may write.
"""

from __future__ import annotations

from typing import Any

from asyncua import ua
from asyncua.crypto.permission_rules import User
from asyncua.server.address_space import AddressSpace as Standard
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from runtime.security.permissions import Permission, about, needed
from runtime.servers.opcua.address_space import PlantNode
from runtime.servers.opcua.users import may

# Of our own namespace, by the last part of their path.
METHODS = {
    "SetEmergencyStop": Permission.STOP,
    "ClearEmergencyStop": Permission.CLEAR,
    "SetMode": Permission.COMMAND,
    "SetManualSetpoint": Permission.COMMAND,
    "ResetStatistics": Permission.RESET_STATISTICS,
    "Acknowledge": Permission.ACKNOWLEDGE,
    "Confirm": Permission.ACKNOWLEDGE,
    "AddComment": Permission.ACKNOWLEDGE,
    "Reset": Permission.ACKNOWLEDGE,
    "TimedShelve": Permission.SHELVE,
    "OneShotShelve": Permission.SHELVE,
    "Unshelve": Permission.SHELVE,
    "Enable": Permission.SUPPRESS,
    "Disable": Permission.SUPPRESS,
    "PlaceInService": Permission.SUPPRESS,
    "RemoveFromService": Permission.SUPPRESS,
}

# OPC UA's own, of the types of conditions and of the Server object.
_STANDARD = {
    "AcknowledgeableConditionType_Acknowledge": Permission.ACKNOWLEDGE,
    "AcknowledgeableConditionType_Confirm": Permission.ACKNOWLEDGE,
    "ConditionType_AddComment": Permission.ACKNOWLEDGE,
    "ConditionType_Enable": Permission.SUPPRESS,
    "ConditionType_Disable": Permission.SUPPRESS,
    "ConditionType_ConditionRefresh": Permission.LOOK,
    "ConditionType_ConditionRefresh2": Permission.LOOK,
    "ShelvedStateMachineType_TimedShelve": Permission.SHELVE,
    "ShelvedStateMachineType_TimedShelve2": Permission.SHELVE,
    "ShelvedStateMachineType_OneShotShelve": Permission.SHELVE,
    "ShelvedStateMachineType_OneShotShelve2": Permission.SHELVE,
    "ShelvedStateMachineType_Unshelve": Permission.SHELVE,
    "ShelvedStateMachineType_Unshelve2": Permission.SHELVE,
    "AlarmConditionType_ShelvingState_TimedShelve": Permission.SHELVE,
    "AlarmConditionType_ShelvingState_TimedShelve2": Permission.SHELVE,
    "AlarmConditionType_ShelvingState_OneShotShelve": Permission.SHELVE,
    "AlarmConditionType_ShelvingState_OneShotShelve2": Permission.SHELVE,
    "AlarmConditionType_ShelvingState_Unshelve": Permission.SHELVE,
    "AlarmConditionType_ShelvingState_Unshelve2": Permission.SHELVE,
    "AlarmConditionType_Reset": Permission.ACKNOWLEDGE,
    "AlarmConditionType_Reset2": Permission.ACKNOWLEDGE,
    "AlarmConditionType_RemoveFromService": Permission.SUPPRESS,
    "AlarmConditionType_RemoveFromService2": Permission.SUPPRESS,
    "AlarmConditionType_PlaceInService": Permission.SUPPRESS,
    "AlarmConditionType_PlaceInService2": Permission.SUPPRESS,
    "Server_GetMonitoredItems": Permission.LOOK,
    "Server_ResendData": Permission.LOOK,
}
_BY_NUMBER = {getattr(ObjectIds, name): permission for name, permission in _STANDARD.items()}

_READING = ua.AccessLevel.CurrentRead.mask | ua.AccessLevel.HistoryRead.mask
_WRITING = ua.AccessLevel.CurrentWrite.mask
PERSONAL = (AttributeIds.UserAccessLevel, AttributeIds.UserExecutable)


def to_call(method: ua.NodeId) -> Permission | None:
    """The permission that calling a method needs; None: nobody may."""
    if method.NamespaceIndex == 0:
        return _BY_NUMBER.get(method.Identifier)
    return METHODS.get(str(method.Identifier).rpartition("/")[2])


def may_call(user: User, aspace: Standard, method: ua.NodeId) -> bool:
    """Whether a user may call this. What is no method at all is refused where it is called."""
    node = aspace.get(method)
    if node is None or AttributeIds.Executable not in node.attributes:
        return True
    permission = to_call(method)
    return permission is not None and may(user, permission)


def may_write(user: User, node: object, item: ua.WriteValue) -> bool:
    """Whether a user may ask for this value here, as far as the role decides it."""
    tag = node.member.tag if isinstance(node, PlantNode) and node.member else None
    if tag is None or item.AttributeId != AttributeIds.Value:
        return True  # nobody may: the gate says so, and why
    value = item.Value.Value.Value if item.Value is not None and item.Value.Value else None
    if isinstance(value, bool | int | float):
        permission = needed(tag, float(value))
        return permission is None or may(user, permission)
    wanted = about(tag)  # of no kind that it could have: told apart only to who may write at all
    return not wanted or any(may(user, permission) for permission in wanted)


def personal(user: User, aspace: Standard, item: ua.ReadValueId) -> ua.DataValue | None:
    """UserAccessLevel or UserExecutable of a node for this user; None if it has none."""
    node = aspace.get(item.NodeId)
    if node is None or item.AttributeId not in node.attributes:
        return None
    if item.AttributeId == AttributeIds.UserExecutable:
        now: Any = node.attributes[AttributeIds.Executable].value  # not of what is retired
        allowed = bool(now.Value.Value) and may_call(user, aspace, item.NodeId)
        return ua.DataValue(ua.Variant(allowed, ua.VariantType.Boolean))
    tag = node.member.tag if isinstance(node, PlantNode) and node.member else None
    writes = tag is not None and any(may(user, permission) for permission in about(tag))
    level: Any = node.attributes[AttributeIds.AccessLevel].value
    mask = _READING | _WRITING if writes else _READING
    return ua.DataValue(ua.Variant(level.Value.Value & mask, ua.VariantType.Byte))
