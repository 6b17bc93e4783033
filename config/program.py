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
from config.quantity import Duration, Frequency, Length, SpeedPerLevel, SpeedPerPower
from config.settings import Settings, section

WithoutLevel: TypeAlias = Literal["stop", "default", "hold"]


class Feedback(Settings):
    """Validates what the plant reports and gives each value its quality."""

    max_age: Annotated[float, Duration("1 s", "1 h")] = Field(
        default=30.0,
        description="Age from which feedback is Bad. Unsafe when long: a controller acts on a "
        "level that was, not on the level that is.",
    )


class Plan(Settings):
    """Selects the interval of the optimiser's plan that covers this scan. No settings."""


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


class DirectSpeed(Settings):
    """The demand of pumps whose plan commands a speed. No settings."""


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
    start_band: Annotated[float, Length("0 m", "10 m")] = Field(
        default=0.2,
        description="Level error, on the side that asks for pumping, that starts a pump.",
    )
    stop_band: Annotated[float, Length("0 m", "10 m")] = Field(
        default=0.2, description="Level error, on the other side, that stops a pump."
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


class Authority(Settings):
    """Decides whose demand counts: emergency stop, failsafe, manual, plan, default. No settings."""


class Limits(Settings):
    """Keeps every setpoint inside the hard limits; the only writer of the setpoint."""

    without_level: WithoutLevel = Field(
        description="What a station's pumps do without a good level: `stop`, their `default` "
        "setpoint, or `hold` the last one. It has no default because none is safe everywhere: "
        "an emptying station that stops overflows, one that goes on may run dry.",
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


class Alarms(Settings):
    """Turns states into alarms and counts them. No settings."""


BlockName: TypeAlias = Literal[
    "feedback",
    "plan",
    "watchdog",
    "emergency_stop",
    "direct_speed",
    "level_control",
    "power_control",
    "authority",
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
    plan: Plan = Plan()
    watchdog: Watchdog = Watchdog()
    emergency_stop: EmergencyStop = EmergencyStop()
    direct_speed: DirectSpeed = DirectSpeed()
    level_control: LevelControl = LevelControl()
    power_control: PowerControl = PowerControl()
    authority: Authority = Authority()
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
