"""The queue of an item for events: what gives way when it is full, and that the client is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from asyncua import ua
from asyncua.server.address_space import AddressSpace

from runtime.servers.opcua.condition import OF_PROCESS
from runtime.servers.opcua.event import Event, node, number
from runtime.servers.opcua.event_filter import EventFilter
from runtime.servers.opcua.event_items import OVERFLOW, EventItem
from tests.servers.opcua.listening import field

ROOM = 3
LOST = "lost"


class Queue:
    """An item whose queue takes ROOM events, offered one severity after the other."""

    def __init__(self, discard_oldest: bool) -> None:
        self.waiting: dict[int, list[ua.EventFieldList]] = {}
        self._mode = SimpleNamespace(
            monitored_item_id=1,
            client_handle=7,
            queue_size=ROOM,
            mode=ua.MonitoringMode.Reporting,
        )
        subscription = SimpleNamespace(_triggered_events=self.waiting)
        wanted = ua.EventFilter(SelectClauses=[field("EventType"), field("Severity")])
        item: Any = EventItem
        read = EventFilter(wanted, AddressSpace())
        self.item = cast(EventItem, item(subscription, self._mode, read, discard_oldest))

    def offer(self, *severities: int) -> None:
        for severity in severities:
            told = number(severity, ua.VariantType.UInt16)
            self.item.offer(Event(OF_PROCESS, {"EventType": node(OF_PROCESS), "Severity": told}))

    @property
    def told(self) -> list[object]:
        """The severities that wait, LOST for the event of the overflow."""
        entries = [entry.EventFields for entry in self.waiting.get(1, [])]
        return [LOST if kind.Value == OVERFLOW else severity.Value for kind, severity in entries]


@pytest.mark.parametrize("oldest", [False, True])
def test_a_queue_that_is_full_has_lost_nothing(oldest: bool) -> None:
    queue = Queue(oldest)
    queue.offer(1, 2, 3)
    assert queue.told == [1, 2, 3]
    assert queue.item.room == 0


def test_the_oldest_gives_way_and_the_loss_is_told_first_and_once() -> None:
    queue = Queue(discard_oldest=True)
    queue.offer(1, 2, 3, 4)
    assert queue.told == [LOST, 2, 3, 4]
    queue.offer(5, 6)
    assert queue.told == [LOST, 4, 5, 6]


def test_the_newest_is_dropped_and_the_loss_is_told_last_and_once() -> None:
    queue = Queue(discard_oldest=False)
    queue.offer(1, 2, 3, 4, 5)
    assert queue.told == [1, 2, 3, LOST]


@pytest.mark.parametrize(("oldest", "told"), [(True, [LOST, 6, 7, 8]), (False, [5, 6, 7, LOST])])
def test_after_the_client_has_taken_all_a_new_loss_is_told_again(
    oldest: bool, told: list[object]
) -> None:
    queue = Queue(oldest)
    queue.offer(1, 2, 3, 4)
    queue.waiting.clear()
    queue.offer(5, 6, 7, 8)
    assert queue.told == told
