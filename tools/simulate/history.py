"""Feedback of the past minutes, as a plant leaves it that its local controllers run by level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from tools.simulate import hydraulics, inflow, instruments
from tools.simulate.hydraulics import Bools, Floats
from tools.simulate.instruments import Reading
from tools.simulate.planning import Fleet, station_target
from tools.simulate.sites import Connection
from tools.simulate.sizing import Machine

HALF_BAND = 0.3  # m around the target level in which a pump keeps what it does
_COPY = """
COPY pump_feedback (pump_id, measured_at, actual_speed_hz, power_kw, flow_m3h, wet_well_level_m,
                    running, local_control) FROM STDIN
"""


def rows(
    machines: Sequence[Machine], reading: Reading, moment: datetime
) -> Iterator[tuple[object, ...]]:
    """One reading as rows of pump_feedback."""
    columns = zip(
        machines,
        reading.speed.tolist(),
        reading.power.tolist(),
        reading.flow.tolist(),
        reading.level.tolist(),
        reading.running.tolist(),
        strict=True,
    )
    for machine, *values in columns:
        yield machine.pump_id, moment, *values, False


def write(connection: Connection, feedback: Iterator[tuple[object, ...]]) -> None:
    """Enter rows of pump_feedback, all or none."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in feedback:
            copy.write_row(row)


def simulate(
    fleet: Fleet,
    machines: Sequence[Machine],
    until: datetime,
    minutes: float,
    every: float,
    seed: int,
) -> Iterator[tuple[object, ...]]:
    """Feedback every `every` s of the `minutes` before `until`, which is the time of the last."""
    plant, sized = fleet.plant, fleet.sized
    dice = np.random.default_rng([seed, 1])
    count = max(1, int(minutes * 60.0 / every))
    begin = until - timedelta(seconds=(count - 1) * every)
    target = station_target(fleet, begin.timestamp())
    state = hydraulics.start(plant, target + dice.uniform(-0.5, 0.5, len(target)))
    running = np.zeros(len(machines), np.bool_)
    for number in range(count):
        moment = begin + timedelta(seconds=number * every)
        time = moment.timestamp()
        running = _switched(fleet, station_target(fleet, time), state.level, running)
        setpoint = np.where(running, 0.85 * fleet.max_speed, 0.0)
        arriving = inflow.inflow(time, sized.dry, sized.storm, seed)
        state, now = hydraulics.step(plant, state, setpoint, arriving, every)
        yield from rows(machines, instruments.read(plant, state, now, dice), moment)


def _switched(fleet: Fleet, target: Floats, level: Floats, running: Bools) -> Bools:
    """Which pumps run: the first pump of a station switches at the target, the next ones later."""
    fullness = np.where(fleet.filling, target - level, level - target)[fleet.station]
    place = 0.2 * (fleet.rank + ~fleet.by_level)
    return (fullness > place + HALF_BAND) | (running & (fullness > place - HALF_BAND))
