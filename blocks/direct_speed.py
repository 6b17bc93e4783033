"""Direct speed: the demand of pumps whose plan commands a speed."""

from __future__ import annotations

import numpy as np

from blocks.block import Block
from runtime.layout import Columns
from runtime.tags import Pump


class DirectSpeed(Block):
    """DirectDemand is the speed that the plan asks for; `limits` ramps and bounds it."""

    reads = (Pump.TargetSpeed,)
    writes = (Pump.DirectDemand,)

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.target = self.real(Pump.TargetSpeed)
        self.demand = self.real(Pump.DirectDemand)

    def execute(self) -> None:
        np.copyto(self.demand, self.target)
