"""How a setting is written: the text in the file, the value in the program, and the way back."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")


class Notation(ABC, Generic[T]):
    """Stands in `Annotated[T, notation]` and gives pydantic validation, output and schema."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What may be written, for an error message."""

    @abstractmethod
    def read(self, written: object) -> T:
        """The value of what is written; ValueError, with a hint or empty, if it is not allowed."""

    @abstractmethod
    def write(self, value: T) -> object:
        """What `read` makes `value` of."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The JSON schema of what may be written."""

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.write, when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.schema()


@dataclass(frozen=True)
class Whole(Notation[int]):
    """A whole number in a range."""

    low: int
    high: int

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def read(self, written: object) -> int:
        if isinstance(written, bool) or not re.fullmatch(r"[+-]?[0-9]{1,12}", str(written)):
            raise ValueError("")
        value = int(str(written))
        if not self.low <= value <= self.high:
            raise ValueError("")
        return value

    def write(self, value: int) -> int:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class StationNames(Notation[tuple[str, ...]]):
    """Stations by their id, or `all`, which is read as no name at all: nothing is filtered."""

    EVERY = "all"
    FORM = r"(?!System$|all$)[^/\x00-\x1f\x7f]{1,64}"

    @property
    def allowed(self) -> str:
        return "all, or a list of different station ids (1 to 64 characters without '/')"

    def read(self, written: object) -> tuple[str, ...]:
        if written == self.EVERY:
            return ()
        names = written if isinstance(written, list | tuple) else str(written).split(",")
        if not names:
            raise ValueError("the list is empty")
        ids = tuple(name.strip() if isinstance(name, str) else "" for name in names)
        for place, name in enumerate(ids):
            if not name.isprintable() or not re.fullmatch(self.FORM, name):
                raise ValueError(f"entry {place + 1} is none")
            if name in ids[:place]:
                raise ValueError(f"entry {place + 1} is there already")
        return ids

    def write(self, value: tuple[str, ...]) -> str | list[str]:
        return list(value) if value else self.EVERY

    def schema(self) -> dict[str, Any]:
        ids = {"type": "string", "pattern": f"^{self.FORM}$"}
        every = {"const": self.EVERY}
        return {
            "oneOf": [every, {"type": "array", "items": ids, "minItems": 1, "uniqueItems": True}]
        }


@dataclass(frozen=True)
class Directory(Notation[Path | None]):
    """A directory, or none of it."""

    NONE = "none"

    @property
    def allowed(self) -> str:
        return "none, or the path of a directory"

    def read(self, written: object) -> Path | None:
        if written is None or written == self.NONE:
            return None
        if not isinstance(written, str | Path) or not str(written).strip() or "\0" in str(written):
            raise ValueError("")
        path = Path(written)
        if path.exists() and not path.is_dir():
            raise ValueError("it is a file")
        return path

    def write(self, value: Path | None) -> str:
        return self.NONE if value is None else str(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "title": self.allowed}
