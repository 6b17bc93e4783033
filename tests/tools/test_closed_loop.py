"""The real program controls the simulated plant, by hand-moved clock, through a rain."""

import json
from pathlib import Path

import numpy as np

from config import load
from runtime import equipment
from runtime.clock import ManualClock
from runtime.database.assembly import assemble
from runtime.equipment import Equipment
from runtime.layout import Capacity, Columns, Layout
from runtime.scan import Scan
from runtime.scan_process import Rehearsal, build
from runtime.tags import Pump, Station, System
from tests.tools.sites import sites_of
from tools.simulate import planning, stations
from tools.simulate.world import World

PERIOD = 2.0  # s
BEFORE_RAIN = 1_900_022_400.0 + 11.5 * 3_600.0
HOURS = 5
SEED = 1
AT = {"active": True, "watchdog_timeout_s": None, "modbus_unit": 1, "modbus_base": 0}


class ClosedLoop:
    """Sample stations in the simulation, in the image of a scan, and in the hands of a planner."""

    def __init__(self) -> None:
        rows = stations.generate(4, seed=SEED)
        config = load(Path(__file__).parents[2] / "scan.yaml", {"CALEJO_PERIOD": f"{PERIOD} s"})
        self.columns = Columns(Layout(Capacity(len(rows.stations), len(rows.pumps))))
        limits = {row["pump_id"]: row for row in rows.limits}
        parameters = [json.loads(str(row["control_parameters"])) for row in rows.pumps]
        plant = assemble(
            [row | AT | {"slot": slot} for slot, row in enumerate(rows.stations)],
            [
                limits[row["pump_id"]] | row | AT | {"slot": slot, "control_parameters": tuning}
                for slot, (row, tuning) in enumerate(zip(rows.pumps, parameters, strict=True))
            ],
            config,
            Equipment(version=1),
        )
        assert plant.problems == ()
        equipment.fill(plant, self.columns)
        self.clock = ManualClock(PERIOD)
        program = build(config, self.columns)
        self.scan = Scan(self.columns, program, self.clock, PERIOD, Rehearsal(self.columns))
        sites = sites_of(rows)
        self.world = World(sites, SEED, BEFORE_RAIN, self.clock.now(), {})
        self.fleet = planning.fleet(sites, self.world.sized)

    def measure(self) -> None:
        """What collector and database would have done."""
        now, columns, reading = self.clock.now(), self.columns, self.world.read()
        for tag, values in {
            Pump.MeasuredSpeed: reading.speed,
            Pump.MeasuredPower: reading.power,
            Pump.MeasuredFlow: reading.flow,
            Pump.MeasuredLevel: reading.level,
            Pump.MeasuredRunning: reading.running,
        }.items():
            columns[tag][:] = values
        for tag in (Pump.MeasuredTime, Station.PlanTime, System.DatabaseTime):
            columns[tag][:] = now

    def plan(self) -> None:
        """What optimiser and database would have done."""
        now, columns, world = self.clock.now(), self.columns, self.world
        begin = world.time - world.time % planning.INTERVAL
        running = world.state.speed > 0.5
        targets = planning.plan(self.fleet, world.state.level, running, begin, 1)
        columns[Pump.PlanStart][:] = now
        columns[Pump.PlanEnd][:] = now + planning.INTERVAL
        columns[Pump.PlanSpeed][:] = targets.speed[0]
        columns[Pump.PlanLevel][:] = targets.level[0]
        columns[Pump.PlanPower][:] = targets.power[0]

    def step(self) -> None:
        self.measure()
        self.scan.step()
        self.world.drives.hear(self.columns[Pump.Setpoint].tolist(), self.clock.now())
        self.world.advance(PERIOD, self.clock.now())


def test_stations_keep_their_levels_through_a_rain_without_trips_or_alarms() -> None:
    loop = ClosedLoop()
    columns, world = loop.columns, loop.world
    lowest, highest = world.state.level, world.state.level
    starts, running, wettest = np.zeros(10), np.zeros(10, np.bool_), 0.0
    for number in range(int(HOURS * 3_600 / PERIOD)):
        if number % 30 == 0:
            loop.plan()
        loop.step()
        lowest, highest = (
            np.minimum(lowest, world.state.level),
            np.maximum(highest, world.state.level),
        )
        now_running = columns[Pump.Setpoint].astype(np.float64) > 0.0
        starts += now_running & ~running
        running = now_running
        wettest = max(wettest, float((world.inflow / world.sized.dry).max()))
        assert not columns[Pump.LevelTrip].any()
        assert not columns[Pump.AllRun].any()
        assert not columns[Pump.NotFollowing].any()
        assert not columns[Station.Failsafe].any()
    assert wettest > 2.0
    assert (lowest > loop.fleet.low).all()
    assert (highest < loop.fleet.high).all()
    assert not world.state.overflows.any()
    assert world.drives.refused == 0
    assert starts.max() <= HOURS * columns[Pump.MaxStartsPerHour].astype(float).min()
