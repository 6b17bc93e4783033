"""The JSON schema of scan.yaml, from which editors complete, explain and check it.

`python -m config.schema` writes it beside this file.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from config.model import Config

FILE = Path(__file__).with_name("scan.schema.json")


class _AsWritten(GenerateJsonSchema):
    """Shows defaults as an engineer writes them: "20 min", not 1200.0."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = schema["schema"].get("serialization")
        if inner and inner["type"] == "function-plain" and "default" in schema:
            written = inner["function"](schema["default"])
            schema = {**schema, "default": written}
        return super().default_schema(schema)


def text() -> str:
    """The schema as it stands in the file."""
    schema = Config.model_json_schema(schema_generator=_AsWritten)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "scan.yaml of the Calejo Control Adapter"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
