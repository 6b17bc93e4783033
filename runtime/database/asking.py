"""Queries for the same answers over a command's own connection and over the server's.

What is looked up is written once, as functions of an `Ask`; who asks says how it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

Row = dict[str, Any]
Ask = Callable[[str, Mapping[str, Any]], list[Row]]
"""The rows of a query with its parameters."""


def over(connection: Connection[Any]) -> Ask:
    """Ask over a connection."""

    def ask(query: str, parameters: Mapping[str, Any]) -> list[Row]:
        with connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, parameters).fetchall()

    return ask
