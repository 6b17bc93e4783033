"""What the objects of a table have: a variable for each tag, the methods, and their properties.

All is derived from `runtime.tags`. Whatever is the same for every pump exists once and is shared:
only node id and value differ between one pump's variable and the next's. The object types
(StationType, PumpType) declare the same members.

    a tag with          is a                      with the properties
    states              MultiStateDiscreteType    EnumStrings
    flags               OptionSetType             OptionSetValues
    true and false      TwoStateDiscreteType      TrueState, FalseState
    unit and range      AnalogUnitRangeType       EngineeringUnits, EURange
    a range             AnalogItemType            EURange
    a unit              AnalogUnitType            EngineeringUnits

A measurement has its InstrumentRange, too: what lies outside it is no measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua.attributes import (
    INDEX,
    NAMESPACE,
    Attributes,
    common,
    constant,
    standard,
    variable,
)
from runtime.servers.opcua.limits import TICK
from runtime.servers.opcua.method import OUTPUTS, Method, methods_of
from runtime.servers.opcua.properties import (
    Property,
    arguments,
    engineering_units,
    extent,
    text,
    texts,
)
from runtime.servers.opcua.values import VARIANTS
from runtime.tag import Table, Tag, Unit
from runtime.tags import SHOWN, shown

__all__ = ["INDEX", "NAMESPACE", "Member", "common", "constant", "members_of", "standard"]


@dataclass(frozen=True, eq=False)
class Member:
    """A variable (with its tag), a method or a property of the objects of a table."""

    name: str
    kind: ua.NodeClass
    definition: ua.ExpandedNodeId | None
    attributes: Attributes
    properties: Mapping[str, Property] = field(default_factory=dict)
    tag: Tag | None = None
    method: Method | None = None
    namespace: int = INDEX


def _version() -> Member:
    attributes = common(ua.NodeClass.Variable, "NodeVersion", "NodeVersion", "", namespace=0)
    attributes |= variable(ObjectIds.String)
    kind = ua.NodeClass.Variable
    return Member("NodeVersion", kind, standard(ObjectIds.PropertyType), attributes, namespace=0)


NODE_VERSION = _version()
"""Of every object: the version of the equipment with which its references last changed."""


def _shape(tag: Tag) -> tuple[int, list[Property]]:
    """The variable type of a tag, and the properties that go with it."""
    if tag.is_bool:
        words = ("active", "normal") if tag.alarm else ("yes", "no")
        states = [text(name, word) for name, word in zip(_BOTH, words, strict=True)]
        return ObjectIds.TwoStateDiscreteType, states
    if tag.states:
        return ObjectIds.MultiStateDiscreteType, [texts("EnumStrings", tag.states)]
    if tag.flags:
        return ObjectIds.OptionSetType, [texts("OptionSetValues", tag.flags)]
    return _analog(tag)


_BOTH = ("TrueState", "FalseState")


def _analog(tag: Tag) -> tuple[int, list[Property]]:
    found = [engineering_units(tag.unit)] if tag.unit is not Unit.NONE else []
    if tag.low < tag.high:
        found.append(extent("EURange", tag.low, tag.high))
        if tag.quality:
            found.append(extent("InstrumentRange", tag.low, tag.high))
    match tag.low < tag.high, tag.unit is not Unit.NONE:
        case True, True:
            return ObjectIds.AnalogUnitRangeType, found
        case True, False:
            return ObjectIds.AnalogItemType, found
        case False, True:
            return ObjectIds.AnalogUnitType, found
    return ObjectIds.BaseDataVariableType, found


def _by_name(properties: list[Property]) -> dict[str, Property]:
    return {entry.name: entry for entry in properties}


def _of_tag(tag: Tag) -> Member:
    kind, properties = _shape(tag)
    attributes = common(ua.NodeClass.Variable, tag.name, tag.name, tag.doc)
    attributes |= variable(VARIANTS[tag.dtype].value, stored=tag.stored)
    attributes[AttributeIds.MinimumSamplingInterval] = constant(TICK * 1e3, ua.VariantType.Double)
    node_class = ua.NodeClass.Variable
    return Member(tag.name, node_class, standard(kind), attributes, _by_name(properties), tag=tag)


def _of_method(method: Method) -> Member:
    attributes = common(ua.NodeClass.Method, method.name, method.name, method.doc)
    attributes[AttributeIds.Executable] = constant(True, ua.VariantType.Boolean)
    attributes[AttributeIds.UserExecutable] = constant(True, ua.VariantType.Boolean)
    inputs = arguments("InputArguments", method.inputs)
    properties = _by_name([inputs, arguments("OutputArguments", OUTPUTS)])
    return Member(method.name, ua.NodeClass.Method, None, attributes, properties, method=method)


def _members(table: type[Table]) -> Iterator[Member]:
    yield from map(_of_tag, shown(table))
    yield from map(_of_method, methods_of(table))
    yield NODE_VERSION


MEMBERS: dict[type[Table], dict[str, Member]] = {
    table: {member.name: member for member in _members(table)} for table in SHOWN
}
_OF_FOLDERS = {NODE_VERSION.name: NODE_VERSION}


def members_of(table: type[Table] | None) -> dict[str, Member]:
    """The members of an object by name; the root and groups have no table."""
    return MEMBERS[table] if table else _OF_FOLDERS
