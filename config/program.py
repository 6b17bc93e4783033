"""The program: function blocks in the order of their execution, each with its settings.

Written as a list, as a controls engineer reads it; held as `order` plus one set of settings for
each block. Whether all blocks are there, once and in a sensible order, is the runtime's to say: it
knows what they read and write.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias, cast, get_args

from pydantic import Field, GetJsonSchemaHandler, model_serializer
from pydantic_core import CoreSchema

from config.problem import Refused, shown
from config.quantity import (
    Duration,
    FlowChange,
    Frequency,
    Length,
    LevelChange,
    PowerChange,
    Share,
    SpeedChange,
    SpeedPerLevel,
    SpeedPerPower,
)
from config.settings import Settings, section

WithoutLevel: TypeAlias = Literal["stop", "default", "hold"]
Alternation: TypeAlias = Literal["run_hours", "starts", "fixed"]
Role: TypeAlias = Literal["duty", "standby"]


class Feedback(Settings):
    """Validates what the plant reports and gives each value its quality."""

    max_age: Annotated[float, Duration("1 s", "1 h")] = Field(
        default=30.0,
        description="Age from which feedback is Bad. Unsafe when long: a controller acts on a "
        "level that was, not on the level that is.",
    )
    speed_rate: Annotated[float, SpeedChange("0.1 Hz/s", "1000000000 Hz/s")] = Field(
        default=50.0, description="A speed that changes faster is not believed until it stays."
    )
    power_rate: Annotated[float, PowerChange("0.1 kW/s", "1000000000 kW/s")] = Field(
        default=1e9, description="A power that changes faster is not believed until it stays."
    )
    flow_rate: Annotated[float, FlowChange("0.1 m3/h/s", "1000000000 m3/h/s")] = Field(
        default=1e9, description="A flow that changes faster is not believed until it stays."
    )
    level_rate: Annotated[float, LevelChange("0.1 mm/s", "1000000000 m/s")] = Field(
        default=0.1, description="A level that changes faster is not believed until it stays."
    )
    stuck: Annotated[float, Duration("0 s", "7 d")] = Field(
        default=3600.0,
        description="How long a level may stay the same to the last digit before it is Bad; 0 s "
        "for ever.",
    )
    power_stuck: Annotated[float, Duration("0 s", "7 d")] = Field(
        default=0.0,
        description="The same of the power of a running pump. Only for a power with noise: one in "
        "steps of 0.1 kW may rightly stay the same, and a lost power holds the power controller.",
    )
    flow_stuck: Annotated[float, Duration("0 s", "7 d")] = Field(
        default=0.0,
        description="The same of the flow of a running pump. Only for a flow with noise.",
    )


class WellLevel(Settings):
    """Makes one level of a station's sensors, and estimates its inflow."""

    difference: Annotated[float, Length("1 mm", "10 m")] = Field(
        default=0.2, description="Difference of a station's levels that raises an alarm."
    )
    smoothing: Annotated[float, Duration("0 s", "1 h")] = Field(
        default=60.0, description="Time constant of the filter on the estimated inflow."
    )


class Plan(Settings):
    """Selects the interval of the optimiser's plan that covers this scan."""

    bridge: Annotated[float, Duration("0 s", "1 h")] = Field(
        default=0.0,
        description="How long the targets of an interval go on after its end when no other "
        "follows at once. Unsafe when long: it is a plan that nobody made.",
    )


class Watchdog(Settings):
    """Puts a station into failsafe when its plans stop coming."""

    timeout: Annotated[float, Duration("1 s", "7 d")] = Field(
        default=1200.0,
        description="Age of the newest plan or heartbeat at which a station goes to its default "
        "setpoints. Unsafe when longer than a well takes to fill with its pumps at a stale "
        "setpoint.",
    )


class EmergencyStop(Settings):
    """Latches emergency stops of pump, station and system. No settings."""


class RunTimes(Settings):
    """Counts starts, run times and pauses as they are observed. No settings."""


class LevelGuards(Settings):
    """Latches what the level demands in every mode: trip, stop, start, all run. No settings."""


class Adaptation(Settings):
    """Learns what power and flow each pump has at its speeds."""

    learning_time: Annotated[float, Duration("1 min", "30 d")] = Field(
        default=1800.0,
        description="Time constant of the learning. Unsafe when short: a passing disturbance "
        "becomes what is expected.",
    )


