"""References between nodes: made when somebody browses, the same from both ends."""

from __future__ import annotations

from typing import cast

from asyncua import ua
from asyncua.ua.object_ids import ObjectIdNames, ObjectIds

from runtime.servers.opcua.attributes import INDEX, standard
from runtime.servers.opcua.members import NODE_VERSION, Member, members_of
from runtime.servers.opcua.plant import Kind, Place, Plant
from runtime.servers.opcua.properties import Property

ORGANIZES = standard(ObjectIds.Organizes)
HAS_COMPONENT = standard(ObjectIds.HasComponent)
HAS_PROPERTY = standard(ObjectIds.HasProperty)
HAS_TYPE = standard(ObjectIds.HasTypeDefinition)
HAS_SUBTYPE = standard(ObjectIds.HasSubtype)
HAS_RULE = standard(ObjectIds.HasModellingRule)
FOLDER = standard(ObjectIds.FolderType)
OBJECT = standard(ObjectIds.BaseObjectType)
PROPERTY = standard(ObjectIds.PropertyType)
OBJECTS = standard(ObjectIds.ObjectsFolder)
MANDATORY = standard(ObjectIds.ModellingRule_Mandatory)
ANY_NUMBER = standard(ObjectIds.ModellingRule_OptionalPlaceholder)
RULE = standard(ObjectIds.ModellingRuleType)
NOTHING = ua.ExpandedNodeId()

References = list[ua.ReferenceDescription]


def node_id(path: str) -> ua.ExpandedNodeId:
    return ua.ExpandedNodeId(ua.String(path), ua.Int16(INDEX), ua.NodeIdType.String)


def of_place(place: Place) -> References:
    """All references of an object, folder or type. Nothing leads to what is absent, nor back."""
    found = _upward(place) if place.present else []
    if place.kind is not Kind.TYPE:
        found.append(_to_type(type_of(place), ua.NodeClass.ObjectType))
    if place.kind is Kind.PLACEHOLDER:
        found.append(_to_rule(ANY_NUMBER))
    found += [to_member(place, member) for member in members_of(place.table).values()]
    return found + [to_place(child, _link(place)) for child in place.shown()]


def _upward(place: Place) -> References:
    if place.kind is Kind.TYPE:
        name = ua.QualifiedName("BaseObjectType")
        return [_reference(HAS_SUBTYPE, OBJECT, name, name.Name, _TYPE, NOTHING, False)]
    above = place.above
    return [to_place(above, _link(above), False) if above else _to_objects()]


def of_member(place: Place, member: Member) -> References:
    """All references of a variable or method."""
    found = [to_place(place, _link_to(member), forward=False)]
    if member.definition is not None:
        found.append(_to_type(member.definition, ua.NodeClass.VariableType))
    if place.declares:
        found.append(_to_rule(MANDATORY))
    return found + [to_property(place, member, entry) for entry in member.properties.values()]


def of_property(place: Place, member: Member) -> References:
    """All references of a property."""
    up = to_member(place, member, HAS_PROPERTY, forward=False)
    found = [up, _to_type(PROPERTY, ua.NodeClass.VariableType)]
    return [*found, _to_rule(MANDATORY)] if place.declares else found


def to_place(place: Place, kind: ua.NodeId, forward: bool = True) -> ua.ReferenceDescription:
    name = ua.QualifiedName(place.name, INDEX)
    node_class = _TYPE if place.kind is Kind.TYPE else ua.NodeClass.Object
    definition = NOTHING if place.kind is Kind.TYPE else type_of(place)
    return _reference(kind, node_id(place.path), name, place.title, node_class, definition, forward)


_TYPE = ua.NodeClass.ObjectType


def to_root(plant: Plant) -> ua.ReferenceDescription:
    """From the Objects folder to all that is ours."""
    return to_place(plant.root, ORGANIZES)


def to_types(plant: Plant) -> References:
    """From the base of all types to ours."""
    return [to_place(place, HAS_SUBTYPE) for place in plant.types.values()]


def to_child(parent: Place, child: Place) -> ua.ReferenceDescription:
    return to_place(child, _link(parent))


def to_member(
    place: Place, member: Member, kind: ua.NodeId | None = None, forward: bool = True
) -> ua.ReferenceDescription:
    name = ua.QualifiedName(member.name, member.namespace)
    target, definition = node_id(f"{place.path}/{member.name}"), member.definition or NOTHING
    link = kind or _link_to(member)
    return _reference(link, target, name, member.name, member.kind, definition, forward)


def to_property(place: Place, member: Member, entry: Property) -> ua.ReferenceDescription:
    name = ua.QualifiedName(entry.name)
    target = node_id(f"{place.path}/{member.name}/{entry.name}")
    return _reference(HAS_PROPERTY, target, name, entry.name, ua.NodeClass.Variable, PROPERTY)


def _to_type(definition: ua.ExpandedNodeId, kind: ua.NodeClass) -> ua.ReferenceDescription:
    identifier = definition.Identifier
    if isinstance(identifier, str):  # one of ours
        name = ua.QualifiedName(identifier.removeprefix("/"), INDEX)
    else:
        name = ua.QualifiedName(ObjectIdNames[cast(int, identifier)])
    return _reference(HAS_TYPE, definition, name, name.Name, kind, NOTHING)


def _to_rule(rule: ua.ExpandedNodeId) -> ua.ReferenceDescription:
    name = ObjectIdNames[cast(int, rule.Identifier)].removeprefix("ModellingRule_")
    return _reference(HAS_RULE, rule, ua.QualifiedName(name), name, ua.NodeClass.Object, RULE)


def _to_objects() -> ua.ReferenceDescription:
    name = ua.QualifiedName("Objects")
    return _reference(ORGANIZES, OBJECTS, name, "Objects", ua.NodeClass.Object, FOLDER, False)


def type_of(place: Place) -> ua.ExpandedNodeId:
    """The type of an object or folder."""
    return FOLDER if place.table is None else node_id(f"/{place.table.__name__}Type")


def _link(parent: Place) -> ua.ExpandedNodeId:
    return ORGANIZES if parent.table is None else HAS_COMPONENT


def _link_to(member: Member) -> ua.ExpandedNodeId:
    return HAS_PROPERTY if member is NODE_VERSION else HAS_COMPONENT


def _reference(
    kind: ua.NodeId,
    target: ua.ExpandedNodeId,
    name: ua.QualifiedName,
    title: str,
    node_class: ua.NodeClass,
    definition: ua.ExpandedNodeId,
    forward: bool = True,
) -> ua.ReferenceDescription:
    return ua.ReferenceDescription(
        kind,
        cast(ua.Boolean, forward),  # a name for bool, which can't be made
        target,
        name,
        ua.LocalizedText(title),
        node_class,
        definition,
    )
