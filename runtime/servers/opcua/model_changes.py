"""Model changes: clients are told when stations and pumps come and go (Part 3, 9.32).

Whatever refers to others than before has a new NodeVersion, and stands in the one event that tells
of a new list of equipment. What is retired keeps its nodes: only nothing refers to them any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from runtime.servers.opcua.attributes import standard
from runtime.servers.opcua.event import Event
from runtime.servers.opcua.event_items import news
from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.references import node_id, type_of

MOST = 1_000  # changes of one event; of more it is only told that there were some

_GENERAL = standard(ObjectIds.GeneralModelChangeEventType)
_BASE = standard(ObjectIds.BaseModelChangeEventType)


def model_change(changes: Mapping[Place, int]) -> Event:
    """The event that tells of these changes, as bits by place."""
    words = f"{len(changes)} objects have been added, or refer to others than before."
    if len(changes) > MOST:
        return news(_BASE, words)
    event = news(_GENERAL, words)
    array = [
        ua.ModelChangeStructureDataType(node_id(place.path), type_of(place), ua.Byte(verb))
        for place, verb in changes.items()
    ]
    event.fields["Changes"] = ua.Variant(array, ua.VariantType.ExtensionObject)
    return event
