"""Object types declare what all their objects have: a client can be built for a type."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.sync import Client, SyncNode
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua.attributes import standard
from runtime.servers.opcua.references import node_id
from runtime.tags import SHOWN, shown
from tests.servers.opcua.serving import node, read, status

OBJECTS = {"SystemType": "System", "StationType": "North", "PumpType": "North/11"}


def declared(found: SyncNode) -> set[tuple[str, str]]:
    """What an object or a type has: variables, methods and properties, by name and type."""
    return {
        (f"{below.BrowseName.NamespaceIndex}:{below.BrowseName.Name}", str(below.TypeDefinition))
        for below in found.get_references(
            ObjectIds.Aggregates, ua.BrowseDirection.Forward, includesubtypes=True
        )
        if below.NodeClass is not ua.NodeClass.Object
    }


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_has_what_its_type_declares(anonymous: Client, name: str) -> None:
    kind = node(anonymous, f"/{name}")
    assert kind.read_node_class() is ua.NodeClass.ObjectType
    instance = node(anonymous, OBJECTS[name])
    assert instance.read_type_definition() == kind.nodeid
    assert declared(instance) == declared(kind)
    assert len(declared(kind)) > len(shown(SHOWN[list(OBJECTS).index(name)]))


@pytest.mark.parametrize("name", OBJECTS)
def test_types_stand_among_the_types(anonymous: Client, name: str) -> None:
    base = anonymous.nodes.base_object_type
    found = base.get_child(ua.QualifiedName(name, 2))
    assert found.nodeid == node_id(f"/{name}")
    up = found.get_referenced_nodes(ObjectIds.HasSubtype, ua.BrowseDirection.Inverse)
    assert [above.nodeid for above in up] == [base.nodeid]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/PumpType/Setpoint", ObjectIds.ModellingRule_Mandatory),
        ("/PumpType/Setpoint/EURange", ObjectIds.ModellingRule_Mandatory),
        ("/PumpType/SetMode", ObjectIds.ModellingRule_Mandatory),
        ("/StationType/<Pump>", ObjectIds.ModellingRule_OptionalPlaceholder),
    ],
)
def test_declarations_have_modelling_rules(anonymous: Client, path: str, rule: int) -> None:
    rules = node(anonymous, path).get_referenced_nodes(ObjectIds.HasModellingRule)
    assert [found.nodeid for found in rules] == [standard(rule)]


def test_a_station_has_any_number_of_pumps(anonymous: Client) -> None:
    holder = node(anonymous, "/StationType").get_child(ua.QualifiedName("<Pump>", 2))
    assert holder.read_type_definition() == node_id("/PumpType")


def test_a_declaration_has_no_value(anonymous: Client) -> None:
    for path in ("/PumpType/Setpoint", "/SystemType/Live", "/SystemType/ImageAge"):
        assert status(read(anonymous, path)) == "BadNoValue"
