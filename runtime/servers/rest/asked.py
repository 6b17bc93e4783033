"""What comes in: bodies and queries, validated before a resource sees them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.config import JsonValue

from runtime.alarm import LONGEST_SHELVING, SHORTEST_SHELVING, WORDS
from runtime.servers.rest.models import MANY, Model, PumpId, Scope, StationId

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
VISIBLE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
_said = Field(description="Why; kept in the audit trail.")
_reason = partial(StringConstraints, strip_whitespace=True, max_length=500)
Reason = Annotated[str, _reason(pattern=PRINTABLE), _said]
Required = Annotated[str, _reason(pattern=VISIBLE, min_length=1), _said]

ALARM_STATES = ["standing", "unacknowledged", "hidden", "all", *list(WORDS.values())[1:]]

TAKES: dict[str, tuple[set[str], set[str], str]] = {  # by scope: needs, may have, in words
    "pump": ({"pump"}, {"pump", "station"}, "`pump`, and with it `station` or not"),
    "station": ({"station"}, {"station"}, "`station` and no `pump`"),
    "system": (set(), set(), "neither `station` nor `pump`"),
}


def _by_scope() -> list[JsonValue]:
    """What each scope takes, as JSON Schema."""
    types = {"station": "string", "pump": "integer"}
    schemas: list[JsonValue] = []
    for scope, (needs, may, _) in TAKES.items():
        fields: dict[str, JsonValue] = {"scope": {"const": scope}}
        fields |= {name: {"type": types[name]} for name in needs}
        fields |= {name: {"type": "null"} for name in types if name not in may}
        schemas.append({"properties": fields, "required": [*sorted(needs)]})
    return schemas


class Asked(Model):
    """A request body: types are not converted."""

    model_config = ConfigDict(strict=True)


class StopOrder(Asked):
    """An emergency stop. A missing reason holds up no stop; a pump's station may be left out."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _by_scope()})

    scope: Scope
    station: StationId | None = None
    pump: PumpId | None = None
    reason: Reason = ""

    @model_validator(mode="after")
    def _names_what_its_scope_needs(self) -> StopOrder:
        given = {name for name in ("station", "pump") if getattr(self, name) is not None}
        needs, may, words = TAKES[self.scope]
        if not needs <= given <= may:
            raise ValueError(f"{words}, for the scope {self.scope!r}")
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


AlarmStates = Annotated[
    str, WithJsonSchema({"type": "string", "enum": ALARM_STATES, "default": "standing"})
]


class AlarmsWanted(Model):
    """Which alarms."""

    state: AlarmStates = Field(
        "standing",
        description="Standing ones, those of them that wait to be acknowledged, hidden ones"
        " (shelved, suppressed, out of service), all of these, or those of one state.",
    )
    priority: int | None = Field(None, ge=1, le=4)
    station: StationId | None = Field(None, description="Of this station and its pumps.")

    @field_validator("state")
    @classmethod
    def _is_known(cls, state: str) -> str:
        if state not in ALARM_STATES:
            raise ValueError(f"one of {', '.join(ALARM_STATES)}")
        return state


class AlarmNamed(Asked):
    """An alarm: of a pump or a station if one is named, else of the system."""

    alarm: str = Field(min_length=1, max_length=64)
    station: StationId | None = None
    pump: PumpId | None = None
    reason: Reason = ""


class AlarmHidden(AlarmNamed):
    """An alarm that shall not be shown, and why."""

    reason: Required


class AlarmShelved(AlarmHidden):
    """An alarm that shall not be shown for a while, and why."""

    seconds: int = Field(
        ge=SHORTEST_SHELVING, le=LONGEST_SHELVING, description="From a minute to 8 hours."
    )


class StationAcknowledged(Asked):
    """All alarms of a station, with its pumps."""

    station: StationId
    reason: Reason = ""
