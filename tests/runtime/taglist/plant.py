"""A small plant: two stations, one with a pump in use and a retired one."""

from __future__ import annotations

from runtime.equipment import Equipment, PumpEntry, StationEntry

PLANT = Equipment(
    version=3,
    stations=(
        StationEntry(0, "North", "North well", "UTC", 1, 0, True, {}),
        StationEntry(1, "South", "South well", "UTC", 2, 0, True, {}),
    ),
    pumps=(
        PumpEntry(0, 11, "North", "First", 1, 100, True, {}),
        PumpEntry(1, 12, "North", "Retired", 1, 200, False, {}),
        PumpEntry(2, 21, "South", "Second", 2, 100, True, {}),
    ),
)
