"""What every part of the configuration has in common."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Settings(BaseModel):
    """A closed set of typed keys: an unknown one is refused, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def section(field: FieldInfo) -> type[Settings] | None:
    """The settings below a field, if it is not a single value."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Settings) else None


def entries(field: FieldInfo) -> type[Settings] | None:
    """The settings of each entry of a field that holds such by name."""
    name, *kinds = get_args(field.annotation) or (None,)
    kind = kinds[0] if name is str and kinds else None
    return kind if isinstance(kind, type) and issubclass(kind, Settings) else None
