"""The history in PostgreSQL: samples from the spool, each stored once by its series and time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from psycopg import Connection

from runtime import samples
from runtime.database import partitions
from runtime.database.names import Names
from runtime.spoolfile import Record

_NEW_SERIES = """
    SELECT DISTINCT slot FROM unnest(%s::integer[]) AS sample (slot)
    WHERE NOT EXISTS (SELECT FROM history_series WHERE tag = %s AND slot = sample.slot)
"""
_NAME_SERIES = """
    INSERT INTO history_series (tag, slot, station_id, pump_id) VALUES (%s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
_INSERT = """
    INSERT INTO history (occurred_at, scan, value, series_id, quality)
    SELECT to_timestamp(utc), scan, value, series_id, quality
    FROM unnest(%(utc)s::float8[], %(scan)s::bigint[], %(value)s::float8[], %(slot)s::integer[],
                %(quality)s::smallint[]) AS sample (utc, scan, value, slot, quality)
    JOIN history_series USING (slot)
    WHERE tag = %(tag)s
    ON CONFLICT DO NOTHING
"""
_Parts = dict[str, list[list[float]]]


def insert(connection: Connection[Any], records: Sequence[Record], names: Names) -> None:
    """Store the samples of some records."""
    decoded = [samples.decode(record.data) for record in records]
    partitions.make(connection, "history", [utc for _, utc, _ in decoded])
    by_tag: dict[str, _Parts] = defaultdict(lambda: defaultdict(list))
    for scan, utc, found in decoded:
        for each in found:
            parts, count = by_tag[each.tag], len(each.rows)
            parts["utc"].append([utc] * count)
            parts["scan"].append([scan] * count)
            parts["value"].append(each.values.tolist())
            parts["slot"].append(each.rows.tolist())
            parts["quality"].append(each.qualities.tolist())
    for tag, parts in by_tag.items():
        columns = {name: [x for part in lists for x in part] for name, lists in parts.items()}
        _name(connection, tag, np.unique(columns["slot"]).tolist(), names)
        connection.execute(_INSERT, columns | {"tag": tag})


def _name(connection: Connection[Any], tag: str, slots: list[int], names: Names) -> None:
    """Give a series to the rows of a tag that have none."""
    new = [row[0] for row in connection.execute(_NEW_SERIES, [slots, tag])]
    if new:
        with connection.cursor() as cursor:
            cursor.executemany(_NAME_SERIES, [(tag, slot, *names.of(tag, slot)) for slot in new])
