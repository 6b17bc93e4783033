"""Settings of the blocks that observe the plant: what it reports, does and has learned."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.quantity import (
    Duration,
    FlowChange,
    Frequency,
    Length,
    LevelChange,
    PowerChange,
    Share,
    SpeedChange,
)
from config.settings import Settings


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


class RunTimes(Settings):
    """Counts starts, run times and pauses as they are observed. No settings."""


class Adaptation(Settings):
    """Learns what power and flow each pump has at its speeds."""

    learning_time: Annotated[float, Duration("1 min", "30 d")] = Field(
        default=1800.0,
        description="Time constant of the learning. Unsafe when short: a passing disturbance "
        "becomes what is expected.",
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
