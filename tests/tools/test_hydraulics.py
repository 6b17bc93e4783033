"""The simulated physics against answers that can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.simulate import hydraulics, inflow, instruments, sizing
from tools.simulate.hydraulics import Floats, Plant, Pumps, State, Stations
from tools.simulate.sizing import Machine, Site

HEAD, CURVE, BEST, STATIC, FRICTION = 30.0, 2_000.0, 0.06, 10.0, 3_000.0


def plant(pumps: int = 1, *, filling: bool = False, floor: float = 0.0) -> Plant:
    """One station of 12 m² with equal pumps; head at rest STATIC at level 0."""
    return Plant(
        Stations(
            area=np.array([12.0]),
            floor=np.array([floor]),
            crest=np.array([3.5]),
            static=np.array([STATIC]),
            friction=np.array([FRICTION]),
            filling=np.array([filling]),
        ),
        Pumps(
            station=np.zeros(pumps, np.int64),
            head=np.full(pumps, HEAD),
            curve=np.full(pumps, CURVE),
            best_flow=np.full(pumps, BEST),
            best_efficiency=np.full(pumps, 0.72),
            nominal=np.full(pumps, 50.0),
            ramp=np.full(pumps, 5.0),
        ),
    )


def run(one: Plant, state: State, setpoint: Floats, arriving: float, seconds: int) -> State:
    for _ in range(seconds // 2):
        state, _ = hydraulics.step(one, state, setpoint, np.array([arriving]), 2.0)
    return state


def site(pumps: int, *, filling: bool = False) -> Site:
    machines = tuple(Machine(k, "DIRECT_SPEED", 30.0, 50.0, 300.0, 15.0) for k in range(pumps))
    return Site("A", filling, 30.0, 0.6, 3.0, machines)


def test_a_well_rises_by_inflow_over_area() -> None:
    end = run(plant(), hydraulics.start(plant(), np.array([1.0])), np.zeros(1), 0.015, 600)
    assert end.level[0] - 1.0 == pytest.approx(0.750, abs=1e-12)


def test_a_tank_falls_by_demand_over_area() -> None:
    tank = plant(filling=True)
    end = run(tank, hydraulics.start(tank, np.array([2.0])), np.zeros(1), 0.015, 600)
    assert end.level[0] == pytest.approx(2.0 - 0.750, abs=1e-12)


@pytest.mark.parametrize("pumps", [1, 2, 3])
def test_equal_pumps_in_parallel_work_where_the_curves_meet(pumps: int) -> None:
    now = hydraulics.working(plant(pumps), np.array([1.0]), np.full(pumps, 50.0))
    lift = HEAD - (STATIC - 1.0)
    assert now.flow == pytest.approx(np.sqrt(lift / (CURVE + FRICTION * pumps**2)), rel=1e-7)
    assert now.head[0] == pytest.approx(HEAD - CURVE * now.flow[0] ** 2, rel=1e-7)


def test_without_static_head_flow_and_power_follow_the_affinity_laws() -> None:
    level = np.array([STATIC])  # the well stands as high as the outlet
    full = hydraulics.working(plant(2), level, np.full(2, 50.0))
    half = hydraulics.working(plant(2), level, np.full(2, 25.0))
    assert half.flow == pytest.approx(full.flow / 2, rel=1e-7)
    assert half.head == pytest.approx(full.head / 4, rel=1e-7)
    assert half.power == pytest.approx(full.power / 8, rel=1e-7)


def test_nothing_flows_below_the_dead_head_speed_and_something_above_it() -> None:
    dead = hydraulics.dead_head_speed(plant(), np.array([1.0]))
    assert dead[0] == pytest.approx(50.0 * np.sqrt((STATIC - 1.0) / HEAD))
    assert hydraulics.working(plant(), np.array([1.0]), dead * 0.999).flow[0] == 0.0
    assert hydraulics.working(plant(), np.array([1.0]), dead * 1.001).flow[0] > 0.0


def test_a_slow_pump_beside_a_fast_one_holds_its_check_valve_shut() -> None:
    now = hydraulics.working(plant(2), np.array([1.0]), np.array([50.0, 32.0]))
    alone = hydraulics.working(plant(1), np.array([1.0]), np.array([50.0]))
    assert now.flow[1] == 0.0
    assert now.flow[0] == pytest.approx(alone.flow[0])
    assert now.power[1] > 0.0  # it still churns


def test_power_at_the_best_point_is_hydraulic_power_over_efficiency() -> None:
    pumps = plant().pumps
    head = np.array([20.0])
    electrical = hydraulics.power(pumps, pumps.best_flow, head, np.ones(1))
    assert electrical[0] == pytest.approx(9.81 * BEST * 20.0 / (0.72 * 0.92 * 0.97))
    off_best = hydraulics.power(pumps, pumps.best_flow / 2, head, np.ones(1))
    assert off_best[0] > electrical[0] / 2  # dearer per cubic metre


@given(
    st.lists(st.floats(0.0, 60.0), min_size=1, max_size=6),
    st.floats(0.0, 3.5),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_energy_and_head_balance_for_any_speeds(
    speeds: list[float], level: float, filling: bool
) -> None:
    one = plant(len(speeds), filling=filling, floor=0.3)
    now = hydraulics.working(one, np.array([level]), np.array(speeds))
    assert (now.flow >= 0.0).all()
    total = now.flow.sum()
    static = hydraulics.static_head(one, np.array([level]))[0]
    if total > 0.0:
        assert now.head[0] == pytest.approx(static + FRICTION * total**2, rel=1e-6)
    gained = 9.81 * now.flow * np.maximum(0.0, static)  # what the water keeps is less than the bill
    assert (now.power * hydraulics.DRIVE_EFFICIENCY * 0.72 >= gained - 1e-9).all()


def test_a_drive_changes_its_speed_no_faster_than_its_ramp() -> None:
    state = hydraulics.start(plant(), np.array([2.0]))
    speeds = []
    for _ in range(12):
        state, _ = hydraulics.step(plant(), state, np.array([50.0]), np.zeros(1), 1.0)
        speeds.append(state.speed[0])
    assert speeds == [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 50, 50]


def test_a_pump_sucks_air_at_the_floor_and_a_well_never_runs_below_it() -> None:
    one = plant(floor=0.3)
    end = run(one, hydraulics.start(one, np.array([1.0])), np.array([50.0]), 0.0, 3_600)
    assert 0.3 <= end.level[0] < 0.3 + hydraulics.AIR_BAND
    assert hydraulics.working(one, np.array([0.3]), np.array([50.0])).flow[0] == 0.0


def test_an_overflow_is_counted_once_while_it_lasts_and_its_volume_kept() -> None:
    one = plant()
    state = run(one, hydraulics.start(one, np.array([3.4])), np.zeros(1), 0.1, 120)
    assert state.overflows[0] == 1
    assert state.spilled[0] == pytest.approx(120 * 0.1 - 0.1 * 12.0)
    state = run(one, state, np.array([50.0]), 0.0, 60)
    assert not state.spilling[0]
    state = run(one, state, np.zeros(1), 0.1, 120)
    assert state.overflows[0] == 2


@pytest.mark.parametrize("filling", [False, True])
def test_no_water_is_lost_or_made_in_a_day(filling: bool) -> None:
    sized = sizing.size([site(3, filling=filling)])
    state = hydraulics.start(sized.plant, np.array([1.0]))
    begin = state.level.copy()
    setpoint = np.array([45.0, 0.0, 33.0])
    for second in range(0, 86_400, 30):
        arriving = inflow.inflow(second, sized.dry, sized.storm, seed=3)
        state, _ = hydraulics.step(sized.plant, state, setpoint, arriving, 30.0)
    gained = (state.level - begin) * sized.plant.stations.area
    assert gained[0] == pytest.approx(
        (state.arrived - state.left - state.spilled)[0], abs=1e-6 * state.arrived[0]
    )


def test_the_dry_inflow_of_a_day_is_its_mean() -> None:
    course = [inflow.daily(second) for second in range(0, 86_400, 60)]
    assert np.mean(course) == pytest.approx(1.0, abs=1e-12)
    assert min(course) == pytest.approx(0.5)
    assert max(course) < 1.3


def test_the_weather_depends_on_seed_and_time_alone() -> None:
    dry, storm = np.full(3, 0.02), np.full(3, 0.05)
    times = np.arange(0.0, 30 * 86_400.0, 1_800.0)
    first = [inflow.inflow(time, dry, storm, seed=1) for time in times]
    again = [inflow.inflow(time, dry, storm, seed=1) for time in reversed(times)][::-1]
    other = [inflow.inflow(time, dry, storm, seed=2) for time in times]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.max(first) > 0.04  # it has rained in a month


def test_a_sized_pump_takes_its_rated_power_at_its_rated_flow() -> None:
    sized = sizing.size([site(1)])
    rated = 300.0 / 3_600.0 / sizing.FLOW_MARGIN
    pumps = sized.plant.pumps
    head = pumps.head - pumps.curve * rated**2
    electrical = hydraulics.power(pumps, np.array([rated]), head, np.ones(1))
    assert electrical[0] == pytest.approx(15.0 / sizing.POWER_MARGIN)


@pytest.mark.parametrize("filling", [False, True])
@pytest.mark.parametrize("pumps", [1, 2, 3, 4, 8])
def test_a_sized_station_keeps_inside_its_limits_and_carries_its_storm(
    pumps: int, filling: bool
) -> None:
    sized = sizing.size([site(pumps, filling=filling)])
    level = np.array([1.8])
    for running in range(1, pumps + 1):
        speed = np.where(np.arange(pumps) < running, 50.0, 0.0)
        now = hydraulics.working(sized.plant, level, speed)
        assert now.flow.max() * 3_600.0 < 300.0
        assert now.power.max() < 15.0
    assert now.flow.sum() > (1.25 * sized.dry + sized.storm)[0]


def test_instruments_are_reproducible_quantised_and_quiet_at_rest() -> None:
    one = plant(2)
    state = hydraulics.start(one, np.array([1.5]), np.array([50.0, 0.0]))
    now = hydraulics.working(one, state.level, state.speed)
    reading = instruments.read(one, state, now, np.random.default_rng(7))
    again = instruments.read(one, state, now, np.random.default_rng(7))
    assert np.array_equal(reading.power, again.power)
    assert reading.level == pytest.approx([1.5, 1.5], abs=0.006)  # a sensor each
    assert reading.level.tolist() == np.round(reading.level, 3).tolist()
    assert reading.running.tolist() == [True, False]
    assert (reading.speed[1], reading.power[1], reading.flow[1]) == (0.0, 0.0, 0.0)
