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
def _tired(turning: bool, run_time: float, max_run: float) -> bool:
    """Whether a pump has run for as long as it may; a time that is no number is none."""
    return turning and not run_time < max_run


@compiled
def _go_on(pump: Pins) -> None:
    """Carry on the reliefs of the last scan that still make sense; end the others."""
    for p in range(len(pump.Command)):
        if pump.RelievedBy[p] == 0:
            continue
        q = row(int(pump.RelievedBy[p]) - 1, len(pump.Command))
        asked = _asked(pump.Command[p], pump.DefaultSetpoint[p])
        first = _takes_part(pump.Usable[p], pump.ControlType[p], pump.Authority[p])
        other = _takes_part(pump.Usable[q], pump.ControlType[q], pump.Authority[q])
        lost = pump.Failed[q] or pump.AllRun[p] or pump.Station[p] != pump.Station[q]
        tired = _tired(pump.Turning[q], pump.RunTime[q], pump.MaxRun[q])
        is_back = tired and pump.Turning[p]
        if not (first and other and asked > 0.0) or lost or is_back:
            pump.RelievedBy[p] = 0
            continue
        if asked > pump.Command[q]:
            pump.Command[q] = asked
            pump.Guarded[q] |= IN_PLACE
        comes_back = tired and can_start(
            pump.Failed[p], pump.StartHeld[p], pump.Turning[p], pump.Setpoint[p]
        )
        if pump.Turning[q] and not comes_back:
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
    _go_on(pump)
    _find_spares(station, pump)
    for p in range(len(pump.Command)):
        # Who runs for it: another, or itself.
        r = p if pump.RelievedBy[p] == 0 else row(int(pump.RelievedBy[p]) - 1, len(pump.Command))
        asked = _asked(pump.Command[r], pump.DefaultSetpoint[r])
        due = _tired(pump.Turning[r], pump.RunTime[r], pump.MaxRun[r]) and asked > 0.0
        ours = _takes_part(pump.Usable[p], pump.ControlType[p], pump.Authority[p])
        excused = pump.AllRun[p] or pump.Guarded[p] & IN_PLACE != 0
        takes_back = r != p and can_start(
            pump.Failed[p], pump.StartHeld[p], pump.Turning[p], pump.Setpoint[p]
        )
        if not due or not ours or excused or takes_back:
            continue
        spare = int(station.SparePump[row(pump.Station[p], len(station.SparePump))])
        if spare > 0 and pump.Command[spare - 1] <= 0.0:
            pump.RelievedBy[p] = spare
            pump.Command[spare - 1] = asked
            pump.Guarded[spare - 1] |= IN_PLACE
        elif spare == 0 and not (pump.LevelStart[p] or pump.LevelStart[r]):
            pump.RelievedBy[p] = 0
            pump.Command[p] = 0.0
            pump.Guarded[p] |= MAX_RUN
        # Else another has just taken the spare: who comes next is seen in the next scan.