class DirectSpeed(Settings):
    """The demand of pumps whose plan commands a speed."""

    ramp: Annotated[float, SpeedChange("0.001 Hz/s", "100 Hz/s")] = Field(
        default=100.0,
        description="Fastest change of the speed that a plan asks for; the limits may be slower.",
    )


class Staging(Settings):
    """Decides which of a station's level-controlled pumps run."""

    alternate: Alternation = Field(
        default="run_hours",
        description="Which pump is next: that with the fewest `run_hours`, the fewest `starts`, "
        "or in a `fixed` order.",
    )
    up_delay: Annotated[float, Duration("0 s", "1 h")] = Field(
        default=60.0, description="How long the running pumps must be at their limit for one more."
    )
    down_delay: Annotated[float, Duration("0 s", "1 h")] = Field(
        default=60.0, description="How long one pump must be too many before it stops."
    )
    role: Role = Field(
        default="duty",
        description="Role of pumps without their own: `duty`, or `standby`, which runs only in "
        "place of another.",
    )


class LevelControl(Settings):
    """The demand of pumps whose plan commands a level; defaults of pumps without their own."""

    gain: Annotated[float, SpeedPerLevel("0 Hz/m", "10000 Hz/m")] = Field(
        default=20.0,
        description="Change of speed for a level error of 1 m. Unsafe when high: the level "
        "swings and the pumps with it.",
    )
    reset_time: Annotated[float, Duration("1 s", "1 d")] = Field(
        default=300.0, description="Reset (integral) time. Unsafe when short: the level swings."
    )
    derivative_time: Annotated[float, Duration("0 s", "1 h")] = Field(
        default=0.0, description="Derivative time; 0 s for none, as is usual for levels."
    )
    filter_time: Annotated[float, Duration("0 s", "1 h")] = Field(
        default=5.0,
        description="Time constant of the filter on the level that the derivative acts on.",
    )
    deadband: Annotated[float, Length("0 m", "5 m")] = Field(
        default=0.02,
        description="Level error that is taken as none, so that waves don't move a pump.",
    )
    setpoint_weight: Annotated[float, Share("0 %", "100 %")] = Field(
        default=0.0,
        description="Share of a change of target that acts at once; the rest comes by and by.",
    )
    tracking_time: Annotated[float, Duration("0 s", "1 d")] = Field(
        default=60.0,
        description="Time in which the integral follows a limit that acts (anti-windup).",
    )
    feed_forward: Annotated[float, Share("0 %", "100 %")] = Field(
        default=0.0, description="Share of the estimated inflow that is fed forward."
    )
    start_band: Annotated[float, Length("0 m", "10 m")] = Field(
        default=0.3,
        description="Level error, on the side that asks for pumping, that starts the first pump.",
    )
    stop_band: Annotated[float, Length("0 m", "10 m")] = Field(
        default=0.6,
        description="Level error, on the other side, that stops the last pump. What the well holds "
        "between the two bands decides how often a pump starts while less comes in than it moves "
        "at its lowest speed.",
    )


class PowerControl(Settings):
    """The demand of pumps whose plan commands a power; defaults of pumps without their own."""

    gain: Annotated[float, SpeedPerPower("0 Hz/kW", "10000 Hz/kW")] = Field(
        default=0.2,
        description="Change of speed for a power error of 1 kW. Unsafe when high: power and "
        "speed swing.",
    )
    reset_time: Annotated[float, Duration("1 s", "1 d")] = Field(
        default=30.0, description="Reset (integral) time. Unsafe when short: power and speed swing."
    )
    feed_forward: Annotated[float, Share("0 %", "100 %")] = Field(
        default=1.0,
        description="Share of the speed, as learned for the power asked for, that is fed forward.",
    )


class Authority(Settings):
    """Decides whose demand counts: emergency stop, failsafe, manual, plan, default. No settings."""


class Duty(Settings):
    """Lets pumps run or rest as level and run time demand, whatever is asked. No settings."""


class Limits(Settings):
    """Keeps every setpoint inside the hard limits; the only writer of the setpoint."""

    without_level: WithoutLevel = Field(
        description="What a station's pumps do without a good level: `stop`, their `default` "
        "setpoint, or `hold` the last one. It has no default because none is safe everywhere: "
        "an emptying station that stops overflows, one that goes on may run dry.",
    )
    level_hold: Annotated[float, Duration("0 s", "1 h")] = Field(
        default=60.0,
        description="How long pumps hold their setpoints after the level is lost, before that. "
        "Unsafe when longer than a well takes to fill or to run dry.",
    )


