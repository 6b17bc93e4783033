"""The conditions: which alarms of the image are not normal, and what of them clients are told.

Nothing is kept of an alarm that is normal, and nothing at all while nobody listens: 10,000 pumps
have 300,000 alarms. States are compared as arrays; only what differs becomes an event.
"""

from __future__ import annotations

import secrets
import struct
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
from asyncua import ua
from numpy.typing import NDArray

from runtime.alarm import AlarmState
from runtime.servers.opcua.condition import GOOD, NAME, STILL, Condition
from runtime.servers.opcua.event import Event, when
from runtime.servers.opcua.event_items import EventItems
from runtime.servers.opcua.one_shots import OneShot
from runtime.servers.opcua.plant import Kind, Place, Plant
from runtime.servers.opcua.values import Values
from runtime.tag import Table
from runtime.tags import ALARMS, System

MOST_AT_ONCE = 500  # events of one look; the others wait for the next one
_ID = struct.Struct(">6sHII")  # of this process, alarm, row, number of the event

Key = tuple[int, int]  # the place of an alarm in ALARMS, and its row


class Conditions:
    """All conditions of the plant."""

    def __init__(self, values: Values, plant: Plant, listeners: EventItems) -> None:
        self._values = values
        self._view = values.view
        self._plant = plant
        self._listeners = listeners
        self._process = secrets.token_bytes(6)
        self._number = 0
        self._known: dict[Key, Condition] = {}
        self._places: dict[tuple[type[Table], int], Place] = {}
        self._states: list[NDArray[np.uint8]] = []
        self._waiting: deque[Key] = deque()
        self._busy: set[Key] = set()
        self._stale = False

    def renew(self) -> None:
        """The equipment has changed: rows may mean something else now."""
        found = sorted(self._plant, key=lambda place: place.present)  # a pump that has moved is two
        self._places = {
            (place.table, place.slot): place
            for place in found
            if place.kind is Kind.OBJECT and place.table is not None
        }
        for (_, slot), known in self._known.items():
            known.place = self._places.get((known.declared.table, slot), known.place)

    def look(self) -> None:
        """Tell what changed since the last look, if anybody listens."""
        if not self._listeners and not self._for_once():
            self._states = []
            self._known.clear()  # what happens unseen would make old events seem to be of it
            return
        self._find()
        for _ in range(min(len(self._waiting), MOST_AT_ONCE)):
            self._tell(self._waiting.popleft())

    def begin(self) -> None:
        """Somebody begins to listen: what is so already is no news."""
        if self._listeners or self._for_once():
            return
        self._states = []
        self._known.clear()
        self._find()
        self._waiting.clear()

    def retained(self) -> Iterator[Event]:
        """What a client has to know that has just come: the newest event of each that stands."""
        for key, condition in list(self._known.items()):
            if condition.retained:
                if not condition.newest:
                    self._count(key, condition)
                yield self._event(key, condition)

    def at(self, path: str) -> Key | None:
        """The condition with a path."""
        above, _, last = path.rpartition("/")
        owner, _, name = above.rpartition("/")
        place = self._plant.get(owner)
        if last != NAME or place is None or place.kind is not Kind.OBJECT:
            return None
        for kind, declared in enumerate(ALARMS):
            if declared.table is place.table and declared.tag.name == name:
                return kind, place.slot
        return None

    def state(self, key: Key) -> AlarmState:
        """The state of an alarm in the newest snapshot; normal if its row is not in use."""
        self._view.refresh()
        declared, columns = ALARMS[key[0]], self._view.columns
        table = declared.table
        used = table is System or columns[table.tag("Configured")][key[1]]
        return AlarmState(int(columns[declared.state][key[1]]) if used else 0)

    def concerns(self, key: Key, event_id: object) -> bool:
        """Whether it is the id of an event of the condition's newest occurrence."""
        if self._states:
            self._find()  # it may have come back since the last look
        known = self._known.get(key)
        if known is None or not isinstance(event_id, bytes) or len(event_id) != _ID.size:
            return False
        process, kind, slot, number = _ID.unpack(event_id)
        mine = process == self._process and (kind, slot) == key
        return mine and known.occurrence <= number <= known.newest

    @contextmanager
    def changing(self, key: Key) -> Iterator[None]:
        """While somebody asks for a change, it is not told: it is not yet known by whom."""
        self._busy.add(key)
        try:
            yield
        finally:
            self._busy.discard(key)

    def comment(self, key: Key, words: str, user: str) -> None:
        """Somebody did something, and maybe said why: it stands in the events from now on."""
        known = self._record(key)
        known.user = user
        if words:
            known.comment, known.commented = words, time.time()

    def tell(self, key: Key) -> None:
        """Tell of a condition though its state is the same."""
        self._record(key).changed = time.time()
        self._waiting.append(key)

    def shelve(self, key: Key, once: bool) -> None:
        """It is shelved: once, until it ends, or for its time."""
        known = self._record(key)
        known.one_shot = once
        if known.state is AlarmState.SHELVED:  # it was already: its time is another one
            self._view.refresh()
            self._note(key, known.state)

    def recall(self, shots: Iterable[OneShot]) -> bool:
        """Go on with what was shelved until it ends before this process began, and still is.

        Whether it could be done: that takes an image.
        """
        self._view.refresh()
        if self._view.stale:
            return False
        for shot in shots:
            self._restore(shot)
        return True

    def _restore(self, shot: OneShot) -> None:
        key = self.at(shot.path)
        if key is None or self.state(key) is not AlarmState.SHELVED:
            return
        if int(self._view.columns.value(ALARMS[key[0]].shelved_until, key[1])) == shot.until:
            known = self._record(key)
            known.one_shot, known.user = True, shot.user

    def one_shots(self) -> frozenset[OneShot]:
        """What is shelved until it ends."""
        value = self._view.columns.value
        return frozenset(
            OneShot(known.path, int(value(known.declared.shelved_until, key[1])), known.user)
            for key, known in self._known.items()
            if known.one_shot
        )

    def is_once(self, key: Key) -> bool:
        """Whether a shelved alarm comes back as soon as it ends."""
        return key in self._known and self._known[key].one_shot

    def shelved_by(self, key: Key) -> str:
        return self._known[key].user

    def ended(self) -> list[Key]:
        """What was shelved until it ends, and has ended."""
        found: list[Key] = []
        if self._view.stale:
            return found
        for key, known in self._known.items():
            if known.one_shot and key not in self._busy:
                if self.state(key) is not AlarmState.SHELVED:
                    known.one_shot = False
                elif not self._view.columns.value(known.declared.since, key[1]):
                    found.append(key)
        return found

    def _record(self, key: Key) -> Condition:
        known = self._known.get(key)
        if known is None:
            declared = ALARMS[key[0]]
            known = self._known[key] = Condition(declared, self._places[declared.table, key[1]])
        return known

    def _for_once(self) -> bool:
        return any(known.one_shot for known in self._known.values())

    def _find(self) -> None:
        """Note the keys of all alarms whose state in the newest image is another than before."""
        self._view.refresh()
        first = not self._states
        stale = self._view.stale
        if stale is not self._stale and not first:
            self._waiting.extend(key for key, known in self._known.items() if known.retained)
        self._stale = stale
        for kind, declared in enumerate(ALARMS):
            now = self._view.columns[declared.state].view(np.uint8)
            if declared.table is not System:
                used = self._view.columns[declared.table.tag("Configured")].view(np.bool_)
                now = np.where(used, now, np.uint8(0))
            if first:
                self._states.append(np.zeros_like(now))
            last = self._states[kind]
            rows = (now != last).nonzero()[0]
            for row in rows.tolist():
                if (kind, row) not in self._busy:
                    self._note((kind, row), AlarmState(int(now[row])))
                    last[row] = now[row]

    def _note(self, key: Key, state: AlarmState) -> None:
        declared, slot = ALARMS[key[0]], key[1]
        if (declared.table, slot) not in self._places:
            return
        value, known = self._view.columns.value, self._record(key)
        if state is AlarmState.UNACKNOWLEDGED and known.state is not state:
            known.occurrence = self._number + 1
        known.state = state
        known.changed = value(System.TimeUtc)
        known.since = value(declared.since, slot)
        until = value(declared.shelved_until, slot)
        left = until - value(System.ControlTime) if until else 0.0
        known.unshelved = known.changed + left if until else 0.0
        self._waiting.append(key)

    def _tell(self, key: Key) -> None:
        condition = self._known.get(key)
        if condition is None:
            return
        condition.quality = STILL if self._view.stale else GOOD
        self._count(key, condition)
        self._listeners.tell(self._event(key, condition))
        if condition.state is AlarmState.NORMAL:
            condition.one_shot = False
            del self._known[key]  # its last event says that it is of no interest any more

    def _count(self, key: Key, condition: Condition) -> None:
        self._number += 1
        condition.newest = self._number
        condition.occurrence = condition.occurrence or self._number

    def _event(self, key: Key, condition: Condition) -> Event:
        fields = condition.fields()
        identity = _ID.pack(self._process, *key, condition.newest)
        fields["EventId"] = ua.Variant(identity, ua.VariantType.ByteString)
        fields["ReceiveTime"] = when(time.time())
        return Event(condition.kind, fields, condition.place)
