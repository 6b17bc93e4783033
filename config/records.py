"""What is kept of the past: how finely, and how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.quantity import Duration
from config.settings import Settings

_Kept = Duration("8 d", "36500 d")
_KeptLong = Duration("30 d", "36500 d")
_KeptForYears = Duration("366 d", "36500 d")


class History(Settings):
    """Values over time, stored on change."""

    interval: Annotated[float, Duration("100 ms", "1 h")] = Field(
        default=1.0, description="How often values are looked at."
    )
    silence: Annotated[float, Duration("10 s", "1 d")] = Field(
        default=600.0,
        description="Longest time until a value that does not change is stored again, so that a "
        "longer gap means that nothing was recorded.",
    )


class Retention(Settings):
    """How long tables in PostgreSQL keep what is over. What is still on, they keep for ever."""

    feedback: Annotated[float, _Kept] = Field(
        default=30 * 86400.0, description="What the plant's collector writes to pump_feedback."
    )
    history: Annotated[float, _Kept] = Field(
        default=400 * 86400.0, description="Values on change, in history."
    )
    events: Annotated[float, _Kept] = Field(
        default=1830 * 86400.0,
        description="Changes of recorded tags, in events. What follows from them (violations, "
        "emergency stops, failsafe) has tables of its own.",
    )
    safety: Annotated[float, _KeptForYears] = Field(
        default=3660 * 86400.0,
        description="Violations of limits that have ended, failsafe that was left, and emergency "
        "stops that were cleared.",
    )
    alerts: Annotated[float, _KeptLong] = Field(
        default=1830 * 86400.0,
        description="Messages that were delivered or given up, with their attempts.",
    )
