"""The setpoint of a pump and the limits that act on it."""

from __future__ import annotations

from runtime.tag import Table
from runtime.tags.kinds import (
    HZ,
    INTERNAL,
    flag,
    flow,
    level,
    memory,
    output,
    power,
    seconds,
    speed,
)


class LimitedSetpoint(Table):
    """From the command to the output."""

    LowLimit = speed("Lowest running speed in force.", register=32)
    HighLimit = speed("Highest speed in force.", register=34)
    Limited = memory(
        "Limits that acted in this scan, as bits; 0 if none.",
        dtype="u4",
        high=4095,
        flags={
            0: "speed",
            1: "rate",
            2: "level",
            3: "level lost",
            4: "power",
            5: "flow",
            6: "not a number",
            7: "starts per hour",
            8: "minimum off time",
            9: "minimum run time",
            10: "maximum run time",
            11: "level guard",
        },
        recorded=True,
        stored=True,
        register=36,
    )
    SpeedExtreme = speed("Demand furthest outside the speed limits while they last acted.")
    RateExtreme = speed("Most that the rate of change held back while it last acted.")
    LevelExtreme = level("Level furthest beyond its limit while that last acted.")
    PowerExtreme = power("Highest power while its limit last acted.")
    FlowExtreme = flow("Highest flow while its limit last acted.")
    GuardExtreme = level("Level furthest beyond its guard while that last acted.")
    LostExtreme = seconds("How long the level was lost while that last acted.")
    Adopted = flag(
        "It is settled whether the pump was running when control began.", access=INTERNAL
    )
    LimitedBefore = memory("Limits that acted in the last scan.", dtype="u4", access=INTERNAL)
    Allowed = memory("Speed that may be wanted, however long it takes.", unit=HZ, access=INTERNAL)
    Setpoint = output(
        "Speed setpoint for the drive; 0 is stop.",
        unit=HZ,
        low=0.0,
        high=100.0,
        step=0.01,
        safe=0.0,
        within=("LowLimit", "HighLimit"),
        stored=True,
        register=0,
    )
