"""Alarm flood: whether more alarms are announced than an operator can deal with.

Part of the block `alarms`. EEMUA 191 and ISA-18.2 count the alarms announced in ten minutes:

| AlarmFlood | event                                  | next  |
|------------|----------------------------------------|-------|
| clear      | more than 10 were within the last 600 s | set   |
| set        | fewer than 5 were                      | clear |

The times of the latest 11 say both: more than 10 were when the 11th is younger than 600 s, fewer
than 5 when the 5th is not. Times are ControlTime: a step of the wall clock is none of an alarm.
"""

from __future__ import annotations

from blocks.block import Pins
from runtime.compiled import compiled
from runtime.tags import ANNUNCIATIONS_KEPT

WINDOW = 600.0  # s
MANY = ANNUNCIATIONS_KEPT  # so many are more than ten
FEW = 5


@compiled
def count_announced(system: Pins, annunciation: Pins, announced: int) -> None:
    """Count what was announced in this scan, and judge whether it is a flood."""
    now = system.ControlTime[0]
    total = int(system.Annunciations[0])
    for count in range(total, total + announced):
        annunciation.At[count % ANNUNCIATIONS_KEPT] = now
    total += announced
    system.Annunciations[0] = total
    needed = FEW if system.AlarmFlood[0] else MANY
    at = annunciation.At[(total - needed) % ANNUNCIATIONS_KEPT]
    system.AlarmFlood[0] = total >= needed and now - at < WINDOW
