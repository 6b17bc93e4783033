"""What comes in: bodies and queries, validated before a resource sees them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from runtime.servers.rest.models import MANY, Model, PumpId, Scope, StationId

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
_reason = partial(StringConstraints, strip_whitespace=True, max_length=500, pattern=PRINTABLE)
Reason = Annotated[str, _reason(), Field(description="Why; kept in the audit trail.")]
Required = Annotated[str, _reason(min_length=1), Field(description="Why; kept in the audit trail.")]


class Asked(Model):
    """A request body: types are not converted."""

    model_config = ConfigDict(strict=True)


class StopOrder(Asked):
    """An emergency stop. A missing reason holds up no stop; a pump's station may be left out."""

    scope: Scope
    station: StationId | None = None
    pump: PumpId | None = None
    reason: Reason = ""

    @model_validator(mode="after")
    def _names_what_its_scope_needs(self) -> StopOrder:
        given = {name for name in ("station", "pump") if getattr(self, name) is not None}
        needed = {"pump": {"pump"}, "station": {"station"}, "system": set()}[self.scope]
        allowed = {"pump": {"pump", "station"}}.get(self.scope, needed)
        if not needed <= given <= allowed:
            words = {
                "pump": "`pump`, and with it `station` or not",
                "station": "`station` and no `pump`",
                "system": "neither `station` nor `pump`",
            }
            raise ValueError(f"{words[self.scope]}, for the scope {self.scope!r}")
        return self


class Clearing(Asked):
    """Why an emergency stop may end."""

    reason: Required


class StopsWanted(Model):
    """Which emergency stops."""

    state: Literal["active", "all"] = Field(
        "active", description="Those in force, or also what happened before, from the database."
    )
    limit: int = Field(100, ge=1, le=MANY, description="Most events of the history.")


class ViolationsWanted(Model):
    """Which violations."""

    station: StationId | None = None
    pump: PumpId | None = None
    since: AwareDatetime | None = Field(None, description="Not over before this time.")
    limit: int = Field(100, ge=1, le=MANY, description="Most violations, the newest first.")
