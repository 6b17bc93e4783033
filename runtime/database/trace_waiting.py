"""What the spools still hold of a story: records that are not yet in PostgreSQL."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from runtime import spoolfile
from runtime.database.asking import Row
from runtime.database.names import Names
from runtime.places import Places
from runtime.spool import Kind

SEARCHED = 64 << 20  # bytes of a spool


def waiting(places: Places, names: Names, ids: Collection[str], searched: int) -> Iterator[Row]:
    """Records that bear one of the ids. Of a spool that is longer, the oldest are `searched`."""
    for path in spoolfile.files(places.spool):
        for record in _records(path, searched):
            body = record.body
            numbers = {str(body[key]) for key in ("id", "request", "correlation") if key in body}
            if not {*numbers, body.get("trace")}.isdisjoint(ids):
                yield _of_spool(path.stem, record.kind, body, names)


def outbox(places: Places, searched: int) -> list[Row]:
    """What became of messages lately."""
    records = _records(places.outbox, searched) if places.outbox.exists() else []
    return [record.body for record in records if record.kind == Kind.ALERT]


def _records(path: Path, searched: int) -> list[spoolfile.Record]:
    """The records of a file that have names; none of one that can't be read now."""
    try:
        with contextlib.closing(spoolfile.SpoolReader(path)) as reader:
            found = reader.batch(-1, searched)
    except (sqlite3.Error, orjson.JSONDecodeError):
        return []
    return [record for record in found if record.kind != Kind.SAMPLE]


def _of_spool(spool: str, kind: str, body: Mapping[str, Any], names: Names) -> Row:
    at = next(body[key] for key in ("answered_at", "asked_at", "utc", "at") if key in body)
    row: Row = {"at": datetime.fromtimestamp(at, UTC), "found_in": f"spool {spool}"}
    if kind in (Kind.SAFETY, Kind.EDGE):
        station, pump = names.of(body["tag"], body["slot"])
        row |= {"station": station, "pump": pump, "tag": body["tag"], "scan": body["scan"]}
        row |= {"old_value": body["old"], "new_value": body["new"]}
        return row | {"correlation_id": str(body["request"])}
    if kind == Kind.REFUSED:
        row |= {"action": body["action"], "object": body["object"], "result": "refused"}
    else:
        row |= {"action": f"set {body['tag'].partition('.')[2]}"}
        row |= {"object": names.path(body["tag"], body["slot"])}
        row |= {"result": body.get("result", "asked").lower().replace("_", " ")}
        row |= {"correlation_id": str(body["id"])}
    details = {k: body[k] for k in ("value", "scan", "latency", "durable", "trace") if k in body}
    return row | {
        "actor": body["who"],
        "role": (body["role"] or "").lower(),
        "protocol": body["source"].lower(),
        "address": body["where"],
        "reason": body["why"],
        "details": details,
    }
