"""What tags look like in JSON, as JSON Schema: derived from their declarations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runtime.servers.rest.tagged import QUALITIES, is_identity
from runtime.tag import Table, Tag
from runtime.tags import shown


def tag_schema(tag: Tag) -> dict[str, Any]:
    """Value, unit and quality of one tag."""
    return {
        "type": "object",
        "description": tag.doc,
        "properties": {
            "value": _value_schema(tag),
            "unit": {"const": tag.unit.symbol},
            "quality": {"enum": QUALITIES},
        },
        "required": ["value", "unit", "quality"],
        "additionalProperties": False,
    }


def table_schema(table: type[Table], only: Iterable[Tag] | None = None) -> dict[str, Any]:
    """The shown tags of a table, or `only` these, by name."""
    properties = {tag.name: tag_schema(tag) for tag in (shown(table) if only is None else only)}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _value_schema(tag: Tag) -> dict[str, Any]:
    if tag.is_bool:
        return {"type": "boolean"}
    if tag.states is not None:
        return {"type": "string", "examples": list(tag.states.values())}
    if tag.flags is not None:
        return {"type": "array", "items": {"enum": list(tag.flags.values())}}
    if is_identity(tag):
        return {"type": "string", "pattern": "^[0-9]+$"}
    return {"type": ["number", "null"] if tag.is_float else "integer"}
