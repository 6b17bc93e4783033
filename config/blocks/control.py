"""Settings of the blocks that ask for a speed, each for its control type."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from config.quantity import Duration, Length, Share, SpeedChange, SpeedPerLevel, SpeedPerPower
from config.settings import Settings

Alternation: TypeAlias = Literal["run_hours", "starts", "fixed"]
Role: TypeAlias = Literal["duty", "standby"]


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
