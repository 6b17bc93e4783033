"""Drives refuse nonsense, hold for a while without control, then stop; the world goes on."""

import math

import numpy as np

from tools.simulate.drives import HOLD, Drives
from tools.simulate.sizing import Machine, Site
from tools.simulate.world import World


def drives() -> Drives:
    return Drives(np.array([50.0, 50.0]), np.array([30.0, 0.0]), now=100.0)


def site(*pumps: int) -> Site:
    machines = tuple(Machine(pump, "DIRECT_SPEED", 30.0, 50.0, 300.0, 15.0) for pump in pumps)
    return Site("A", False, 30.0, 0.6, 3.0, machines)


def test_a_drive_goes_to_what_it_is_told() -> None:
    two = drives()
    two.hear([42.5, 0.0], now=101.0)
    assert two.commanded(101.0).tolist() == [42.5, 0.0]


def test_no_number_a_negative_and_more_than_the_maximum_are_refused_and_counted() -> None:
    two = drives()
    for nonsense in (math.nan, math.inf, -1.0, 50.1):
        two.hear([nonsense, 40.0], now=101.0)
    assert two.commanded(101.0).tolist() == [30.0, 40.0]
    assert two.refused == 4


def test_the_nearest_32_bit_float_to_the_maximum_is_accepted() -> None:
    one = Drives(np.array([48.9]), np.zeros(1), now=0.0)
    nearest = float(np.float32(48.9))
    assert nearest > 48.9
    one.hear([nearest], now=0.0)
    assert one.refused == 0


def test_without_control_a_drive_holds_for_a_minute_and_then_stops() -> None:
    two = drives()
    two.hear([40.0, 35.0], now=101.0)
    two.hear([40.0, None], now=150.0)
    assert two.commanded(101.0 + HOLD).tolist() == [40.0, 35.0]
    assert two.commanded(101.1 + HOLD).tolist() == [40.0, 0.0]
    two.hear([None, 36.0], now=170.0)
    assert two.commanded(170.0).tolist() == [40.0, 36.0]


def test_a_world_goes_on_from_the_last_feedback() -> None:
    world = World([site(1, 2)], 1, 1.9e9, 0.0, {1: (2.25, 41.0), 2: (2.25, math.nan)})
    assert world.state.level.tolist() == [2.25]
    assert world.state.speed.tolist() == [41.0, 0.0]
    world.advance(30.0, now=30.0)
    assert world.state.speed[0] == 41.0  # nobody has said otherwise yet


def test_a_pump_that_is_added_changes_nothing_for_the_others() -> None:
    world = World([site(1)], 1, 1.9e9, 0.0, {})
    world.drives.hear([45.0], 0.0)
    world.advance(60.0, 60.0)
    more = world.changed([site(1, 7)], 60.0)
    assert more.state.level.tolist() == world.state.level.tolist()
    assert more.state.speed.tolist() == [45.0, 0.0]
    assert more.drives.commanded(60.0).tolist() == [45.0, 0.0]
    assert not more.drives.lost(60.0)[0]


def test_the_same_seed_and_time_make_the_same_day() -> None:
    readings = []
    for _ in range(2):
        world = World([site(1, 2)], 5, 1.9e9, 0.0, {})
        world.drives.hear([45.0, 40.0], 0.0)
        for second in range(50):
            world.advance(1.0, float(second))
        readings.append(world.read())
    assert np.array_equal(readings[0].flow, readings[1].flow)
    assert np.array_equal(readings[0].level, readings[1].level)
