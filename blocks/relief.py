"""Relief: maximum run times, and the pumps that run in place of those that must rest."""

from __future__ import annotations

import math

from blocks.arithmetic import row
from blocks.block import Pins
from runtime.compiled import compiled
from runtime.tag import Quality
from runtime.tags import Pump

GOOD = int(Quality.GOOD)
LEVEL_CONTROLLED = Pump.ControlType.number("LEVEL_CONTROLLED")
PLAN, MANUAL = (Pump.Authority.number(word) for word in ("Plan", "Manual"))
MAX_RUN, IN_PLACE = (
    1 << Pump.Guarded.number(word) for word in ("maximum run time", "in place of another")
)


@compiled
def _asked(command: float, default: float) -> float:
    """The speed that a command comes to: `limits` puts the default for what is no number."""
    return command if math.isfinite(command) else default


@compiled
def _takes_part(usable: bool, control_type: int, authority: int) -> bool:
    """Whether relief is ours to arrange: level control changes over its pumps by itself."""
    return usable and not (control_type == LEVEL_CONTROLLED and authority == PLAN)


@compiled
def can_start(failed: bool, held: int, turning: bool, setpoint: float) -> bool:
    """Whether a pump that is asked to run does: it runs already, starts, or nothing holds it."""
    return not failed and (turning or setpoint > 0.0 or held == 0)


@compiled
def _go_on(station: Pins, pump: Pins) -> None:
    """Carry on the reliefs of the last scan that still make sense; end the others."""
    for p in range(len(pump.Command)):
        if pump.RelievedBy[p] == 0:
            continue
        q = row(int(pump.RelievedBy[p]) - 1, len(pump.Command))
        asked = _asked(pump.Command[p], pump.DefaultSetpoint[p])
        both = _takes_part(pump.Usable[p], pump.ControlType[p], pump.Authority[p]) and _takes_part(
            pump.Usable[q], pump.ControlType[q], pump.Authority[q]
        )
        goes_on = both and asked > 0.0 and not (pump.AllRun[p] or pump.Failed[q])
        goes_on = goes_on and pump.Station[p] == pump.Station[q]
        rests = pump.Turning[q]
        if pump.Turning[q] and not pump.RunTime[q] < pump.MaxRun[q]:
            # Its turn is over as well: the first takes back, and only then may it stop.
            back = can_start(pump.Failed[p], pump.StartHeld[p], pump.Turning[p], pump.Setpoint[p])
            rests = not back
            high = pump.LevelStart[p] or pump.LevelStart[q]
            goes_on = goes_on and not pump.Turning[p] and (back or high)
        if not goes_on:
            pump.RelievedBy[p] = 0
            continue
        if asked > pump.Command[q]:
            pump.Command[q] = asked
            pump.Guarded[q] |= IN_PLACE
        if rests:
            pump.Command[p] = 0.0
            pump.Guarded[p] |= MAX_RUN


@compiled
def _find_spares(station: Pins, pump: Pins) -> None:
    """Find the pump of each station that takes over next: of those at rest the least used."""
    for p in range(len(pump.Command)):
        s = row(pump.Station[p], len(station.SparePump))
        asked = _asked(pump.Command[p], pump.DefaultSetpoint[p])
        rests = not (asked > 0.0 or pump.Turning[p] or pump.GuardRun[p])
        free = pump.RelievedBy[p] == 0 and pump.Authority[p] != MANUAL
        starts = pump.StartHeld[p] == 0 and not pump.Failed[p]
        ours = _takes_part(pump.Usable[p], pump.ControlType[p], pump.Authority[p])
        if rests and free and starts and ours and station.LevelQuality[s] == GOOD:
            best = int(station.SparePump[s]) - 1
            if best < 0 or pump.TotalRunTime[p] < pump.TotalRunTime[best]:
                station.SparePump[s] = p + 1


@compiled
def relieve(station: Pins, pump: Pins) -> None:
    """Let no pump run for longer than it may, if another can take over or none has to run."""
    _go_on(station, pump)
    _find_spares(station, pump)
    for p in range(len(pump.Command)):
        asked = _asked(pump.Command[p], pump.DefaultSetpoint[p])
        over = pump.Turning[p] and not pump.RunTime[p] < pump.MaxRun[p] and asked > 0.0
        ours = _takes_part(pump.Usable[p], pump.ControlType[p], pump.Authority[p])
        if not over or not ours or pump.AllRun[p] or pump.RelievedBy[p] > 0:
            continue
        spare = int(station.SparePump[row(pump.Station[p], len(station.SparePump))])
        if spare == 0 and not pump.LevelStart[p]:
            pump.Command[p] = 0.0
            pump.Guarded[p] |= MAX_RUN
        elif spare > 0 and pump.Command[spare - 1] <= 0.0:
            pump.RelievedBy[p] = spare
            pump.Command[spare - 1] = asked
            pump.Guarded[spare - 1] |= IN_PLACE
        # Else another has just taken the spare: who comes next is seen in the next scan.
