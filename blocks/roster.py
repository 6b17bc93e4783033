"""The roster of a station's level-controlled pumps: who may run, and who is next to start or stop.

Part of the block `staging`; its manual is there.
"""

from __future__ import annotations

from blocks.arithmetic import row
from blocks.block import Pins
from runtime.compiled import compiled
from runtime.tag import Quality
from runtime.tags import Pump

GOOD = int(Quality.GOOD)
LEVEL_CONTROLLED = Pump.ControlType.number("LEVEL_CONTROLLED")
STOP = Pump.EmergencyAction.number("stop")
DUTY = Pump.LevelRole.number("duty")
AUTO = Pump.Mode.number("Auto")
BY_PLAN = Pump.Authority.number("Plan")

ALTERNATIONS = ("run_hours", "starts", "fixed")
RUN_HOURS, STARTS = (ALTERNATIONS.index(word) for word in ("run_hours", "starts"))


@compiled
def _wear(alternate: int, run_time: float, starts: int) -> float:
    """What alternation evens out."""
    if alternate == RUN_HOURS:
        return run_time
    return float(starts) if alternate == STARTS else 0.0


@compiled
def _sooner(role: int, wear: float, other_role: int, other_wear: float) -> bool:
    """Whether a pump starts before one of an earlier slot, and stops after it."""
    return role < other_role or (role == other_role and wear < other_wear)


@compiled
def call(station: Pins, pump: Pins) -> None:
    """Find the pumps that level control is in charge of, and those of them that may run."""
    station.PumpsDue[:] = 0
    for p in range(len(pump.Station)):
        s = row(pump.Station[p], len(station.Level))
        by_plan = pump.PlanActive[p] and pump.Mode[p] == AUTO and pump.Authority[p] == BY_PLAN
        asked = pump.ControlType[p] == LEVEL_CONTROLLED and pump.Configured[p] and by_plan
        observed = pump.RunningQuality[p] == GOOD
        elsewhere = observed and (pump.LocalControl[p] or not pump.Adopted[p])
        free = not (pump.Stopped[p] or station.Failsafe[s] or elsewhere)
        engaged = asked and free and station.LevelQuality[s] == GOOD
        available = engaged and not (pump.LevelTrip[p] or pump.LevelStop[p] or pump.Failed[p])

        ran = pump.LevelRun[p] if pump.LevelEngaged[p] else pump.Setpoint[p] > 0.0
        stopped = pump.LevelEngaged[p] and pump.Stopped[p] and pump.EmergencyAction[p] == STOP
        if ran and (engaged or stopped):
            station.PumpsDue[s] += 1
        pump.LevelRun[p] = ran and available if engaged else pump.Setpoint[p] > 0.0
        pump.LevelEngaged[p], pump.Available[p] = engaged, available


@compiled
def rank(station: Pins, pump: Pins, alternate: int) -> None:
    """Find who of those that may run leads, starts next and stops next."""
    station.PumpsRun[:] = 0
    station.DutyPumps[:] = 0
    station.NextToLead[:] = 0
    station.NextToStart[:] = 0
    station.NextToStop[:] = 0
    for p in range(len(pump.Station)):
        s = row(pump.Station[p], len(station.Level))
        role, wear = pump.LevelRole[p], _wear(alternate, pump.TotalRunTime[p], pump.Starts[p])
        overdue = pump.RunTime[p] >= pump.MaxRun[p]
        if pump.ControlType[p] == LEVEL_CONTROLLED and pump.Configured[p] and role == DUTY:
            station.DutyPumps[s] += 1
        if pump.Available[p] and pump.LevelRun[p]:
            station.PumpsRun[s] += 1
            if station.NextToLead[s] == 0 or station.LeadPump[s] == p + 1:
                station.NextToLead[s] = p + 1
            q = station.NextToStop[s] - 1
            q_wear = _wear(alternate, pump.TotalRunTime[q], pump.Starts[q])
            q_overdue = pump.RunTime[q] >= pump.MaxRun[q]
            stays = _sooner(role, wear, pump.LevelRole[q], q_wear)
            if q < 0 or (overdue if overdue != q_overdue else not stays):
                station.NextToStop[s] = p + 1
        elif pump.Available[p] and pump.StartHeld[p] == 0 and not overdue:
            q = station.NextToStart[s] - 1
            q_wear = _wear(alternate, pump.TotalRunTime[q], pump.Starts[q])
            if q < 0 or _sooner(role, wear, pump.LevelRole[q], q_wear):
                station.NextToStart[s] = p + 1
