"""The speed of a pump that runs in place of another."""

from __future__ import annotations

import pytest

from blocks.duty import Duty
from runtime.tags import FOREVER, Pump
from tests.blocks.alone import Alone

IN_PLACE_OF_ANOTHER = 16


@pytest.mark.parametrize(
    ("own", "relieved", "speed", "guarded"),
    [
        (0.0, 30.0, 30.0, IN_PLACE_OF_ANOTHER),
        (25.0, 30.0, 30.0, IN_PLACE_OF_ANOTHER),
        (30.0, 30.0, 30.0, 0),
        (40.0, 30.0, 40.0, 0),
    ],
)
def test_it_is_the_higher_of_its_own_and_that_of_the_pump_it_relieves(
    own: float, relieved: float, speed: float, guarded: int
) -> None:
    alone = Alone(Duty, station_of=(0, 0))
    alone[Pump.MaxSpeed][:] = alone[Pump.HardMaxSpeed][:] = 50.0
    alone[Pump.MaxRun][:] = FOREVER
    alone[Pump.RelievedBy][0] = 2
    alone[Pump.Turning][1] = True
    alone[Pump.Demand][:] = [relieved, own]
    alone.step()
    assert alone[Pump.Command].tolist() == [0.0, speed]
    assert alone[Pump.Guarded][1] == guarded
