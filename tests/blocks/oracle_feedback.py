"""The oracle on measurements: what each is worth, the level of a station, and what flows in."""

from __future__ import annotations

import math
from types import SimpleNamespace as Row

from runtime.tags import Pump, Station
from tests.blocks.oracle_numbers import (
    BAD,
    FILLING,
    GOOD,
    HOUR,
    UNCERTAIN,
    age,
    clamp,
    counted,
)

NO_DOUBT, NOT_MEASURED, STALE, OUT_OF_RANGE, TOO_FAST, STUCK = range(6)
MEASURED = (Pump.Speed, Pump.Power, Pump.Flow, Pump.Level)


def validate(pump: Row, system: Row, settings: Row) -> None:
    since = system.Now - pump.MeasuredTime
    pump.FeedbackAge = age(system.Now, pump.MeasuredTime)
    doubt = NO_DOUBT
    if not pump.Configured or pump.MeasuredTime == 0.0:
        doubt = NOT_MEASURED
    elif not -1.0 <= since <= settings.max_age:
        doubt = STALE
    pump.RunningQuality = BAD if doubt else GOOD
    if not doubt:
        pump.Running, pump.LocalControl = pump.MeasuredRunning, pump.MeasuredLocal
    rates = (settings.speed_rate, settings.power_rate, settings.flow_rate, settings.level_rate)
    for tag, rate in zip(MEASURED, rates, strict=True):
        _judge(pump, tag.name, doubt, rate, system, settings)


def _patience(name: str, settings: Row) -> float:
    """How long a measurement may stay the same; 0 for ever."""
    patience: dict[str, float] = {
        "Speed": 0.0,
        "Power": settings.power_stuck,
        "Flow": settings.flow_stuck,
        "Level": settings.stuck,
    }
    return patience[name]


def _judge(pump: Row, name: str, doubt: int, rate: float, system: Row, settings: Row) -> None:
    tag = Pump.tag(name)
    measured, accepted = getattr(pump, f"Measured{name}"), getattr(pump, name)
    accepted_at = getattr(pump, f"{name}Time")
    if not doubt:
        still = 0.0
        if measured == accepted and (name == "Level" or pump.Running):
            still = counted(getattr(pump, f"{name}Still"), system.Elapsed)
        setattr(pump, f"{name}Still", still)
        apart = abs(pump.MeasuredTime - accepted_at)
        bound = accepted_at != 0.0 and apart <= settings.max_age
        if math.isnan(measured):
            doubt = NOT_MEASURED
        elif not tag.low <= measured <= tag.high:
            doubt = OUT_OF_RANGE
        elif bound and abs(measured - accepted) > rate * max(apart, 1.0):
            doubt = TOO_FAST
        elif still > _patience(name, settings) > 0.0:
            doubt = STUCK
        else:
            setattr(pump, name, measured)
            setattr(pump, f"{name}Time", pump.MeasuredTime)
            accepted_at = pump.MeasuredTime
    held = doubt == TOO_FAST and system.Now - accepted_at <= settings.max_age
    setattr(pump, f"{name}Doubt", doubt)
    setattr(pump, f"{name}Quality", UNCERTAIN if held else BAD if doubt else GOOD)


def measure_level(station: Row, pumps: list[Row], elapsed: float, difference: float) -> None:
    good = sorted(pump.Level for pump in pumps if pump.LevelQuality == GOOD)
    held = any(pump.LevelQuality == UNCERTAIN for pump in pumps)
    if good:
        middle = len(good) // 2
        is_odd = len(good) % 2
        station.Level = good[middle] if is_odd else (good[middle - 1] + good[middle]) / 2.0
        station.LevelQuality, station.LevelLostTime = GOOD, 0.0
    else:
        station.LevelQuality = UNCERTAIN if held else BAD
        station.LevelLostTime = counted(station.LevelLostTime, elapsed)
    station.LevelSpread = good[-1] - good[0] if good else 0.0
    agree = station.LevelSpread <= difference / 2.0
    differ = station.LevelSpread > difference
    station.LevelsDiffer = differ or (station.LevelsDiffer and not agree)
    sensors = min(len(good), 255)
    if sensors != station.LevelSensors:
        station.InflowLevel = station.Level
    station.LevelSensors = sensors


def estimate_inflow(station: Row, pumps: list[Row], elapsed: float, smoothing: float) -> None:
    pumped, unknown = 0.0, False
    for pump in pumps:
        if pump.FlowQuality == GOOD:
            pumped += pump.Flow
        elif pump.Turning:
            pumped += pump.ExpectedFlow
            unknown = unknown or pump.ExpectedFlow == 0.0
    was_good = station.InflowQuality == GOOD
    level_known = station.LevelQuality == GOOD and 0.0 < station.WellArea <= Station.WellArea.high
    rise = station.Level - station.InflowLevel
    volume = station.WellArea * rise if level_known else 0.0
    if station.FlowDirection == FILLING:
        volume = -volume
    if not unknown:
        before = pumped if station.Inflow == 0.0 and not was_good else station.Inflow
        change = (elapsed * (pumped - before) + HOUR * volume) / (smoothing + elapsed)
        station.Inflow = clamp(before + change, Station.Inflow.low, Station.Inflow.high)
    station.InflowLevel = station.Level
    station.InflowQuality = GOOD if level_known and not unknown else BAD
