"""The program: function blocks in the order of their execution, each with its settings.

Written as a list, as a controls engineer reads it; held as `order` plus one set of settings for
each block. Whether all blocks are there, once and in a sensible order, is the runtime's to say: it
knows what they read and write.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args

from pydantic import Field, GetJsonSchemaHandler, model_serializer
from pydantic_core import CoreSchema

from config.blocks.command import (
    Authority,
    Duty,
    EmergencyStop,
    LevelGuards,
    Limits,
    Plan,
    Watchdog,
)
from config.blocks.control import DirectSpeed, LevelControl, PowerControl, Staging
from config.blocks.observation import Adaptation, Alarms, Feedback, RunTimes, Supervision, WellLevel
from config.settings import Settings, section

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
