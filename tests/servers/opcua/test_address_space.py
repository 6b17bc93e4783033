"""The address space is what the tags say, at the paths that outside systems rely on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.object_ids import ObjectIds

from runtime.equipment import Equipment, PumpEntry, StationEntry
from runtime.servers.opcua.attributes import standard
from runtime.servers.opcua.properties import unit_id
from runtime.servers.opcua.references import node_id
from runtime.tag import Tag, Unit
from runtime.tags import SHOWN, Pump, shown
from tests.processes import until
from tests.servers.modbus.station import PLANT
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import awaited, node, number, read, refused, status

PLACES = {"System": "System", "Station": "North", "Pump": "North/11"}
EVERY_TAG = [tag for table in SHOWN for tag in shown(table)]
UNECE = "http://www.opcfoundation.org/UA/units/un/cefact"
OURS = "urn:calejo:control-adapter"
DATA_TYPES = {"?": 1, "u1": 3, "u2": 5, "u4": 7, "u8": 9, "i8": 8, "f8": 11}


def named(path: str) -> ua.QualifiedName:
    return ua.QualifiedName(path, 2)


def test_the_namespace_is_ours(anonymous: Client) -> None:
    assert anonymous.get_namespace_index("urn:calejo:control-adapter") == 2


@pytest.mark.parametrize("tag", EVERY_TAG, ids=repr)
def test_every_tag_is_at_its_path_under_its_node_id(anonymous: Client, tag: Tag) -> None:
    path = ["Calejo", *PLACES[tag.table].split("/"), tag.name]
    found = anonymous.nodes.objects.get_child([named(name) for name in path])
    assert found.nodeid == node_id(f"{PLACES[tag.table]}/{tag.name}")
    assert found.read_browse_name() == named(tag.name)
    assert found.read_description().Text == tag.doc
    assert found.read_data_type() == standard(DATA_TYPES[tag.dtype])
    history = {ua.AccessLevel.HistoryRead} if tag.stored else set()
    assert found.get_access_level() == {ua.AccessLevel.CurrentRead} | history
    properties = {p.read_browse_name().Name: p.read_value() for p in found.get_properties()}
    if tag.states:
        assert [text.Text for text in properties["EnumStrings"]] == list(tag.states.values())
    elif tag.flags:
        assert [text.Text for text in properties["OptionSetValues"]] == list(tag.flags.values())
    elif tag.is_bool:
        assert properties["TrueState"].Text != properties["FalseState"].Text
    elif tag.low < tag.high:
        assert (properties["EURange"].Low, properties["EURange"].High) == (tag.low, tag.high)
    if tag.quality and not tag.is_bool:
        measured = properties["InstrumentRange"]
        assert (measured.Low, measured.High) == (tag.low, tag.high)
    if tag.unit is not Unit.NONE:
        assert properties["EngineeringUnits"].NamespaceUri == (UNECE if tag.unit.unece else OURS)
        assert properties["EngineeringUnits"].DisplayName.Text == tag.unit.symbol
        assert properties["EngineeringUnits"].UnitId == unit_id(tag.unit.unece)


def test_units_have_the_identity_that_part_8_computes_from_their_code() -> None:
    assert unit_id("HTZ") == 4740186  # as the OPC Foundation's table of units has it
    assert unit_id("MTR") == 5067858
    assert unit_id("") == -1


def test_variable_types_tell_what_a_value_is(anonymous: Client) -> None:
    kinds = {
        "North/11/Setpoint": ObjectIds.AnalogUnitRangeType,
        "North/11/Mode": ObjectIds.MultiStateDiscreteType,
        "North/11/Limited": ObjectIds.OptionSetType,
        "North/11/Running": ObjectIds.TwoStateDiscreteType,
        "System/TimeUtc": ObjectIds.AnalogUnitType,
    }
    for path, kind in kinds.items():
        assert node(anonymous, path).read_type_definition() == standard(kind)


def test_browsing_meets_every_node_once_and_every_way_leads_back(anonymous: Client) -> None:
    waiting = [anonymous.nodes.objects.get_child(named("Calejo"))]
    seen = set()
    while waiting:
        above = waiting.pop()
        for below in above.get_children():
            assert below.nodeid not in seen
            seen.add(below.nodeid)
            assert above.nodeid in [
                up.nodeid
                for up in below.get_referenced_nodes(
                    refs=ObjectIds.HierarchicalReferences, direction=ua.BrowseDirection.Inverse
                )
            ]
            if below.read_node_class() is ua.NodeClass.Object:
                waiting.append(below)
    expected = {f"{PLACES[tag.table]}/{tag.name}" for tag in EVERY_TAG}
    assert expected <= {nodeid.Identifier for nodeid in seen}


def test_titles_are_the_names_people_use(anonymous: Client) -> None:
    assert node(anonymous, "North").read_display_name().Text == "North well"
    assert node(anonymous, "North/11").read_display_name().Text == "First"


@pytest.mark.parametrize(
    "path",
    ["", "North/99", "North/11/Now", "North/11/Setpoint/Unit", "/7", "/x/North", "System/System"],
)
def test_what_is_not_there_is_unknown(anonymous: Client, path: str) -> None:
    assert status(read(anonymous, path)) == "BadNodeIdUnknown"
    wanted = ua.BrowseParameters(NodesToBrowse=[ua.BrowseDescription(NodeId=node_id(path))])
    browsed = awaited(anonymous, anonymous.aio_obj.uaclient.browse(wanted))
    assert browsed[0].StatusCode.name == "BadNodeIdUnknown"


def test_a_node_without_such_an_attribute_says_so(anonymous: Client) -> None:
    with refused("BadAttributeIdInvalid"):
        node(anonymous, "North/11").read_value()


def test_equipment_that_changes_is_taken_over_while_clients_are_there(
    viewer: Client, image: Image
) -> None:
    calejo = viewer.nodes.objects.get_child(named("Calejo"))
    assert status(read(viewer, "East/31/Setpoint")) == "BadNodeIdUnknown"
    first, *others = PLANT.pumps
    changed = Equipment(
        version=8,
        stations=(*PLANT.stations, StationEntry(2, "East", "East", "UTC", 3, 0, True, {})),
        pumps=(
            replace(first, active=False),
            *(replace(pump, name="Renamed") for pump in others if pump.pump_id != 21),
            PumpEntry(5, 31, "East", "New", 3, 100, True, {}),
        ),
    )
    image.equip(changed)
    with image.change():
        image[Pump.Setpoint][:] = 25.0
    until(lambda: number(read(viewer, "East/31/Setpoint")) == 25.0)
    assert "East" in [child.read_browse_name().Name for child in calejo.get_children()]
    assert number(read(viewer, "North/13/Setpoint")) == 25.0
    assert node(viewer, "North/13").read_display_name().Text == "Renamed"
    assert status(read(viewer, "North/11/Setpoint")) == "BadOutOfService"  # retired
    assert status(read(viewer, "South/21/Setpoint")) == "BadOutOfService"  # no longer listed
    image.equip(PLANT)
    until(lambda: status(read(viewer, "North/11/Setpoint")) == "Good")
    assert status(read(viewer, "East/31/Setpoint")) == "BadOutOfService"


def test_a_pump_that_moves_to_another_station_is_only_there(viewer: Client, image: Image) -> None:
    pumps = [
        replace(pump, station_id="South") if pump.pump_id == 13 else pump for pump in PLANT.pumps
    ]
    image.equip(replace(PLANT, version=9, pumps=tuple(pumps)))
    until(lambda: status(read(viewer, "South/13/Setpoint")) == "Good")
    assert status(read(viewer, "North/13/Setpoint")) == "BadOutOfService"
    image.equip(PLANT)
    until(lambda: status(read(viewer, "North/13/Setpoint")) == "Good")


def test_many_are_shown_in_groups_that_no_path_or_node_id_names(
    viewer: Client, image: Image
) -> None:
    stations = tuple(
        StationEntry(slot, f"W{slot}", "", "UTC", 1, 0, True, {}) for slot in range(3, 250)
    )
    pumps = tuple(PumpEntry(slot, 1000 + slot, "W3", "", 1, 0, True, {}) for slot in range(5, 150))
    image.equip(Equipment(10, PLANT.stations + stations, PLANT.pumps + pumps))
    until(lambda: status(read(viewer, "W249/Failsafe")) == "Good")
    calejo = viewer.nodes.objects.get_child(named("Calejo"))
    shown = calejo.get_children(refs=ObjectIds.Organizes)
    names = [child.read_browse_name().Name for child in shown]
    assert names == ["System", *(f"Group {number}" for number in range(len(shown) - 1))]
    members = [
        [child.nodeid for child in group.get_children(refs=ObjectIds.Organizes)]
        for group in shown[1:]
    ]
    everywhere = {found for group in members for found in group}
    assert {node_id(entry.station_id) for entry in (*PLANT.stations, *stations)} <= everywhere
    assert max(map(len, members)) <= 100
    first, last = (node(viewer, entry.Identifier) for entry in (members[1][0], members[1][-1]))
    words = f"{first.read_browse_name().Name} … {last.read_browse_name().Name}"
    assert shown[2].read_display_name().Text == words
    up = first.get_referenced_nodes(refs=ObjectIds.Organizes, direction=ua.BrowseDirection.Inverse)
    assert [found.nodeid for found in up] == [shown[2].nodeid]
    found = calejo.get_child([named("W3"), named("1149"), named("Setpoint")])
    assert found.nodeid == node_id("W3/1149/Setpoint")
    group = node(viewer, "W3").get_child(named("Group 1"))
    assert group.get_children(refs=ObjectIds.Organizes)[0].nodeid == node_id("W3/1105")
