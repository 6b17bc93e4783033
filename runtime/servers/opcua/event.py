"""Events: what happened, as fields by the paths that clients select them by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asyncua import ua

from runtime.servers.opcua.plant import Place
from runtime.servers.opcua.references import node_id
from runtime.servers.opcua.values import NULL

CONDITION_ID = "NodeId"  # the field that is an attribute and has no path

Fields = dict[str, ua.Variant]


@dataclass(slots=True)
class Event:
    """An event of a type; `place` is where it happened, None: in the server itself.

    A field goes by its browse path, as `ActiveState/Id`. What an event doesn't have is null.
    """

    kind: ua.NodeId
    fields: Fields
    place: Place | None = None

    def select(self, paths: Sequence[str]) -> list[ua.Variant]:
        return [self.fields.get(path, NULL) for path in paths]

    def notifiers(self) -> list[ua.NodeId]:
        """Our nodes at which it can be heard of: where it happened, and all that is above it."""
        found: list[ua.NodeId] = []
        place = self.place
        while place is not None:
            found.append(node_id(place.path))
            place = place.parent
        return found


SEVERITY = {1: 900, 2: 700, 3: 500, 4: 300}
"""How severe an event is (Part 5, 6.4.2), by the priority of its alarm."""
NEWS = 100  # the severity of what is no alarm


def text(words: str) -> ua.Variant:
    return ua.Variant(ua.LocalizedText(words), ua.VariantType.LocalizedText)


def string(words: str) -> ua.Variant:
    return ua.Variant(words, ua.VariantType.String)


def flag(value: bool) -> ua.Variant:
    return ua.Variant(bool(value), ua.VariantType.Boolean)


def node(identity: ua.NodeId) -> ua.Variant:
    return ua.Variant(identity, ua.VariantType.NodeId)


def when(utc: float) -> ua.Variant:
    """A time in s since 1970; 0 is none."""
    if utc <= 0.0:
        return NULL
    return ua.Variant(datetime.fromtimestamp(utc, UTC), ua.VariantType.DateTime)


def number(value: float, kind: ua.VariantType) -> ua.Variant:
    return ua.Variant(value, kind)
