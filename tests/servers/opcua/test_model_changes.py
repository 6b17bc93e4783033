"""Pumps that come and go while clients are there: events, versions, and values that are Bad."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from asyncua import ua
from asyncua.sync import Client
from asyncua.ua.object_ids import ObjectIds

from runtime.equipment import PumpEntry
from runtime.servers.opcua.plant import NODE_ADDED, REFERENCE_ADDED, REFERENCE_DELETED
from runtime.servers.opcua.references import node_id
from runtime.tags import Pump
from tests.processes import until
from tests.servers.modbus.station import PLANT
from tests.servers.opcua.image import Image
from tests.servers.opcua.serving import node, number, read, status

NEW = PumpEntry(6, 77, "South", "Booster", 2, 300, True, {})
PATIENCE = 20.0  # s


class Told:
    """What a subscription tells."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.values: queue.SimpleQueue[ua.DataValue] = queue.SimpleQueue()

    def event_notification(self, event: Any) -> None:
        self.events.put(event)

    def datachange_notification(self, node: object, value: object, data: Any) -> None:
        self.values.put(data.monitored_item.Value)


@pytest.fixture
def told(viewer: Client) -> Iterator[tuple[Told, Any]]:
    told = Told()
    subscription = viewer.create_subscription(100, told)
    yield told, subscription
    subscription.delete()


def changes(event: Any) -> dict[str, int]:
    """The verbs of an event by the path of what they are about."""
    return {change.Affected.Identifier: change.Verb for change in event.Changes}


def test_clients_are_told_of_pumps_that_come_and_go(
    viewer: Client, image: Image, told: tuple[Told, Any]
) -> None:
    tell, subscription = told
    general = viewer.get_node(ua.NodeId(ua.Int32(ObjectIds.GeneralModelChangeEventType)))
    subscription.subscribe_events(evtypes=general)
    before = node(viewer, "South/NodeVersion").read_value()
    image.equip(replace(PLANT, version=31, pumps=(*PLANT.pumps, NEW)))
    added = tell.events.get(timeout=PATIENCE)
    assert added.SourceName == "Server"
    verbs = changes(added)
    assert verbs["South/77"] == NODE_ADDED | REFERENCE_ADDED
    assert verbs["South"] == REFERENCE_ADDED
    assert "North" not in verbs
    kinds = {change.Affected.Identifier: change.AffectedType for change in added.Changes}
    assert (kinds["South/77"], kinds["South"]) == (node_id("/PumpType"), node_id("/StationType"))
    assert node(viewer, "South/NodeVersion").read_value() == "31" != before
    children = [child.nodeid for child in node(viewer, "South").get_children()]
    assert node_id("South/77") in children
    image.equip(replace(PLANT, version=32, pumps=(*PLANT.pumps, replace(NEW, active=False))))
    gone = tell.events.get(timeout=PATIENCE)
    assert changes(gone) == {"South/77": REFERENCE_DELETED, "South": REFERENCE_DELETED}
    children = [child.nodeid for child in node(viewer, "South").get_children()]
    assert node_id("South/77") not in children
    assert status(read(viewer, "South/77/Setpoint")) == "BadOutOfService"


def test_what_monitors_a_pump_is_told_that_it_retired_and_that_it_is_back(
    viewer: Client, image: Image, told: tuple[Told, Any]
) -> None:
    tell, subscription = told
    with image.change():
        image[Pump.Setpoint][:] = 33.0
    until(lambda: number(read(viewer, "North/13/Setpoint")) == 33.0)
    subscription.subscribe_data_change(node(viewer, "North/13/Setpoint"))
    assert number(tell.values.get(timeout=PATIENCE)) == 33.0
    retired = [replace(pump, active=pump.pump_id != 13) for pump in PLANT.pumps]
    image.equip(replace(PLANT, version=33, pumps=tuple(retired)))
    value = tell.values.get(timeout=PATIENCE)
    assert (status(value), number(value)) == ("BadOutOfService", None)
    image.equip(replace(PLANT, version=34))
    value = tell.values.get(timeout=PATIENCE)
    assert (status(value), number(value)) == ("Good", 0.0)


def test_a_version_and_a_name_that_are_monitored_are_told_when_they_change(
    viewer: Client, image: Image, told: tuple[Told, Any]
) -> None:
    tell, subscription = told
    subscription.subscribe_data_change(node(viewer, "South/NodeVersion"))
    version = ua.Variant("35", ua.VariantType.String)
    assert tell.values.get(timeout=PATIENCE).Value != version
    image.equip(replace(PLANT, version=35, pumps=PLANT.pumps[:-1]))
    assert tell.values.get(timeout=PATIENCE).Value == version
