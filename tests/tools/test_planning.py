"""Plans keep simulated stations inside their limits, rain included."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from runtime.tags import Pump
from tests.tools.sites import sites_of
from tools.simulate import hydraulics, inflow, planning, sizing, stations
from tools.simulate.hydraulics import Bools, Floats
from tools.simulate.planning import Fleet

STEP = 20.0  # s
MIDNIGHT = 1_900_022_400.0


@dataclass
class LevelControl:
    """PI control with the sample parameters: what the runtime does with a target level."""

    fleet: Fleet
    gain: Floats
    reset: Floats
    integral: Floats
    running: Bools

    def speed(self, level: Floats, target: Floats) -> Floats:
        fleet = self.fleet
        sign = np.where(fleet.filling, -1.0, 1.0)[fleet.station]
        error = (level[fleet.station] - target) * sign
        self.running = (self.running | (error >= 0.2)) & (error > -0.25)
        asked = self.gain * error + self.integral
        given = np.clip(asked, fleet.min_speed, fleet.max_speed)
        self.integral += (self.gain * error + given - asked) * STEP / self.reset
        self.integral[~self.running] = (fleet.min_speed - self.gain * error)[~self.running]
        return np.where(self.running, given, 0.0)


def level_control(fleet: Fleet, rows: stations.Rows) -> LevelControl:
    parameters = [json.loads(str(pump["control_parameters"])) for pump in rows.pumps]
    nothing = np.zeros(len(parameters))
    return LevelControl(
        fleet,
        gain=np.array([known.get(Pump.LevelGain.column, 0.0) for known in parameters]),
        reset=np.array([known.get(Pump.LevelResetTime.column, 1.0) for known in parameters]),
        integral=nothing.copy(),
        running=nothing > 0,
    )


@pytest.mark.parametrize(("count", "pumps", "seed"), [(4, (3, 3, 2, 2), 1), (12, (1, 2, 4), 6)])
def test_days_with_rain_stay_inside_the_limits(
    count: int, pumps: tuple[int, ...], seed: int
) -> None:
    rows = stations.generate(count, pumps, seed)
    sites = sites_of(rows)
    sized = sizing.size(sites)
    fleet = planning.fleet(sites, sized)
    control = level_control(fleet, rows)
    state = hydraulics.start(sized.plant, planning.station_target(fleet, MIDNIGHT))
    lowest, highest, wettest = state.level, state.level, 0.0
    for step in range(int(1.5 * 86_400 / STEP)):
        time = MIDNIGHT + step * STEP
        if step % 3 == 0:
            begin = time - time % planning.INTERVAL
            targets = planning.plan(fleet, state.level, state.speed > 0.5, begin, 1)
        by_level = control.speed(state.level, targets.level[0])
        setpoint = np.where(fleet.by_level, by_level, targets.speed[0])
        arriving = inflow.inflow(time, sized.dry, sized.storm, seed)
        wettest = max(wettest, float((arriving / sized.dry).max()))
        state, _ = hydraulics.step(sized.plant, state, setpoint, arriving, STEP)
        lowest, highest = np.minimum(lowest, state.level), np.maximum(highest, state.level)
    assert wettest > 1.5  # it rained
    assert (lowest > fleet.low).all()
    assert (highest < fleet.high).all()
    assert not state.overflows.any()
    assert not state.missing[fleet.filling].any()


def test_targets_are_finite_and_inside_the_limits_of_pumps_and_stations() -> None:
    rows = stations.generate(40, (1, 2, 5), seed=2)
    sites = sites_of(rows)
    fleet = planning.fleet(sites, sizing.size(sites))
    dice = np.random.default_rng(4)
    level = dice.uniform(fleet.low - 0.5, fleet.high + 0.5)
    running = dice.random(len(fleet.rank)) < 0.5
    targets = planning.plan(fleet, level, running, MIDNIGHT, 96)
    assert np.isfinite([targets.speed, targets.level, targets.power, targets.flow]).all()
    on = targets.speed > 0
    assert (targets.speed <= fleet.max_speed).all()
    assert (targets.speed >= fleet.min_speed)[on].all()
    assert (targets.power < fleet.max_power).all()
    assert ((targets.power > 0) == on).all()
    assert (targets.level > fleet.low[fleet.station]).all()
    assert (targets.level < fleet.high[fleet.station]).all()


def test_base_pumps_take_turns_from_day_to_day() -> None:
    rows = stations.generate(3, 2, seed=1)
    sites = sites_of(rows)
    fleet = planning.fleet(sites, sizing.size(sites))
    first, second = fleet.order(MIDNIGHT), fleet.order(MIDNIGHT + 86_400.0)
    alone = fleet.of_kind == 1
    assert (first == second)[alone].all()
    assert (first != second)[~alone].all()
