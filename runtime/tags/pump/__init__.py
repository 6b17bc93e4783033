"""The tags of a pump, declared in parts: a file for each idea, in the order of their numbers."""

from __future__ import annotations

from runtime.tags.pump.commands import Commands
from runtime.tags.pump.curves import Curves
from runtime.tags.pump.demands import Demands
from runtime.tags.pump.measurements import MeasuredInputs, Measurements
from runtime.tags.pump.parameters import Parameters
from runtime.tags.pump.plan import PlanInputs, PlanTargets
from runtime.tags.pump.protection import Protection
from runtime.tags.pump.run_times import RunTimes
from runtime.tags.pump.setpoint import LimitedSetpoint
from runtime.tags.pump.supervision import Supervision


class Pump(
    Parameters,
    MeasuredInputs,
    PlanInputs,
    Measurements,
    RunTimes,
    Curves,
    PlanTargets,
    Protection,
    Demands,
    Commands,
    LimitedSetpoint,
    Supervision,
):
    """A pump: one row for each. Its row number, the slot, stays with it for life."""
