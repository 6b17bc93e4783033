"""A plant that does what its pumps are told, except where a mood says otherwise."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import Any

from runtime.layout import Columns
from runtime.tag import Tag
from runtime.tags import Pump, Station

FLOW = 8.0  # m³/h per Hz: the hard limit is reached at full speed
POWER = 3.0e-4  # kW per Hz³: a little below the hard limit at full speed


class Drive(Enum):
    """What a pump does with its setpoint."""

    OBEYS = "obeys"
    STANDS = "stands"
    RUNS = "runs at a speed of its own"
    LOCAL = "runs at a speed of its own, under local control"
    LOCALLY_OFF = "stands, under local control"


class Sensor(Enum):
    """What a measurement shows."""

    TRUE = "true"
    FROZEN = "frozen"
    JUMPED = "beside the truth by its error"
    BROKEN = "its error alone"


SENSORS: tuple[Tag, ...] = (
    Pump.MeasuredSpeed,
    Pump.MeasuredPower,
    Pump.MeasuredFlow,
    Pump.MeasuredLevel,
)


class Plant:
    """Pumps, drives, wells and instruments, moved on by one scan whenever they `answer`."""

    def __init__(self, seed: int, columns: Columns) -> None:
        random = Random(seed)
        self._random = random
        self._columns = columns
        pumps, stations = columns.rows(Pump), columns.rows(Station)
        self.drive = [Drive.OBEYS] * pumps
        self.own_speed = [40.0] * pumps
        self.slew = [random.choice([5.0, 1e9]) for _ in range(pumps)]
        self.level = [1.5] * stations
        self.goal = [1.5] * stations
        self.drift = [random.choice([0.001, 0.02, 1e9]) for _ in range(stations)]
        self.ripple = random.choice([0.0, 1e-4])
        self.noise = random.choice([0.0, 0.01])
        self.speed = [0.0] * pumps
        self.mood = {tag: [Sensor.TRUE] * pumps for tag in SENSORS}
        self.error = {tag: [0.0] * pumps for tag in SENSORS}
        for tag in SENSORS:  # so that a mood names a sensor as it names a drive
            setattr(self, tag.name, self.mood[tag])
            setattr(self, f"{tag.name}Error", self.error[tag])

    def answer(self, elapsed: float) -> None:
        """Follow the setpoints of the last scan, and measure."""
        columns = self._columns
        for station, level in enumerate(self.level):
            step = self.drift[station] * elapsed
            self.level[station] = level + min(max(self.goal[station] - level, -step), step)
        setpoints = columns[Pump.Setpoint].tolist()
        running: Any = columns[Pump.MeasuredRunning]
        local: Any = columns[Pump.MeasuredLocal]
        for slot, drive in enumerate(self.drive):
            asked = self._asked(slot, drive, setpoints[slot])
            step = self.slew[slot] * elapsed
            speed = self.speed[slot]
            self.speed[slot] = speed + min(max(asked - speed, -step), step) if asked else 0.0
            running[slot] = self.speed[slot] > 0.0
            local[slot] = drive in (Drive.LOCAL, Drive.LOCALLY_OFF)
        self._measure(columns[Pump.Station].tolist())

    def _asked(self, slot: int, drive: Drive, setpoint: float) -> float:
        if drive is Drive.OBEYS:
            return setpoint
        return self.own_speed[slot] if drive in (Drive.RUNS, Drive.LOCAL) else 0.0

    def _measure(self, station_of: list[int]) -> None:
        random = self._random
        for slot, speed in enumerate(self.speed):
            disturbed = 1.0 + self.noise * random.uniform(-1.0, 1.0)
            level = self.level[station_of[slot]] + self.ripple * random.choice((-1.0, 0.0, 1.0))
            truths = (speed, POWER * speed**3 * disturbed, FLOW * speed * disturbed, level)
            for tag, truth in zip(SENSORS, truths, strict=True):
                mood, error = self.mood[tag][slot], self.error[tag][slot]
                if mood is not Sensor.FROZEN:
                    shown = error if mood is Sensor.BROKEN else truth
                    self._columns[tag][slot] = shown + error * (mood is Sensor.JUMPED)
