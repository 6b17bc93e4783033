"""What the calculators ask of a pump, each for its control type."""

from __future__ import annotations

from runtime.tag import Table
from runtime.tags.kinds import HZ, INTERNAL, KW, M, flag, memory, speed


class Demands(Table):
    """Demands of direct speed, level and power control, with the controllers' state."""

    DirectDemand = speed("What the direct speed calculator asks for.")
    Available = flag("Level control may run the pump.", register=17)
    LevelDemand = speed("What the level controller asks for.")
    LevelIntegral = memory("Integral part of the level controller.", unit=HZ, retained=True)
    LevelSeen = memory("Level of the last scan.", unit=M, access=INTERNAL)
    LevelSlope = memory("Filtered rise of the level, m/s.", access=INTERNAL)
    LevelError = memory("Level error of the last scan.", unit=M, access=INTERNAL)
    LevelAim = memory("Target of the last scan.", unit=M, access=INTERNAL)
    LevelForward = memory("Speed for the inflow of the last scan.", unit=HZ, access=INTERNAL)
    LevelOffset = memory("Output without its integral, last scan.", unit=HZ, access=INTERNAL)
    LevelOutput = memory("Output before limits, last scan.", unit=HZ, access=INTERNAL)
    LevelPumps = memory(
        "Pumps that this controller led in the last scan; 0 if it tracked.",
        dtype="u4",
        access=INTERNAL,
    )
    LevelRun = flag("The level controller wants the pump to run.", retained=True)
    LevelEngaged = flag("Level control is in charge of the pump.")
    PowerDemand = speed("What the power controller asks for.")
    PowerIntegral = memory("Integral part of the power controller.", unit=HZ, retained=True)
    PowerOffset = memory("Output without its integral, last scan.", unit=HZ, access=INTERNAL)
    PowerOutput = memory("Output before limits, last scan.", unit=HZ, access=INTERNAL)
    PowerError = memory("Power error of the last scan.", unit=KW, access=INTERNAL)
    PowerAim = memory("Target of the last scan.", unit=KW, access=INTERNAL)
    PowerEngaged = flag("The power controller was in charge in the last scan.")
