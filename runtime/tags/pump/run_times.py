"""How long and how often a pump runs."""

from __future__ import annotations

from runtime.tag import Table, Unit
from runtime.tags.kinds import INTERNAL, flag, memory, seconds


class RunTimes(Table):
    """Run and off times, starts, and what they hold back."""

    Turning = flag(
        "The pump runs as observed, or as commanded where that is not known.", register=16
    )
    RunTime = seconds("How long it has been running; 0 at rest.", retained=True, register=42)
    OffTime = seconds("How long it has been at rest; 0 while it runs.", retained=True, register=44)
    TotalRunTime = memory(
        "How long it has run in all.",
        unit=Unit.HOUR,
        high=1e6,
        retained=True,
        register=46,
    )
    Starts = memory(
        "Starts of the motor, local ones included.", dtype="u8", retained=True, register=48
    )
    StartsLastHour = memory("Starts in the last hour.", dtype="u1", register=40)
    StartCounted = flag("The commanded start is counted and not yet observed.", access=INTERNAL)
    RunAssumed = flag(
        "A motor that stood when its feedback was lost is taken to turn; its start is not counted.",
        access=INTERNAL,
    )
    Commanded = flag("The setpoint was above 0 when run times were last taken.", access=INTERNAL)
    StartHeld = memory(
        "What holds back a start, as bits; 0 if it may start.",
        dtype="u1",
        high=3,
        flags={0: "starts per hour", 1: "minimum off time"},
    )
