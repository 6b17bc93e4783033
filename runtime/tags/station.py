"""The tags of a pump station."""

from __future__ import annotations

from runtime.alarm import Alarm
from runtime.tag import Area, Table, Unit
from runtime.tags.kinds import (
    HZ,
    INTERNAL,
    REQUEST,
    S,
    flag,
    flow,
    incoming,
    level,
    memory,
    parameter,
    quality,
    seconds,
    since,
    stop_id,
)


class Station(Table):
    """A pump station: one row for each."""

    Configured = parameter("The station is in use.", dtype="?", register=0)
    FlowDirection = parameter(
        "What its pumps do to the measured level.",
        dtype="u1",
        states={0: "emptying", 1: "filling"},
        register=0,
    )
    WatchdogTimeout = parameter(
        "Plan age that leads to failsafe.",
        unit=S,
        low=1,
        high=604_800,
        setting="watchdog.timeout",
    )
    WithoutLevel = parameter(
        "What its pumps do when it has had no good level for LevelHold.",
        dtype="u1",
        states={0: "stop", 1: "default", 2: "hold"},
        setting="limits.without_level",
    )
    LevelHold = seconds(
        "How long its pumps hold their setpoints after the level is lost.",
        area=Area.PARAMETER,
        setting="limits.level_hold",
    )
    WellArea = parameter(
        "Surface of the well or tank; 0 if not known.",
        unit=Unit.SQUARE_METRE,
        low=0.0,
        high=1e6,
    )
    PlanTime = incoming(
        "When the newest plan or heartbeat of the station was written; 0 never.", unit=S
    )

    PlanAge = seconds("Age of the newest plan or heartbeat.", register=2)
    Failsafe = flag(
        "No plan in time, or no SCADA: the pumps are at their default setpoints.",
        recorded=True,
        stored=True,
        register=1,
        alarm=Alarm(
            2,
            "the optimiser wrote no plan and no heartbeat within the watchdog's timeout; or SCADA"
            " is lost, where `without_scada: default` says so",
            "the pumps run at their default setpoints, inside all limits",
            "check the optimiser, the database and SCADA; failsafe ends by itself with the next"
            " plan or sign of life",
        ),
    )
    FailsafeSince = since()
    Level = level(
        "Level of the well or tank: median of the good measurements.",
        quality="LevelQuality",
        stored=True,
        register=4,
    )
    LevelQuality = quality("Quality of the level.", register=6)
    LevelSensors = memory("How many good measurements the level has.", dtype="u1", register=18)
    LevelSpread = level(
        "Between the lowest and the highest good level.", low=0.0, stored=True, register=10
    )
    LevelsDiffer = flag(
        "The good levels of the station differ by more than allowed.",
        recorded=True,
        register=2,
        alarm=Alarm(
            3,
            "one of the level sensors drifts or is fouled",
            "control goes on with the median; with two sensors that is their mean",
            "compare the sensors with the well and clean or calibrate the one that is wrong",
            on_delay=10.0,
            off_delay=10.0,
        ),
    )
    LevelsDifferSince = since()
    LevelLostTime = seconds("How long the station has had no good level.", register=20)
    Inflow = flow(
        "Estimated inflow of a well, or consumption of a tank.",
        quality="InflowQuality",
        stored=True,
        register=12,
    )
    InflowQuality = quality("Quality of the estimated inflow.", register=26)
    InflowLevel = level("Level that the estimate last saw.", access=INTERNAL)
    PumpsWanted = memory(
        "Level-controlled pumps that shall run.",
        dtype="u4",
        retained=True,
        stored=True,
        register=14,
    )
    LeadPump = memory(
        "Slot of the lead of the level-controlled pumps, counted from 1; 0 if there is none.",
        dtype="u4",
        stored=True,
        register=16,
    )
    StageUpTime = seconds("How long one more level-controlled pump has been due.")
    StageDownTime = seconds("How long one less level-controlled pump has been due.")
    Relieved = memory(
        "Slot of the level-controlled pump that has run longest and stops when another has taken"
        " over, counted from 1; 0 if none does.",
        dtype="i8",
        access=INTERNAL,
    )
    Reliever = memory("Slot of that other pump, counted from 1.", dtype="i8", access=INTERNAL)
    PumpsDue = memory("Pumps that level control means to run.", dtype="i8", access=INTERNAL)
    PumpsRun = memory("Available pumps that level control runs.", dtype="i8", access=INTERNAL)
    DutyPumps = memory("Pumps of role duty.", dtype="i8", access=INTERNAL)
    NextToLead = memory(
        "Slot of the running pump that may lead, counted from 1; 0 if none runs.",
        dtype="i8",
        access=INTERNAL,
    )
    NextToStart = memory(
        "Slot of the next level-controlled pump to start, counted from 1; 0 if none can.",
        dtype="i8",
        access=INTERNAL,
    )
    NextToStop = memory(
        "Slot of the next level-controlled pump to stop, counted from 1; 0 if none runs.",
        dtype="i8",
        access=INTERNAL,
    )
    LevelOutput = memory(
        "Speed that its level-controlled pumps share, before limits.", unit=HZ, access=INTERNAL
    )
    StartDue = flag("The level is at the start level of one of its pumps.", access=INTERNAL)
    SomeRuns = flag("One of its pumps runs, or is about to.", access=INTERNAL)
    GuardsRun = flag("One of its pumps was chosen to run at start level.", access=INTERNAL)
    SparePump = memory(
        "Slot of the pump that takes over next, counted from 1; 0 if none can.",
        dtype="u4",
        access=INTERNAL,
    )
    GuardPump = memory(
        "Slot of the pump that its start level runs, counted from 1; 0 if none.",
        dtype="u4",
        access=INTERNAL,
    )
    GuardRank = memory("How well that pump serves.", dtype="u1", access=INTERNAL)
    EmergencyStop = flag(
        "Emergency stop of the station: latched, cleared only by request.",
        access=REQUEST,
        retained=True,
        recorded=True,
        stored=True,
        register=0,
        alarm=Alarm(
            1,
            "an operator stopped the station",
            "its pumps are at their emergency setpoint; the well may fill",
            "make sure that the cause is gone, then clear the stop with a reason",
        ),
    )
    EmergencyStopSince = since()
    EmergencyStopId = stop_id("Request that set the emergency stop in force; 0 if none is.")
    ActiveAlarms = memory("Alarms active in the station and its pumps.", dtype="u4", register=8)
    UnacknowledgedAlarms = memory(
        "Alarms of the station and its pumps that wait to be acknowledged.",
        dtype="u4",
        register=22,
    )
    ShelvedAlarms = memory("Alarms shelved in the station and its pumps.", dtype="u4", register=24)
