"""Attributes of nodes that are the same for many of them, made once and shared."""

from __future__ import annotations

from typing import Any

from asyncua import ua
from asyncua.server.address_space import AttributeValue
from asyncua.ua.attribute_ids import AttributeIds

NAMESPACE = "urn:calejo:control-adapter"
INDEX = 2  # of the namespace in this server: 0 is OPC UA's, 1 the application's

Attributes = dict[AttributeIds, AttributeValue]


def standard(number: int) -> ua.ExpandedNodeId:
    """The id of a node that OPC UA itself defines."""
    return ua.ExpandedNodeId(ua.Int32(number))


def constant(value: Any, kind: ua.VariantType) -> AttributeValue:
    return AttributeValue(ua.DataValue(ua.Variant(value, kind)))


def common(
    kind: ua.NodeClass, name: str, title: str, doc: str, namespace: int = INDEX
) -> Attributes:
    """The attributes that every node has, but for its id."""
    text, number = ua.VariantType.LocalizedText, ua.VariantType.UInt32
    return {
        AttributeIds.NodeClass: constant(kind, ua.VariantType.Int32),
        AttributeIds.BrowseName: constant(
            ua.QualifiedName(name, namespace), ua.VariantType.QualifiedName
        ),
        AttributeIds.DisplayName: constant(ua.LocalizedText(title), text),
        AttributeIds.Description: constant(ua.LocalizedText(doc), text),
        AttributeIds.WriteMask: constant(0, number),
        AttributeIds.UserWriteMask: constant(0, number),
    }


def variable(data_type: int, rank: int = -1, stored: bool = False) -> Attributes:
    """What variables have besides, but for their value."""
    reading = ua.AccessLevel.CurrentRead.mask
    if stored:
        reading |= ua.AccessLevel.HistoryRead.mask
    return {
        AttributeIds.DataType: constant(standard(data_type), ua.VariantType.NodeId),
        AttributeIds.ValueRank: constant(rank, ua.VariantType.Int32),
        AttributeIds.AccessLevel: constant(reading, ua.VariantType.Byte),
        AttributeIds.UserAccessLevel: constant(reading, ua.VariantType.Byte),
        AttributeIds.Historizing: constant(stored, ua.VariantType.Boolean),
    }
