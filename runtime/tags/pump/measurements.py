"""What the plant's collector measures at a pump, as received and as judged."""

from __future__ import annotations

from functools import partial

from runtime.tag import Table, Tag
from runtime.tags.kinds import (
    HZ,
    INTERNAL,
    KW,
    M3H,
    M,
    S,
    flag,
    flow,
    incoming,
    level,
    memory,
    power,
    quality,
    seconds,
    speed,
)

_doubt = partial(
    Tag,
    dtype="u1",
    high=5,
    states={
        0: "none",
        1: "not measured",
        2: "stale",
        3: "out of range",
        4: "changes too fast",
        5: "stuck",
    },
)


class MeasuredInputs(Table):
    """The feedback as the database has it."""

    MeasuredTime = incoming("When the feedback was measured; 0 never.", unit=S)
    MeasuredSpeed = incoming("Speed as measured; NaN if not.", unit=HZ)
    MeasuredPower = incoming("Power as measured; NaN if not.", unit=KW)
    MeasuredFlow = incoming("Flow as measured; NaN if not.", unit=M3H)
    MeasuredLevel = incoming("Level as measured; NaN if not.", unit=M)
    MeasuredRunning = incoming("The pump reports that it runs.", dtype="?")
    MeasuredLocal = incoming("The pump reports local control.", dtype="?")


class Measurements(Table):
    """The feedback as accepted, with its quality."""

    FeedbackAge = seconds("Age of the feedback.", register=0)
    # A transmitter at rest may read a little below 0.
    Speed = speed("Actual speed.", low=-1.0, quality="SpeedQuality", stored=True, register=2)
    SpeedQuality = quality("Quality of the speed.", register=20)
    Power = power("Electrical power.", quality="PowerQuality", stored=True, register=4)
    PowerQuality = quality("Quality of the power.", register=22)
    Flow = flow("Flow.", quality="FlowQuality", stored=True, register=6)
    FlowQuality = quality("Quality of the flow.", register=24)
    Level = level("Level measured at the pump.", quality="LevelQuality", stored=True, register=8)
    LevelQuality = quality("Quality of the level.", register=26)
    SpeedDoubt = _doubt("Why the speed is not Good.")
    PowerDoubt = _doubt("Why the power is not Good.")
    FlowDoubt = _doubt("Why the flow is not Good.")
    LevelDoubt = _doubt("Why the level is not Good.", register=56)
    SpeedTime = memory("When the accepted speed was measured.", unit=S, access=INTERNAL)
    PowerTime = memory("When the accepted power was measured.", unit=S, access=INTERNAL)
    FlowTime = memory("When the accepted flow was measured.", unit=S, access=INTERNAL)
    LevelTime = memory("When the accepted level was measured.", unit=S, access=INTERNAL)
    SpeedStill = seconds("How long the running pump's speed has been the same.", access=INTERNAL)
    PowerStill = seconds("How long the running pump's power has been the same.", access=INTERNAL)
    FlowStill = seconds("How long the running pump's flow has been the same.", access=INTERNAL)
    LevelStill = seconds("How long the level has been the same.", access=INTERNAL)
    Running = flag(
        "The pump runs.", quality="RunningQuality", recorded=True, stored=True, register=1
    )
    RunningQuality = quality("Quality of the running and local control feedback.", register=28)
    LocalControl = flag(
        "The pump is under local control.", quality="RunningQuality", stored=True, register=2
    )