class Supervision(Settings):
    """Notices a pump that does not follow its setpoint."""

    tolerance: Annotated[float, Frequency("0.01 Hz", "50 Hz")] = Field(
        default=2.0,
        description="Difference of measured speed and setpoint that is still following.",
    )
    delay: Annotated[float, Duration("0 s", "1 h")] = Field(
        default=15.0,
        description="How long the difference must last; at least what the drive's ramp takes.",
    )
    start_delay: Annotated[float, Duration("1 s", "1 h")] = Field(
        default=30.0, description="How long a pump may take to report that it runs."
    )
    retry: Annotated[float, Duration("1 min", "7 d")] = Field(
        default=1800.0, description="When level control tries a pump again that did not start."
    )
    no_flow: Annotated[float, Share("0 %", "100 %")] = Field(
        default=0.05, description="Share of the hard maximum flow below which a pump moves nothing."
    )
    power_tolerance: Annotated[float, Share("1 %", "1000 %")] = Field(
        default=0.3, description="Share by which power may differ from what is expected."
    )
    flow_delay: Annotated[float, Duration("1 s", "1 d")] = Field(
        default=60.0, description="How long flow or power must be wrong."
    )


class Alarms(Settings):
    """Turns states into alarms and counts them. No settings."""


BlockName: TypeAlias = Literal[
    "feedback",
    "well_level",
    "plan",
    "watchdog",
    "emergency_stop",
    "run_times",
    "level_guards",
    "adaptation",
    "direct_speed",
    "staging",
    "level_control",
    "power_control",
    "authority",
    "duty",
    "limits",
    "supervision",
    "alarms",
]
BLOCKS: tuple[str, ...] = get_args(BlockName)
_LIST = "a list of blocks, each a name or a name with its settings indented under it"


class Program(Settings):
    """The blocks in the order in which a scan executes them."""

    order: tuple[BlockName, ...] = Field(min_length=1)
    feedback: Feedback = Feedback()
    well_level: WellLevel = WellLevel()
    plan: Plan = Plan()
    watchdog: Watchdog = Watchdog()
    emergency_stop: EmergencyStop = EmergencyStop()
    run_times: RunTimes = RunTimes()
    level_guards: LevelGuards = LevelGuards()
    adaptation: Adaptation = Adaptation()
    direct_speed: DirectSpeed = DirectSpeed()
    staging: Staging = Staging()
    level_control: LevelControl = LevelControl()
    power_control: PowerControl = PowerControl()
    authority: Authority = Authority()
    duty: Duty = Duty()
    limits: Limits
    supervision: Supervision = Supervision()
    alarms: Alarms = Alarms()

    @model_serializer(mode="wrap")
    def _to_list(self, inner: Any) -> list[Any]:
        settings = inner(self)
        return [{name: settings[name]} if settings[name] else name for name in self.order]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        blocks = handler.resolve_ref_schema(handler(schema))["properties"]
        return {"type": "array", "items": {"oneOf": list(_entries(blocks))}}


def _entries(blocks: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """A block may stand as a bare name when none of its settings is required."""
    for name in BLOCKS:
        model = section(Program.model_fields[name])
        fields = model.model_fields.values() if model else ()
        about = model.__doc__ if model else None
        if not any(field.is_required() for field in fields):
            yield {"const": name, "description": about}
        if fields:
            yield {
                "type": "object",
                "description": about,
                "properties": {name: blocks[name]},
                "required": [name],
                "additionalProperties": False,
            }


class Arrangement(dict[str, object]):
    """What a list of blocks says: `order`, and the settings by block."""

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(cast("Iterable[str]", self["order"]))


def arranged(written: object) -> Arrangement | Program:
    """The list as it is written, arranged for the model; what is arranged already is left alone."""
    if isinstance(written, Arrangement | Program):
        return written
    if not isinstance(written, list | tuple):
        raise Refused(shown(written), _LIST)
    order: list[str] = []
    # Settings that a block must have are missed at their own key, whether it is there or not.
    settings: dict[str, object] = {name: {} for name in BLOCKS}
    for entry in written:
        if isinstance(entry, dict):
            if len(entry) != 1:
                raise Refused(f"{', '.join(entry) or 'nothing'} in one entry", _LIST)
            ((name, given),) = entry.items()
            settings[name] = given or {}
        elif isinstance(entry, str):
            name = entry
            settings.setdefault(name, {})
        else:
            raise Refused(f"{shown(entry)} as an entry", _LIST)
        order.append(name)
    return Arrangement(settings, order=order)
