"""What the objects of a table have: a variable for each tag, the methods, and their properties.

All is derived from `runtime.tags`. Whatever is the same for every pump exists once and is shared:
only node id and value differ between one pump's variable and the next's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AttributeValue
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua.limits import TICK
from runtime.servers.opcua.values import VARIANTS
from runtime.tag import Table, Tag, Unit
from runtime.tags import SHOWN, shown

NAMESPACE = "urn:calejo:control-adapter"
INDEX = 2  # of the namespace in this server: 0 is OPC UA's, 1 the application's
UNECE = "http://www.opcfoundation.org/UA/units/un/cefact"

Attributes = dict[AttributeIds, AttributeValue]


class Method(Enum):
    """What a client may call, on every object that has the tag EmergencyStop."""

    SET = ("SetEmergencyStop", "Stop in the next scan, latched until it is cleared.")
    CLEAR = (
        "ClearEmergencyStop",
        "Clear the emergency stop in force once what it stops stands; a reason is required.",
    )

    def __init__(self, label: str, doc: str) -> None:
        self.label = label
        self.doc = doc


INPUTS = (("Reason", ua.VariantType.String, "Why, for the audit trail."),)
OUTPUTS = (
    ("RequestId", ua.VariantType.UInt64, "Identity of the request in the audit trail."),
    ("Scan", ua.VariantType.UInt64, "Number of the scan that executed it."),
    ("Latency", ua.VariantType.Double, "Time from the call to the published image, in s."),
)


@dataclass(frozen=True, eq=False)
class Property:
    """A property: its attributes, value included, are the same for all objects."""

    name: str
    attributes: Attributes


@dataclass(frozen=True, eq=False)
class Member:
    """A variable (with its tag) or a method of the objects of a table."""

    name: str
    kind: ua.NodeClass
    definition: ua.ExpandedNodeId | None
    attributes: Attributes
    properties: Mapping[str, Property]
    tag: Tag | None = None
    method: Method | None = None


def standard(number: int) -> ua.ExpandedNodeId:
    """The id of a node that OPC UA itself defines."""
    return ua.ExpandedNodeId(ua.Int32(number))


def constant(value: Any, kind: ua.VariantType) -> AttributeValue:
    return AttributeValue(ua.DataValue(ua.Variant(value, kind)))


def common(kind: ua.NodeClass, name: str, title: str, doc: str) -> Attributes:
    """The attributes that every node has, but for its id."""
    return {
        AttributeIds.NodeClass: constant(kind, ua.VariantType.Int32),
        AttributeIds.BrowseName: constant(
            ua.QualifiedName(name, INDEX), ua.VariantType.QualifiedName
        ),
        AttributeIds.DisplayName: constant(ua.LocalizedText(title), ua.VariantType.LocalizedText),
        AttributeIds.Description: constant(ua.LocalizedText(doc), ua.VariantType.LocalizedText),
        AttributeIds.WriteMask: constant(0, ua.VariantType.UInt32),
        AttributeIds.UserWriteMask: constant(0, ua.VariantType.UInt32),
    }


def _variable(data_type: int, rank: int = -1) -> Attributes:
    return {
        AttributeIds.DataType: constant(standard(data_type), ua.VariantType.NodeId),
        AttributeIds.ValueRank: constant(rank, ua.VariantType.Int32),
        AttributeIds.AccessLevel: constant(ua.AccessLevel.CurrentRead.mask, ua.VariantType.Byte),
        AttributeIds.UserAccessLevel: constant(
            ua.AccessLevel.CurrentRead.mask, ua.VariantType.Byte
        ),
        AttributeIds.Historizing: constant(False, ua.VariantType.Boolean),
    }


def _property(name: str, data_type: int, value: object, kind: ua.VariantType) -> Property:
    attributes = common(ua.NodeClass.Variable, name, name, "")
    # Standard properties have names of OPC UA's own namespace.
    attributes[AttributeIds.BrowseName] = constant(
        ua.QualifiedName(name), ua.VariantType.QualifiedName
    )
    attributes |= _variable(data_type, 1 if isinstance(value, list) else -1)
    if isinstance(value, list):
        dimensions = ua.Variant([len(value)], ua.VariantType.UInt32)
        attributes[AttributeIds.ArrayDimensions] = AttributeValue(ua.DataValue(dimensions))
    attributes[AttributeIds.Value] = constant(value, kind)
    return Property(name, attributes)


def _texts(name: str, texts: Mapping[int, str]) -> Property:
    """Texts by number, as an array."""
    array = [ua.LocalizedText(texts.get(number, "")) for number in range(max(texts) + 1)]
    return _property(name, ObjectIds.LocalizedText, array, ua.VariantType.LocalizedText)


def unit_id(code: str) -> int:
    """The code of a unit as OPC UA Part 8 writes it: its ASCII characters as one number."""
    return int.from_bytes(code.encode("ascii"), "big") if code else -1


def _unit(unit: Unit) -> Property:
    words = unit.name.replace("_", " ").lower()
    information = ua.EUInformation(
        NamespaceUri=ua.String(UNECE if unit.unece else NAMESPACE),
        UnitId=ua.Int32(unit_id(unit.unece)),
        DisplayName=ua.LocalizedText(unit.symbol),
        Description=ua.LocalizedText(words),
    )
    kind = ua.VariantType.ExtensionObject
    return _property("EngineeringUnits", ObjectIds.EUInformation, information, kind)


def _range(low: float, high: float) -> Property:
    value = ua.Range(Low=ua.Double(low), High=ua.Double(high))
    return _property("EURange", ObjectIds.Range, value, ua.VariantType.ExtensionObject)


def _shape(tag: Tag) -> tuple[int, list[Property]]:
    """The variable type of a tag, and the properties that go with it."""
    if tag.states:
        return ObjectIds.MultiStateDiscreteType, [_texts("EnumStrings", tag.states)]
    if tag.flags:
        return ObjectIds.OptionSetType, [_texts("OptionSetValues", tag.flags)]
    ranged = not tag.is_bool and tag.low < tag.high
    match ranged, tag.unit is not Unit.NONE:
        case True, True:
            properties = [_unit(tag.unit), _range(tag.low, tag.high)]
            return ObjectIds.AnalogUnitRangeType, properties
        case True, False:
            return ObjectIds.AnalogItemType, [_range(tag.low, tag.high)]
        case False, True:
            return ObjectIds.AnalogUnitType, [_unit(tag.unit)]
    return ObjectIds.BaseDataVariableType, []


def _of_tag(tag: Tag) -> Member:
    kind, properties = _shape(tag)
    attributes = common(ua.NodeClass.Variable, tag.name, tag.name, tag.doc)
    attributes |= _variable(VARIANTS[tag.dtype].value)
    attributes[AttributeIds.MinimumSamplingInterval] = constant(TICK * 1e3, ua.VariantType.Double)
    return Member(
        tag.name,
        ua.NodeClass.Variable,
        standard(kind),
        attributes,
        {entry.name: entry for entry in properties},
        tag=tag,
    )


def _arguments(name: str, arguments: tuple[tuple[str, ua.VariantType, str], ...]) -> Property:
    array = [
        ua.Argument(
            Name=ua.String(label),
            DataType=standard(kind.value),
            ValueRank=ua.Int32(-1),
            Description=ua.LocalizedText(doc),
        )
        for label, kind, doc in arguments
    ]
    return _property(name, ObjectIds.Argument, array, ua.VariantType.ExtensionObject)


def _of_method(method: Method) -> Member:
    attributes = common(ua.NodeClass.Method, method.label, method.label, method.doc)
    attributes[AttributeIds.Executable] = constant(True, ua.VariantType.Boolean)
    attributes[AttributeIds.UserExecutable] = constant(True, ua.VariantType.Boolean)
    properties = [_arguments("InputArguments", INPUTS), _arguments("OutputArguments", OUTPUTS)]
    return Member(
        method.label,
        ua.NodeClass.Method,
        None,
        attributes,
        {entry.name: entry for entry in properties},
        method=method,
    )


def _members(table: type[Table]) -> dict[str, Member]:
    found = {tag.name: _of_tag(tag) for tag in shown(table)}
    if "EmergencyStop" in found:
        found |= {method.label: _of_method(method) for method in Method}
    return found


MEMBERS: dict[type[Table], dict[str, Member]] = {table: _members(table) for table in SHOWN}


def members_of(table: type[Table] | None) -> dict[str, Member]:
    """The members of an object by name; the root and groups have no table, and so none."""
    return MEMBERS[table] if table else {}
