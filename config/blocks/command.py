"""Settings of the blocks that decide whose demand counts and how far it may go."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from config.quantity import Duration
from config.settings import Settings

WithoutLevel: TypeAlias = Literal["stop", "default", "hold"]
WithoutScada: TypeAlias = Literal["none", "alarm", "default"]


class Plan(Settings):
    """Selects the interval of the optimiser's plan that covers this scan."""

    bridge: Annotated[float, Duration("0 s", "1 h")] = Field(
        default=0.0,
        description="How long the targets of an interval go on after its end when no other "
        "follows at once. Unsafe when long: it is a plan that nobody made.",
    )


class Watchdog(Settings):
    """Puts a station into failsafe when its plans stop coming, and notices that SCADA is lost."""

    timeout: Annotated[float, Duration("1 s", "7 d")] = Field(
        default=1200.0,
        description="Age of the newest plan or heartbeat at which a station goes to its default "
        "setpoints. Unsafe when longer than a well takes to fill with its pumps at a stale "
        "setpoint.",
    )
    scada_timeout: Annotated[float, Duration("1 s", "1 d")] = Field(
        default=30.0,
        description="How long SCADA may leave its heartbeat (System.Heartbeat) as it is.",
    )
    without_scada: WithoutScada = Field(
        default="none",
        description="What follows when it leaves it for longer: `none`, for a SCADA that writes no "
        "heartbeat; an `alarm`; or an alarm and the `default` setpoints of all pumps.",
    )


class EmergencyStop(Settings):
    """Latches emergency stops of pump, station and system. No settings."""


class LevelGuards(Settings):
    """Latches what the level demands in every mode: trip, stop, start, all run. No settings."""


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
