"""When alarms were announced lately."""

from __future__ import annotations

from runtime.tag import Table
from runtime.tags.kinds import INTERNAL, S, memory

ANNUNCIATIONS_KEPT = 11  # more than ten within ten minutes are a flood


class Annunciation(Table):
    """The latest alarms that were announced: ANNUNCIATIONS_KEPT rows, in turn."""

    At = memory("ControlTime at which an alarm was announced.", unit=S, access=INTERNAL)
