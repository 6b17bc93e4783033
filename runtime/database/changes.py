"""Changes of configuration and equipment, as entries of the audit log.

The notes go into the spool of the database process. Its position holds what was noted last, so that
a process that is killed at any moment notes each change once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any

import orjson

from config import Config
from runtime import spoolfile
from runtime.equipment import Equipment
from runtime.places import Places
from runtime.spool import Journal, Kind

Note = dict[str, object]
Values = dict[str, Any]


def note(action: str, result: str, details: Mapping[str, object], of: str | None = None) -> Note:
    """What the runtime itself did or found, about `of`."""
    found = {"action": action, "object": of, "result": result, "details": details}
    return {"at": time.time(), **found}


class Changes:
    """Compares what is with what was noted last, and notes the difference."""

    def __init__(self, places: Places) -> None:
        path = places.spool / "database.db"
        self._noted: Values = orjson.loads(spoolfile.position(path) or b"{}")
        self._journal = Journal(path)

    def note(self, notes: Sequence[Note]) -> Future[None]:
        """Note something; done when it is on disk."""
        return self._journal.extend((Kind.NOTE, each) for each in notes)

    def configuration(self, config: Config) -> Future[None] | None:
        """Note the configuration if it is another than that of the last run. Secrets are not in it.

        Both are known by a digest, and the log has all settings of the first: so the settings of
        each can be told.
        """
        settings = dict(_flat(config.model_dump(mode="json")))
        before = self._noted.get("configuration")
        if before == settings:
            return None
        if before is None:
            details: Values = {"digest": _digest(settings), "settings": settings}
            noted = note("begin with configuration", "in force", details)
        else:
            digests = {"digest": _digest(settings), "digest_before": _digest(before)}
            details = digests | {"changes": _changes(before, settings)}
            noted = note("change configuration", "in force", details)
        return self._keep([noted], configuration=settings)

    def equipment(self, known: Equipment, found: Equipment) -> Future[None] | None:
        """Note how the equipment found differs from that which was in force."""
        rows = _rows(found)
        digest = _digest(rows | {"": list(found.problems)})
        if self._noted.get("equipment") == digest:
            return None  # noted, by a process that died before it put the list in force
        version = {"version": found.version}
        before = _rows(known)
        if before:
            notes = [
                note("change equipment", "in force", version | {"changes": changes}, name)
                for name in dict.fromkeys([*before, *rows])
                if (changes := _changes(before.get(name, {}), rows.get(name, {})))
            ]
        else:
            counts = {"stations": len(found.stations), "pumps": len(found.pumps)}
            notes = [note("begin with equipment", "in force", version | counts)]
        notes += [
            note("skip equipment row", "refused", version | {"problem": problem})
            for problem in found.problems
            if problem not in known.problems
        ]
        return self._keep(notes, equipment=digest)

    def _keep(self, notes: Sequence[Note], **noted: object) -> Future[None]:
        self._noted |= noted
        records = [(Kind.NOTE, each) for each in notes]
        return self._journal.extend(records, orjson.dumps(self._noted))

    def close(self) -> None:
        self._journal.close()


def _rows(equipment: Equipment) -> dict[str, Values]:
    """What is known of each station and pump, by its name."""
    stations = {station.station_id: asdict(station) for station in equipment.stations}
    pumps = {f"{pump.station_id}/{pump.pump_id}": asdict(pump) for pump in equipment.pumps}
    return {name: dict(_flat(row)) for name, row in (stations | pumps).items()}


def _changes(before: Values, after: Values) -> dict[str, list[Any]]:
    """Old and new value of each that differs; None where there is none."""
    return {
        name: [before.get(name), after.get(name)]
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    }


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as one, with names such as program.watchdog.timeout.

    Of a list such as that of the blocks, the order of its names is a value too.
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            yield f"{path}{name}", [next(iter(i)) if isinstance(i, Mapping) else i for i in value]
            for item in value:
                yield from _flat(item, f"{path}{name}.") if isinstance(item, Mapping) else ()
        else:
            yield f"{path}{name}", value


def _digest(values: Values) -> str:
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
