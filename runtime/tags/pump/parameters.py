"""What the equipment tables and the settings say of a pump."""

from __future__ import annotations

from functools import partial

from runtime.tag import Area, Table, Tag, Unit
from runtime.tags.kinds import INTERNAL, flow, level, parameter, power, seconds, speed
from runtime.tags.starts import STARTS_KEPT

_share = partial(Tag, area=Area.PARAMETER, low=0.0, high=1.0)


class Parameters(Table):
    """Limits, rules and tuning, each from the tables or a setting's default."""

    Configured = parameter("The pump is in use.", dtype="?", register=0)
    Station = parameter("Slot of its station.", dtype="i8", access=INTERNAL)
    ControlType = parameter(
        "What its plan commands.",
        dtype="u1",
        states={0: "DIRECT_SPEED", 1: "LEVEL_CONTROLLED", 2: "POWER_CONTROLLED"},
        register=38,
    )
    EmergencyAction = parameter(
        "What an emergency stop does.", dtype="u1", states={0: "default", 1: "stop"}
    )
    MinSpeed = speed("Lowest speed at which the pump may run.", area=Area.PARAMETER)
    MaxSpeed = speed("Highest speed at which the pump may run.", area=Area.PARAMETER)
    DefaultSetpoint = speed("Setpoint without a plan and in failsafe.", area=Area.PARAMETER)
    HardMinSpeed = speed("Hard lower limit of a running pump.", area=Area.PARAMETER)
    HardMaxSpeed = speed("Hard upper limit.", area=Area.PARAMETER)
    HardMinLevel = level("Lowest level allowed.", area=Area.PARAMETER)
    HardMaxLevel = level("Highest level allowed.", area=Area.PARAMETER)
    EmergencyStopLevel = level("Level that stops the pump to protect it.", area=Area.PARAMETER)
    DryRunLevel = level("Level below which the pump would run dry.", area=Area.PARAMETER)
    RestartLevel = level("Level at which a stop by level is released.", area=Area.PARAMETER)
    StartLevel = level("Level at which a pump must run in any mode.", area=Area.PARAMETER)
    StopLevel = level("Level at which no pump may go on in any mode.", area=Area.PARAMETER)
    AllRunLevel = level("Level at which all pumps must run in any mode.", area=Area.PARAMETER)
    HardMaxPower = power("Highest power allowed.", area=Area.PARAMETER)
    HardMaxFlow = flow("Highest flow allowed.", area=Area.PARAMETER)
    MaxSpeedChange = Tag(
        "Fastest change of the setpoint.",
        unit=Unit.HERTZ_PER_SECOND,
        low=0,
        high=100,
        area=Area.PARAMETER,
    )
    MaxStartsPerHour = parameter("Starts allowed in a sliding hour.", low=1, high=STARTS_KEPT)
    MinRun = seconds("Shortest run.", area=Area.PARAMETER)
    MinOff = seconds("Shortest pause.", area=Area.PARAMETER)
    MaxRun = seconds("Longest run.", area=Area.PARAMETER)
    DirectRamp = Tag(
        "Fastest change of the speed that a plan asks for.",
        unit=Unit.HERTZ_PER_SECOND,
        low=0.001,
        high=100,
        area=Area.PARAMETER,
        setting="direct_speed.ramp",
    )
    LevelGain = Tag(
        "Gain of the level controller.",
        unit=Unit.HERTZ_PER_METRE,
        high=10_000,
        area=Area.PARAMETER,
        setting="level_control.gain",
    )
    LevelResetTime = seconds(
        "Reset (integral) time of the level controller.",
        area=Area.PARAMETER,
        setting="level_control.reset_time",
    )
    LevelDerivativeTime = seconds(
        "Derivative time of the level controller.",
        area=Area.PARAMETER,
        setting="level_control.derivative_time",
    )
    LevelFilterTime = seconds(
        "Time constant of the derivative's filter.",
        area=Area.PARAMETER,
        setting="level_control.filter_time",
    )
    LevelTrackingTime = seconds(
        "Time in which the integral follows a limit that acts (back-calculation).",
        area=Area.PARAMETER,
        setting="level_control.tracking_time",
    )
    LevelSetpointWeight = _share(
        "Share of a change of target that acts at once.", setting="level_control.setpoint_weight"
    )
    LevelFeedForward = _share(
        "Share of the estimated inflow that is fed forward.", setting="level_control.feed_forward"
    )
    LevelDeadband = level(
        "Level error that is taken as none.",
        low=0.0,
        area=Area.PARAMETER,
        setting="level_control.deadband",
    )
    LevelStartBand = level(
        "Level error at which the first pump starts.",
        low=0.0,
        area=Area.PARAMETER,
        setting="level_control.start_band",
    )
    LevelStopBand = level(
        "Level error on the other side at which the last pump stops.",
        low=0.0,
        area=Area.PARAMETER,
        setting="level_control.stop_band",
    )
    LevelRole = parameter(
        "Whether the pump takes part in level control, or only in place of another.",
        dtype="u1",
        states={0: "duty", 1: "standby"},
        setting="staging.role",
    )
    PowerGain = Tag(
        "Gain of the power controller.",
        unit=Unit.HERTZ_PER_KILOWATT,
        high=10_000,
        area=Area.PARAMETER,
        setting="power_control.gain",
    )
    PowerResetTime = seconds(
        "Reset (integral) time of the power controller.",
        area=Area.PARAMETER,
        setting="power_control.reset_time",
    )
    PowerFeedForward = _share(
        "Share of the learned speed for the asked power that is fed forward.",
        setting="power_control.feed_forward",
    )
