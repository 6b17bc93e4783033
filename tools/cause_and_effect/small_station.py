"""The smallest station that shows everything: two pumps alike, and a plant that answers them.

Its parameters are such that effects can be told apart by their values.
"""

from __future__ import annotations

from typing import Any

from runtime.tag import Area, Tag
from runtime.tags import ALARMS, Pump, Station

FIRST, SECOND = 0, 1  # slots of its pumps
MIDDLE = 1.5  # m: the levels of a filling station are mirrored here
LOW, HIGH = 22.0, 48.0  # Hz
POWER, FLOW = 3e-4, 8.0  # kW/Hz³, m³/h per Hz
NODES = 5  # of a learned curve

STATION: dict[Tag, float] = {
    Station.Configured: True,
    Station.WatchdogTimeout: 120.0,
    Station.WithoutLevel: Station.WithoutLevel.number("hold"),
    Station.LevelHold: 20.0,
    Station.WellArea: 12.0,
}
PUMP: dict[Tag, float] = {
    Pump.Configured: True,
    Pump.EmergencyAction: Pump.EmergencyAction.number("stop"),
    Pump.MinSpeed: LOW,
    Pump.MaxSpeed: HIGH,
    Pump.DefaultSetpoint: 30.0,
    Pump.HardMinSpeed: 20.0,
    Pump.HardMaxSpeed: 50.0,
    Pump.HardMaxPower: 40.0,
    Pump.HardMaxFlow: 420.0,
    Pump.MaxSpeedChange: 2.0,
    Pump.MaxStartsPerHour: 4.0,
    Pump.MinRun: 30.0,
    Pump.MinOff: 30.0,
    Pump.MaxRun: 1e9,
    Pump.DirectRamp: 100.0,
    Pump.LevelGain: 20.0,
    Pump.LevelResetTime: 30.0,
    Pump.LevelFilterTime: 5.0,
    Pump.LevelTrackingTime: 60.0,
    Pump.LevelDeadband: 0.02,
    Pump.LevelStartBand: 0.2,
    Pump.LevelStopBand: 0.2,
    Pump.PowerGain: 0.3,
    Pump.PowerResetTime: 15.0,
    Pump.PowerFeedForward: 1.0,
}
LEVELS: dict[str, dict[Tag, float]] = {
    "emptying": {
        Pump.HardMinLevel: 0.2,
        Pump.EmergencyStopLevel: 0.3,
        Pump.DryRunLevel: 0.4,
        Pump.StopLevel: 0.6,
        Pump.RestartLevel: 0.9,
        Pump.StartLevel: 2.2,
        Pump.AllRunLevel: 2.6,
        Pump.HardMaxLevel: 2.9,
    },
    "filling": {
        Pump.HardMaxLevel: 2.8,
        Pump.EmergencyStopLevel: 2.6,
        Pump.StopLevel: 2.4,
        Pump.RestartLevel: 2.1,
        Pump.StartLevel: 0.8,
        Pump.AllRunLevel: 0.4,
        Pump.HardMinLevel: 0.1,
        Pump.DryRunLevel: 0.0,
    },
}
SETTINGS: dict[str, dict[str, object]] = {
    "feedback": {"max_age": 10.0, "level_rate": 0.5, "stuck": 100.0},
    "watchdog": {"scada_timeout": 30.0, "without_scada": "default"},
    "staging": {"alternate": "fixed", "up_delay": 20.0, "down_delay": 20.0},
    "supervision": {"delay": 15.0, "start_delay": 20.0, "retry": 120.0, "flow_delay": 20.0},
}
PARAMETERS = [tag for tag in (*Station.tags(), *Pump.tags()) if tag.area is Area.PARAMETER]
# Conditions of alarms that the database process sees.
REPORTED = [alarm.tag for alarm in ALARMS if alarm.tag.area is Area.INPUT]


def configure(columns: Any, control_type: str, direction: str) -> None:
    """Parameters of the station, and curves learned long ago."""
    for tag, value in (STATION | PUMP | LEVELS[direction]).items():
        columns[tag][:] = value
    columns[Station.FlowDirection][:] = Station.FlowDirection.number(direction)
    columns[Pump.ControlType][:] = Pump.ControlType.number(control_type)
    columns[Pump.CurveLow][:], columns[Pump.CurveHigh][:] = LOW, HIGH
    for node in range(NODES):
        speed = LOW + (HIGH - LOW) * node / (NODES - 1)
        columns[Pump.tag(f"PowerCurve{node + 1}")][:] = power(speed)
        columns[Pump.tag(f"FlowCurve{node + 1}")][:] = flow(speed)


def power(speed: float) -> float:
    return POWER * speed * speed * speed


def flow(speed: float) -> float:
    return FLOW * speed
