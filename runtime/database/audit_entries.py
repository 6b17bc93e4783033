"""Entries of the audit log: what became of every request, and what the runtime lost or refused.

Each entry is a record of a spool; (source, sequence), its place there, says whether it is in the
log already.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from typing import Any

import psycopg

from runtime.database.names import Names
from runtime.spool import Kind
from runtime.spoolfile import Record

ASKED = "asked"  # the result of a request that is not yet answered

_FIELDS = (
    *("sequence", "at", "actor", "role", "protocol", "address", "action", "object", "result"),
    *("reason", "correlation", "details"),
)
_APPEND = """
    SELECT audit_append(%(source)s, %(sequence)s::bigint[],
                        ARRAY(SELECT to_timestamp(at) FROM unnest(%(at)s::float8[]) AS at),
                        %(actor)s::text[], %(role)s::text[], %(protocol)s::text[],
                        %(address)s::text[], %(action)s::text[], %(object)s::text[],
                        %(result)s::text[], %(reason)s::text[], %(correlation)s::text[],
                        %(details)s::text[])
"""

Entry = dict[str, object]


def append(connection: psycopg.Connection[Any], source: str, entries: Sequence[Entry]) -> None:
    """Append those of the entries of a source that are not there yet."""
    if entries:
        columns = {field: [entry[field] for entry in entries] for field in _FIELDS}
        connection.execute(_APPEND, {"source": source, **columns})


def answered(connection: psycopg.Connection[Any], requests: Collection[str]) -> set[str]:
    """Those of the requests whose answers are in the log."""
    rows = connection.execute(
        "SELECT correlation_id FROM audit_log WHERE correlation_id = ANY(%s) AND result <> %s",
        [list(requests), ASKED],
    )
    return {row[0] for row in rows}


def of_record(record: Record, names: Names) -> Entry:
    """The entry for a request, an answer, a note of the runtime, or what was lost."""
    body = record.body
    if record.kind == Kind.LOST:
        return _own(record, "lose events", "lost", body)
    if record.kind == Kind.NOTE:
        told = {"at": body["at"], "object": _text(body["object"]) if body["object"] else None}
        if "who" in body:
            told |= _by_somebody(body)
        return _own(record, body["action"], body["result"], body["details"]) | told
    if record.kind == Kind.REFUSED:
        return _refused(record)
    tag, slot, value = body["tag"], body["slot"], body["value"]
    stop = tag.endswith(".EmergencyStop")
    what = "emergency stop" if stop else tag.partition(".")[2]
    verb = "clear" if stop and not value else "set"
    return {
        "sequence": record.seq,
        "at": body.get("answered_at", body["asked_at"]),
        "actor": _text(body["who"]),
        "role": body["role"].lower(),
        "protocol": body["source"].lower(),
        "address": _text(body["where"]),
        "action": body.get("action", f"{verb} {what}"),
        "object": names.path(tag, slot),
        "result": body.get("result", ASKED).lower().replace("_", " "),
        "reason": _text(body["why"]),
        "correlation": str(body["id"]),
        "details": _json(
            {
                key: body[key]
                for key in ("value", "reference", "scan", "latency", "durable", "trace")
                if key in body
            }
        ),
    }


def _by_somebody(body: dict[str, Any]) -> Entry:
    return {
        "actor": _text(body["who"]),
        "role": body["role"].lower(),
        "protocol": body["source"].lower(),
        "address": _text(body["where"]),
        "correlation": body["correlation"],
    }


def _refused(record: Record) -> Entry:
    body = record.body
    entry = _own(record, _text(body["action"]), "refused", body["details"])
    return entry | {
        "at": body["at"],
        "actor": _text(body["who"]),
        "role": body["role"].lower() if body["role"] else None,
        "protocol": body["source"].lower(),
        "address": _text(body["where"]),
        "object": _text(body["object"]) or None,
        "reason": _text(body["why"]) or None,
        "correlation": body["correlation"],
    }


def of_refused(record: Record, why: str) -> Entry:
    """The entry for a record that PostgreSQL refuses: it keeps the record and the reason."""
    details = {"kind": record.kind, "record": record.body, "problem": why}
    return _own(record, "upload record", "refused", details)


def _own(record: Record, action: str, result: str, details: dict[str, Any]) -> Entry:
    nobody = dict.fromkeys(("role", "protocol", "address", "object", "reason", "correlation"))
    return nobody | {
        "sequence": record.seq,
        "at": time.time(),
        "actor": "calejo",
        "action": action,
        "result": result,
        "details": _json(details),
    }


def _text(value: object) -> str:
    """Text as PostgreSQL takes it: without the character 0."""
    return str(value).replace("\0", "\N{REPLACEMENT CHARACTER}")


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value).replace("\\u0000", "\\ufffd")
