"""References between nodes: made when somebody browses, the same from both ends."""

from __future__ import annotations

from typing import cast

from asyncua import ua
from asyncua.ua.object_ids import ObjectIdNames, ObjectIds

from runtime.servers.opcua.members import INDEX, Member, Property, members_of, standard
from runtime.servers.opcua.plant import Place, Plant

ORGANIZES = standard(ObjectIds.Organizes)
HAS_COMPONENT = standard(ObjectIds.HasComponent)
HAS_PROPERTY = standard(ObjectIds.HasProperty)
HAS_TYPE = standard(ObjectIds.HasTypeDefinition)
FOLDER = standard(ObjectIds.FolderType)
OBJECT = standard(ObjectIds.BaseObjectType)
PROPERTY = standard(ObjectIds.PropertyType)
OBJECTS = standard(ObjectIds.ObjectsFolder)
NOTHING = ua.ExpandedNodeId()

References = list[ua.ReferenceDescription]


def node_id(path: str) -> ua.ExpandedNodeId:
    return ua.ExpandedNodeId(ua.String(path), ua.Int16(INDEX), ua.NodeIdType.String)


def of_place(place: Place) -> References:
    """All references of an object."""
    up = to_place(place.parent, _link(place.parent), False) if place.parent else _to_objects()
    found = [up, _to_type(_kind(place), ua.NodeClass.ObjectType)]
    found += [to_member(place, member) for member in members_of(place.table).values()]
    return found + [to_place(child, _link(place)) for child in place.shown()]


def of_member(place: Place, member: Member) -> References:
    """All references of a variable or method."""
    found = [to_place(place, HAS_COMPONENT, forward=False)]
    if member.definition is not None:
        found.append(_to_type(member.definition, ua.NodeClass.VariableType))
    return found + [to_property(place, member, entry) for entry in member.properties.values()]


def of_property(place: Place, member: Member) -> References:
    """All references of a property."""
    up = to_member(place, member, HAS_PROPERTY, forward=False)
    return [up, _to_type(PROPERTY, ua.NodeClass.VariableType)]


def to_place(place: Place, kind: ua.NodeId, forward: bool = True) -> ua.ReferenceDescription:
    name = ua.QualifiedName(place.name, INDEX)
    return _reference(
        kind, node_id(place.path), name, place.title, ua.NodeClass.Object, _kind(place), forward
    )


def to_root(plant: Plant) -> ua.ReferenceDescription:
    """From the Objects folder to all that is ours."""
    return to_place(plant.root, ORGANIZES)


def to_child(parent: Place, child: Place) -> ua.ReferenceDescription:
    return to_place(child, _link(parent))


def to_member(
    place: Place, member: Member, kind: ua.NodeId = HAS_COMPONENT, forward: bool = True
) -> ua.ReferenceDescription:
    name, target = ua.QualifiedName(member.name, INDEX), node_id(f"{place.path}/{member.name}")
    definition = member.definition or NOTHING
    return _reference(kind, target, name, member.name, member.kind, definition, forward)


def to_property(place: Place, member: Member, entry: Property) -> ua.ReferenceDescription:
    name = ua.QualifiedName(entry.name)
    target = node_id(f"{place.path}/{member.name}/{entry.name}")
    return _reference(HAS_PROPERTY, target, name, entry.name, ua.NodeClass.Variable, PROPERTY)


def _to_type(definition: ua.ExpandedNodeId, kind: ua.NodeClass) -> ua.ReferenceDescription:
    identifier = definition.Identifier
    name = ua.QualifiedName(ObjectIdNames[cast(int, identifier)])
    return _reference(HAS_TYPE, definition, name, name.Name, kind, NOTHING)


def _to_objects() -> ua.ReferenceDescription:
    name = ua.QualifiedName("Objects")
    return _reference(ORGANIZES, OBJECTS, name, "Objects", ua.NodeClass.Object, FOLDER, False)


def _kind(place: Place) -> ua.ExpandedNodeId:
    return FOLDER if place.table is None else OBJECT


def _link(parent: Place) -> ua.ExpandedNodeId:
    return ORGANIZES if parent.table is None else HAS_COMPONENT


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
