"""What goes out, for the OpenAPI document and the tests: resources don't build these objects."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from runtime.alarm import WORDS
from runtime.servers.rest.schema import table_schema
from runtime.tags import Pump, Station, System

Scope = Literal["pump", "station", "system"]
StationId = Annotated[str, Field(min_length=1, max_length=64)]
PumpId = Annotated[int, Field(ge=1, le=2**31 - 1)]
MANY = 1000

STATION_SAFETY = (
    Station.EmergencyStop,
    Station.EmergencyStopSince,
    Station.Failsafe,
    Station.FailsafeSince,
    Station.PlanAge,
    Station.WatchdogTimeout,
)
PUMP_SAFETY = (
    Pump.EmergencyStop,
    Pump.Stopped,
    Pump.Authority,
    Pump.Limited,
    Pump.LevelTrip,
    Pump.Setpoint,
    Pump.LowLimit,
    Pump.HighLimit,
)
SYSTEM_SAFETY = (System.EmergencyStop, System.Fault, System.DatabaseLost, System.DatabaseAge)

Tags = dict[str, Any]
SystemTags = Annotated[Tags, WithJsonSchema(table_schema(System))]
StationTags = Annotated[Tags, WithJsonSchema(table_schema(Station))]
PumpTags = Annotated[Tags, WithJsonSchema(table_schema(Pump))]
SystemSafetyTags = Annotated[Tags, WithJsonSchema(table_schema(System, SYSTEM_SAFETY))]
StationSafetyTags = Annotated[Tags, WithJsonSchema(table_schema(Station, STATION_SAFETY))]
PumpSafetyTags = Annotated[Tags, WithJsonSchema(table_schema(Pump, PUMP_SAFETY))]


class Model(BaseModel):
    """A closed set of fields: an unknown one is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Mirrored(Model):
    """Which scan a reply shows. Unless `live`, the scan stands still and all qualities are Bad."""

    scan: int
    time: datetime
    age_s: float
    period_s: float
    live: bool


class Named(Model):
    """A pump by name."""

    pump: PumpId
    name: str
    active: bool


class PumpState(Named):
    tags: PumpTags


class StationHead(Model):
    station: StationId
    name: str
    timezone: str
    active: bool
    tags: StationTags


class StationEntry(StationHead):
    pumps: list[Named]


class SystemState(Model):
    tags: SystemTags


class Stations(Mirrored):
    system: SystemState
    stations: list[StationEntry]
    problems: list[str] = Field(description="Rows of the database that were skipped, and why.")


class StationReply(Mirrored, StationHead):
    pumps: list[PumpState]


class PumpReply(Mirrored, PumpState):
    station: StationId


class PumpSafety(Model):
    pump: PumpId
    tags: PumpSafetyTags


class StationSafety(Model):
    station: StationId
    tags: StationSafetyTags
    pumps: list[PumpSafety] = Field(description="Pumps that a stop, a limit or a trip acts on.")


class SystemSafety(Model):
    tags: SystemSafetyTags


class Safety(Mirrored):
    emergency_stops: int
    failsafe_stations: int
    limited_pumps: int
    system: SystemSafety
    stations: list[StationSafety]


class Violation(Model):
    station: StationId
    pump: PumpId
    limit: str
    limit_value: float | None
    extreme_value: float | None
    started_at: datetime
    ended_at: datetime | None
    scan: int


class Violations(Model):
    violations: list[Violation]


class Place(Model):
    """What an emergency stop or an alarm is about."""

    scope: Scope
    station: StationId | None
    pump: PumpId | None


class Stop(Place):
    id: str
    since: datetime | None


class StopEvent(Place):
    id: str
    event: Literal["set", "cleared"]
    at: datetime
    actor: str
    role: str | None
    protocol: str | None
    address: str | None
    reason: str | None
    scan: int | None
    latency_ms: float | None


class Stops(Mirrored):
    active: list[Stop]
    history: Literal["available", "unavailable", "omitted"]
    events: list[StopEvent]


class OneStop(Mirrored):
    active: Stop | None = Field(description="The stop while it is in force.")
    history: Literal["available", "unavailable"]
    events: list[StopEvent]


class Done(Place):
    """What became of a request. `latency_ms`: from the request to the published image."""

    id: str
    scan: int
    latency_ms: float
    durable: bool = Field(description="It is on disk too: it survives a power cut.")


AlarmWord = Annotated[str, WithJsonSchema({"type": "string", "enum": [*WORDS.values()]})]


class Alarm(Place):
    alarm: str
    priority: Literal[1, 2, 3, 4]
    state: AlarmWord
    first_out: bool = Field(
        description="Came first of those that stand in its station; the others may follow from it."
    )
    text: str
    cause: str
    consequence: str
    response: str
    since: datetime | None = Field(description="When it became active; null once it has ended.")
    shelved_until: datetime | None


class Alarms(Mirrored):
    active: int = Field(description="Active in the whole system, hidden ones too.")
    unacknowledged: int
    shelved: int
    flood: bool = Field(description="More than an operator can deal with: over 10 in 10 minutes.")
    found: int = Field(description="How many are of the state, priority and station asked for.")
    alarms: list[Alarm] = Field(description=f"The {MANY} that matter most, by priority and age.")


class AlarmDone(Place):
    """What became of a wish about an alarm. `state` is the one after the scan that did it."""

    alarm: str
    state: AlarmWord
    changed: bool = Field(description="False if it was so already, so that nothing was asked.")
    id: str | None = Field(description="Of the request; null if nothing was asked.")
    scan: int
    latency_ms: float
    durable: bool = Field(description="It is on disk too: it survives a power cut.")


class AllAcknowledged(Model):
    """What became of the alarms of a station that waited to be acknowledged, as far as listed."""

    station: StationId
    acknowledged: int
    left: int = Field(description="Still waiting: too many for once, or changed meanwhile.")


class Configuration(Model):
    """The effective configuration, as scan.yaml would say it, without secrets."""

    model_config = ConfigDict(extra="allow")


class ProcessHealth(Model):
    process: str
    state: Literal["absent", "hung", "starting", "good", "degraded", "standby"]
    text: str
    pid: int | None
    age_s: float | None = Field(description="Since its counter last moved.")


class Health(Model):
    status: Literal["live", "no live data"]
    scan: int | None
    image_age_s: float | None
    processes: list[ProcessHealth]


class Readiness(Model):
    ready: bool
    image_live: bool
    equipment_loaded: bool
    plan_driven: bool = Field(description="A setpoint has followed a plan since the start.")


class Document(Model):
    """This document."""

    model_config = ConfigDict(extra="allow")


class Fault(Model):
    where: str
    what: str
    found: str
    allowed: str


class ProblemDetails(Model):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    correlation_id: str
    errors: list[Fault]
