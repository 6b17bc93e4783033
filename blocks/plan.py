"""Plan: selects what the optimiser asks for in this scan."""

from __future__ import annotations

import numpy as np

from blocks.block import Block, Real, scratch
from runtime.layout import Columns
from runtime.tag import Tag
from runtime.tags import Pump, System

# current interval, next interval, target, control type that needs it
_TARGETS: tuple[tuple[Tag, Tag, Tag, str], ...] = (
    (Pump.PlanSpeed, Pump.NextSpeed, Pump.TargetSpeed, "DIRECT_SPEED"),
    (Pump.PlanLevel, Pump.NextLevel, Pump.TargetLevel, "LEVEL_CONTROLLED"),
    (Pump.PlanPower, Pump.NextPower, Pump.TargetPower, "POWER_CONTROLLED"),
    (Pump.PlanFlow, Pump.NextFlow, Pump.TargetFlow, ""),
)


class Plan(Block):
    """Selects the plan interval that covers this scan.

    An interval covers the scan when start <= Now < end. The database process supplies two, so that
    the change from one to the next happens in the very scan that it is due; where both cover it,
    the first counts. PlanActive needs a configured pump, an interval that covers the scan and, in
    it, a finite target of the kind that the pump's control type needs. A target is held within the
    range of its tag, so that no controller has to calculate with nonsense. Targets that are not
    asked for, or not finite, are 0.
    """

    reads = (
        System.Now,
        Pump.Configured,
        Pump.ControlType,
        Pump.PlanStart,
        Pump.PlanEnd,
        Pump.NextStart,
        Pump.NextEnd,
        *(tag for current, following, _, _ in _TARGETS for tag in (current, following)),
    )
    writes = (Pump.PlanActive, *(target for _, _, target, _ in _TARGETS))

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.now = self.real(System.Now)
        self.configured = self.flag(Pump.Configured)
        self.control_type = self.number(Pump.ControlType)
        self.active = self.flag(Pump.PlanActive)
        self.current = (self.real(Pump.PlanStart), self.real(Pump.PlanEnd))
        self.following = (self.real(Pump.NextStart), self.real(Pump.NextEnd))
        self.targets = [
            (
                self.real(current),
                self.real(following),
                self.real(target),
                target,
                _number(needed_by),
            )
            for current, following, target, needed_by in _TARGETS
        ]
        self.covers_current = scratch(self.active, "?")
        self.covers_next = scratch(self.active, "?")
        self.part = scratch(self.active, "?")
        self.finite = scratch(self.active, "?")

    def execute(self) -> None:
        self._cover(self.current, self.covers_current)
        self._cover(self.following, self.covers_next)
        np.logical_not(self.covers_current, out=self.part)
        np.logical_and(self.covers_next, self.part, out=self.covers_next)
        self.active.fill(False)
        for current, following, target, tag, control_type in self.targets:
            target.fill(0.0)
            np.isfinite(current, out=self.finite)
            np.logical_and(self.finite, self.covers_current, out=self.finite)
            np.copyto(target, current, where=self.finite)
            np.isfinite(following, out=self.part)
            np.logical_and(self.part, self.covers_next, out=self.part)
            np.copyto(target, following, where=self.part)
            np.maximum(target, tag.low, out=target)
            np.minimum(target, tag.high, out=target)
            np.logical_or(self.finite, self.part, out=self.finite)
            np.equal(self.control_type, control_type, out=self.part)
            np.logical_and(self.finite, self.part, out=self.finite)
            np.logical_or(self.active, self.finite, out=self.active)
        np.logical_and(self.active, self.configured, out=self.active)

    def _cover(self, interval: tuple[Real, Real], out: np.ndarray) -> None:
        start, end = interval
        np.less_equal(start, self.now, out=out)
        np.less(self.now, end, out=self.part)
        np.logical_and(out, self.part, out=out)


def _number(control_type: str) -> int:
    return Pump.ControlType.number(control_type) if control_type else -1
