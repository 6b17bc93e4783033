"""Properties: what there is to know of a variable or method, the same for all objects of a table.

Standard properties have names of OPC UA's own namespace (Part 8: data access).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from asyncua import ua
from asyncua.server.address_space import AttributeValue
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua.arguments import Argument
from runtime.servers.opcua.attributes import (
    NAMESPACE,
    Attributes,
    common,
    constant,
    standard,
    variable,
)
from runtime.tag import Unit

UNECE = "http://www.opcfoundation.org/UA/units/un/cefact"


@dataclass(frozen=True, eq=False)
class Property:
    """A property: its attributes, value included, are the same for all objects."""

    name: str
    attributes: Attributes


def plain(name: str, data_type: int, value: object, kind: ua.VariantType) -> Property:
    """A property of any type; a list is an array of one dimension."""
    attributes = common(ua.NodeClass.Variable, name, name, "", namespace=0)
    attributes |= variable(data_type, 1 if isinstance(value, list) else -1)
    if isinstance(value, list):
        dimensions = ua.Variant([len(value)], ua.VariantType.UInt32)
        attributes[AttributeIds.ArrayDimensions] = AttributeValue(ua.DataValue(dimensions))
    attributes[AttributeIds.Value] = constant(value, kind)
    return Property(name, attributes)


def text(name: str, words: str) -> Property:
    """One text."""
    kind = ua.VariantType.LocalizedText
    return plain(name, ObjectIds.LocalizedText, ua.LocalizedText(words), kind)


def texts(name: str, words: Mapping[int, str]) -> Property:
    """Texts by number, as an array."""
    array = [ua.LocalizedText(words.get(number, "")) for number in range(max(words) + 1)]
    return plain(name, ObjectIds.LocalizedText, array, ua.VariantType.LocalizedText)


def unit_id(code: str) -> int:
    """The code of a unit as OPC UA Part 8 writes it: its ASCII characters as one number."""
    return int.from_bytes(code.encode("ascii"), "big") if code else -1


def engineering_units(unit: Unit) -> Property:
    """A unit of UNECE Recommendation 20, or one of ours where that has none."""
    words = unit.name.replace("_", " ").lower()
    information = ua.EUInformation(
        NamespaceUri=ua.String(UNECE if unit.unece else NAMESPACE),
        UnitId=ua.Int32(unit_id(unit.unece)),
        DisplayName=ua.LocalizedText(unit.symbol),
        Description=ua.LocalizedText(words),
    )
    kind = ua.VariantType.ExtensionObject
    return plain("EngineeringUnits", ObjectIds.EUInformation, information, kind)


def extent(name: str, low: float, high: float) -> Property:
    """A range: EURange or InstrumentRange."""
    value = ua.Range(Low=ua.Double(low), High=ua.Double(high))
    return plain(name, ObjectIds.Range, value, ua.VariantType.ExtensionObject)


def arguments(name: str, declared: Iterable[Argument]) -> Property:
    """InputArguments or OutputArguments."""
    array = [
        ua.Argument(
            Name=ua.String(argument.name),
            DataType=standard(argument.kind.value),
            ValueRank=ua.Int32(-1),
            Description=ua.LocalizedText(argument.doc),
        )
        for argument in declared
    ]
    return plain(name, ObjectIds.Argument, array, ua.VariantType.ExtensionObject)
