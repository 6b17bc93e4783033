"""Every value of the system, declared once.

From here come the memory layout, the Modbus map, the OPC UA address space, the REST schema, the
metrics, the reference page and the list that SCADA engineers import (`calejo tags`). Adding a value
is one declaration here plus the block that writes it. Register offsets are part of a declaration
and are never changed or used again; new tags take new ones.

Times are seconds on the scan clock (CLOCK_MONOTONIC of this machine) unless a name says UTC.
"""

from __future__ import annotations

from functools import partial

from runtime.tag import Access, Alarm, Area, Quality, Table, Tag, Unit

INTERNAL, REQUEST = Access.INTERNAL, Access.REQUEST
HZ, M, M3H, KW, S = (
    Unit.HERTZ,
    Unit.METRE,
    Unit.CUBIC_METRE_PER_HOUR,
    Unit.KILOWATT,
    Unit.SECOND,
)
FOREVER = 1e9

_input = partial(Tag, area=Area.INPUT, access=INTERNAL)
_parameter = partial(Tag, area=Area.PARAMETER)
_memory = partial(Tag, area=Area.MEMORY)
_output = partial(Tag, area=Area.OUTPUT)
_flag = partial(Tag, area=Area.MEMORY, dtype="?", high=1)
_speed = partial(Tag, unit=HZ, low=0.0, high=100.0, step=0.01)
_level = partial(Tag, unit=M, low=-20.0, high=30.0, step=0.001)
_power = partial(Tag, unit=KW, low=-10.0, high=3_000.0, step=0.1)
_flow = partial(Tag, unit=M3H, low=-100.0, high=30_000.0)
_seconds = partial(Tag, unit=S, low=0.0, high=FOREVER)
_since = partial(Tag, doc="UTC since when the alarm has been active; 0 while it is not.", unit=S)
_quality = partial(
    Tag, dtype="u1", high=2, states={quality: quality.name.title() for quality in Quality}
)
_stop_id = partial(Tag, dtype="u8", retained=True, high=2.0**63)


class System(Table):
    """The runtime itself: one row."""

    PlantVersion = _parameter("Version of the equipment list in use.", dtype="u8")
    DatabaseTime = _input("When the database last answered; 0 before it ever has.", unit=S)
    DatabaseClockSteps = _parameter("How often the database's clock was seen to jump.", dtype="u8")

    Scan = _memory("Number of this scan, counted from the first scan ever.", dtype="u8", register=0)
    Epoch = _memory("How many scan processes have led so far.", dtype="u8", register=2)
    Now = _memory("Start of this scan.", unit=S, access=INTERNAL)
    Elapsed = _memory("Time since the previous scan, bounded.", unit=S, access=INTERNAL)
    # The scan can't say that it stands still: each mirror writes these two into its own copy.
    ImageAge = _seconds(
        "Time since the scan last published, as the server sees it.", register=32, step=0.01
    )
    Live = _flag("The scan runs; if not, all else is what it said last.", register=4)
    FirstScan = _flag("True in the first scan of a scan process.", register=0)
    TimeUtc = _memory("UTC of this scan, s since 1970; shown, never used for control.", unit=S)
    Period = _memory("Period of the scan.", unit=S, low=0.01, high=60, register=4, step=0.01)
    RealTime = _flag(
        "The scan has its real-time guarantee (scheduling, locked memory).", register=1
    )

    Execution = _seconds("Execution time of the previous scan.", register=6, step=1e-5)
    ExecutionMin = _seconds("Shortest execution since the reset.")
    ExecutionMean = _seconds("Mean execution since the reset.", register=8, step=1e-5)
    ExecutionMax = _seconds("Longest execution since the reset.", register=10, step=1e-5)
    Lateness = _seconds(
        "How late this scan began, after its place on the grid.", register=12, step=1e-5
    )
    LatenessMin = _seconds("Least lateness since the reset.")
    LatenessMean = _seconds("Mean lateness since the reset.")
    LatenessMax = _seconds("Greatest lateness since the reset.", register=14, step=1e-5)
    Interval = _seconds(
        "Time between the beginnings of the last two scans.", register=16, step=1e-4
    )
    IntervalMin = _seconds("Shortest interval since the reset.")
    IntervalMean = _seconds("Mean interval since the reset.")
    IntervalMax = _seconds("Longest interval since the reset.")
    Samples = _memory("Scans since the reset of the statistics.", dtype="u8")
    Overruns = _memory("Scans that took longer than the period.", dtype="u8", register=18)
    Skipped = _memory("Periods of the grid skipped after overruns.", dtype="u8", register=20)
    StatisticsReset = _flag(
        "Resets the scan statistics; falls back by itself.", access=REQUEST, register=1
    )

    Requests = _memory("Operator requests taken since the first scan.", dtype="u8", register=22)
    RequestsTaken = _memory("Operator requests taken in this scan.", dtype="u4", access=INTERNAL)
    Events = _memory("Events emitted since the first scan.", dtype="u8")
    EventsDropped = _memory("Events that found no room in the ring.", dtype="u8", register=24)

    DatabaseAge = _seconds("Time since the database last answered.", register=26)
    DatabaseLost = _flag(
        "The database has not answered for longer than allowed.",
        recorded=True,
        register=2,
        alarm=Alarm(
            2,
            "PostgreSQL or the database process does not answer",
            "plans and feedback age; stations go to failsafe when the watchdog expires",
            "check PostgreSQL and `calejo status`; the scan runs on without it",
        ),
    )
    DatabaseLostSince = _since()
    EmergencyStop = _flag(
        "Emergency stop of the whole system: latched, cleared only by request.",
        access=REQUEST,
        retained=True,
        recorded=True,
        register=0,
        alarm=Alarm(
            1,
            "an operator stopped the system",
            "all pumps are at their emergency setpoint; wells may fill",
            "make sure that the cause is gone, then clear the stop with a reason",
        ),
    )
    EmergencyStopSince = _since()
    EmergencyStopId = _stop_id("Request that set the emergency stop in force; 0 if none is.")
    Fault = _flag(
        "A block failed; the safe outputs stand until the scan process restarts.",
        recorded=True,
        register=3,
        alarm=Alarm(
            1,
            "a function block raised an error or wrote a value that is no number",
            "all outputs are at their safe values",
            "read the log of the scan process and report the fault",
        ),
    )
    FaultSince = _since()
    FaultBlock = _memory(
        "Place of the failed block in the program, from 1; 0 if none.", dtype="u1", register=28
    )
    Faults = _memory("Faults since the first scan.", dtype="u8", recorded=True, register=34)
    ActiveAlarms = _memory("Alarms active in the whole system.", dtype="u4", register=30)


class Station(Table):
    """A pump station: one row for each."""

    Configured = _parameter("The station is in use.", dtype="?", register=0)
    FlowDirection = _parameter(
        "What its pumps do to the measured level.",
        dtype="u1",
        states={0: "emptying", 1: "filling"},
        register=0,
    )
    WatchdogTimeout = _parameter("Plan age that leads to failsafe.", unit=S, low=1, high=604_800)
    WithoutLevel = _parameter(
        "What its pumps may do without a good level.",
        dtype="u1",
        states={0: "stop", 1: "default", 2: "hold"},
    )
    PlanTime = _input(
        "When the newest plan or heartbeat of the station was written; 0 never.", unit=S
    )

    PlanAge = _seconds("Age of the newest plan or heartbeat.", register=2)
    Failsafe = _flag(
        "No plan in time: the pumps are at their default setpoints.",
        recorded=True,
        register=1,
        alarm=Alarm(
            2,
            "the optimiser wrote no plan and no heartbeat within the watchdog's timeout",
            "the pumps run at their default setpoints, inside all limits",
            "check the optimiser and the database; failsafe ends by itself with the next plan",
        ),
    )
    FailsafeSince = _since()
    Level = _level(
        "Level of the well or tank: mean of the good measurements.",
        quality="LevelQuality",
        register=4,
    )
    LevelQuality = _quality("Quality of the level.", register=6)
    EmergencyStop = _flag(
        "Emergency stop of the station: latched, cleared only by request.",
        access=REQUEST,
        retained=True,
        recorded=True,
        register=0,
        alarm=Alarm(
            1,
            "an operator stopped the station",
            "its pumps are at their emergency setpoint; the well may fill",
            "make sure that the cause is gone, then clear the stop with a reason",
        ),
    )
    EmergencyStopSince = _since()
    EmergencyStopId = _stop_id("Request that set the emergency stop in force; 0 if none is.")
    ActiveAlarms = _memory("Alarms active in the station and its pumps.", dtype="u4", register=8)


class Pump(Table):
    """A pump: one row for each. Its row number, the slot, stays with it for life."""

    Configured = _parameter("The pump is in use.", dtype="?", register=0)
    Station = _parameter("Slot of its station.", dtype="i8", access=INTERNAL)
    ControlType = _parameter(
        "What its plan commands.",
        dtype="u1",
        states={0: "DIRECT_SPEED", 1: "LEVEL_CONTROLLED", 2: "POWER_CONTROLLED"},
        register=38,
    )
    EmergencyAction = _parameter(
        "What an emergency stop does.", dtype="u1", states={0: "default", 1: "stop"}
    )
    MinSpeed = _speed("Lowest speed at which the pump may run.", area=Area.PARAMETER)
    MaxSpeed = _speed("Highest speed at which the pump may run.", area=Area.PARAMETER)
    DefaultSetpoint = _speed("Setpoint without a plan and in failsafe.", area=Area.PARAMETER)
    HardMinSpeed = _speed("Hard lower limit of a running pump.", area=Area.PARAMETER)
    HardMaxSpeed = _speed("Hard upper limit.", area=Area.PARAMETER)
    HardMinLevel = _level("Lowest level allowed.", area=Area.PARAMETER)
    HardMaxLevel = _level("Highest level allowed.", area=Area.PARAMETER)
    EmergencyStopLevel = _level("Level that stops the pump to protect it.", area=Area.PARAMETER)
    DryRunLevel = _level("Level below which the pump would run dry.", area=Area.PARAMETER)
    RestartLevel = _level("Level at which a stop by level is released.", area=Area.PARAMETER)
    HardMaxPower = _power("Highest power allowed.", area=Area.PARAMETER)
    HardMaxFlow = _flow("Highest flow allowed.", area=Area.PARAMETER)
    MaxSpeedChange = Tag(
        "Fastest change of the setpoint.",
        unit=Unit.HERTZ_PER_SECOND,
        low=0,
        high=100,
        area=Area.PARAMETER,
    )
    MaxStartsPerHour = _parameter("Starts allowed in a sliding hour.", low=0, high=3_600)
    MinRun = _seconds("Shortest run.", area=Area.PARAMETER)
    MinOff = _seconds("Shortest pause.", area=Area.PARAMETER)
    MaxRun = _seconds("Longest run.", area=Area.PARAMETER)
    LevelGain = Tag(
        "Gain of the level controller.", unit=Unit.HERTZ_PER_METRE, high=10_000, area=Area.PARAMETER
    )
    LevelResetTime = _seconds("Reset (integral) time of the level controller.", area=Area.PARAMETER)
    LevelDerivativeTime = _seconds("Derivative time of the level controller.", area=Area.PARAMETER)
    LevelFilterTime = _seconds("Time constant of the derivative's filter.", area=Area.PARAMETER)
    LevelDeadband = _level("Level error that is taken as none.", area=Area.PARAMETER)
    LevelStartBand = _level("Level error at which a stopped pump starts.", area=Area.PARAMETER)
    LevelStopBand = _level(
        "Level error on the other side at which a pump stops.", area=Area.PARAMETER
    )
    PowerGain = Tag(
        "Gain of the power controller.",
        unit=Unit.HERTZ_PER_KILOWATT,
        high=10_000,
        area=Area.PARAMETER,
    )
    PowerResetTime = _seconds("Reset (integral) time of the power controller.", area=Area.PARAMETER)

    MeasuredTime = _input("When the feedback was measured; 0 never.", unit=S)
    MeasuredSpeed = _input("Speed as measured; NaN if not.", unit=HZ)
    MeasuredPower = _input("Power as measured; NaN if not.", unit=KW)
    MeasuredFlow = _input("Flow as measured; NaN if not.", unit=M3H)
    MeasuredLevel = _input("Level as measured; NaN if not.", unit=M)
    MeasuredRunning = _input("The pump reports that it runs.", dtype="?")
    MeasuredLocal = _input("The pump reports local control.", dtype="?")
    PlanStart = _input("Start of the current or latest plan interval.", unit=S)
    PlanEnd = _input("End of that interval; not after the start if there is none.", unit=S)
    PlanSpeed = _input("Speed that the interval asks for; NaN if none.", unit=HZ)
    PlanLevel = _input("Level that the interval asks for; NaN if none.", unit=M)
    PlanPower = _input("Power that the interval asks for; NaN if none.", unit=KW)
    PlanFlow = _input("Flow that the interval asks for; NaN if none.", unit=M3H)
    NextStart = _input("Start of the plan interval after that.", unit=S)
    NextEnd = _input("End of that interval; not after the start if there is none.", unit=S)
    NextSpeed = _input("Speed that the next interval asks for.", unit=HZ)
    NextLevel = _input("Level that the next interval asks for.", unit=M)
    NextPower = _input("Power that the next interval asks for.", unit=KW)
    NextFlow = _input("Flow that the next interval asks for.", unit=M3H)

    FeedbackAge = _seconds("Age of the feedback.", register=0)
    # A transmitter at rest may read a little below 0.
    Speed = _speed("Actual speed.", low=-1.0, quality="SpeedQuality", register=2)
    SpeedQuality = _quality("Quality of the speed.", register=20)
    Power = _power("Electrical power.", quality="PowerQuality", register=4)
    PowerQuality = _quality("Quality of the power.", register=22)
    Flow = _flow("Flow.", quality="FlowQuality", register=6)
    FlowQuality = _quality("Quality of the flow.", register=24)
    Level = _level("Level measured at the pump.", quality="LevelQuality", register=8)
    LevelQuality = _quality("Quality of the level.", register=26)
    Running = _flag("The pump runs.", quality="RunningQuality", recorded=True, register=1)
    RunningQuality = _quality("Quality of the running and local control feedback.", register=28)
    LocalControl = _flag("The pump is under local control.", quality="RunningQuality", register=2)

    PlanActive = _flag("A plan interval covers this scan.", register=3)
    TargetSpeed = _speed("Speed that the plan asks for.", register=10)
    TargetLevel = _level("Level that the plan asks for.", register=12)
    TargetPower = _power("Power that the plan asks for.", register=14)
    TargetFlow = _flow("Flow that the plan asks for.", register=16)

    EmergencyStop = _flag(
        "Emergency stop of the pump: latched, cleared only by request.",
        access=REQUEST,
        retained=True,
        recorded=True,
        register=0,
        alarm=Alarm(
            1,
            "an operator stopped the pump",
            "the pump is at its emergency setpoint",
            "make sure that the cause is gone, then clear the stop with a reason",
        ),
    )
    EmergencyStopSince = _since()
    EmergencyStopId = _stop_id("Request that set the emergency stop in force; 0 if none is.")
    Stopped = _flag("An emergency stop of pump, station or system is in force.", register=4)

    DirectDemand = _speed("What the direct speed calculator asks for.")
    LevelDemand = _speed("What the level controller asks for.")
    LevelIntegral = _memory("Integral part of the level controller.", unit=HZ, retained=True)
    LevelFiltered = _memory("Filtered level of its derivative.", unit=M)
    LevelRun = _flag("The level controller wants the pump to run.", retained=True)
    LevelEngaged = _flag("The level controller was in charge in the last scan.")
    PowerDemand = _speed("What the power controller asks for.")
    PowerIntegral = _memory("Integral part of the power controller.", unit=HZ, retained=True)
    PowerEngaged = _flag("The power controller was in charge in the last scan.")

    Mode = _memory(
        "Who commands the pump outside emergencies.",
        dtype="u1",
        high=1,
        states={0: "Auto", 1: "Manual"},
        access=REQUEST,
        retained=True,
        recorded=True,
        register=2,
    )
    ManualSetpoint = _speed(
        "Setpoint in manual mode; switching to manual takes over the setpoint in force.",
        access=REQUEST,
        retained=True,
        within=("MinSpeed", "MaxSpeed"),
        register=4,
    )
    Authority = _memory(
        "Whose demand is in force.",
        dtype="u1",
        high=4,
        states={0: "Default", 1: "Plan", 2: "Manual", 3: "Failsafe", 4: "EmergencyStop"},
        recorded=True,
        register=18,
    )
    Demand = _speed("The demand in force, before limits.", register=30)

    LowLimit = _speed("Lowest running speed in force.", register=32)
    HighLimit = _speed("Highest speed in force.", register=34)
    LevelTrip = _flag(
        "The level stops the pump until it is restored.",
        retained=True,
        recorded=True,
        register=5,
        alarm=Alarm(
            3,
            "the level reached its stop, dry-run or emergency-stop level",
            "the pump stands until the level is restored",
            "check the inflow, the level measurement and the limits",
        ),
    )
    LevelTripSince = _since()
    Limited = _memory(
        "Limits that acted in this scan, as bits; 0 if none.",
        dtype="u4",
        high=127,
        flags={
            0: "speed",
            1: "rate",
            2: "level",
            3: "level lost",
            4: "power",
            5: "flow",
            6: "not a number",
        },
        recorded=True,
        register=36,
    )
    Setpoint = _output(
        "Speed setpoint for the drive; 0 is stop.",
        unit=HZ,
        low=0.0,
        high=100.0,
        step=0.01,
        safe=0.0,
        within=("LowLimit", "HighLimit"),
        register=0,
    )

    DeviationTime = _seconds("How long speed and setpoint have differed.")
    NotFollowing = _flag(
        "The pump does not follow its setpoint.",
        recorded=True,
        register=6,
        alarm=Alarm(
            2,
            "the measured speed has differed from the setpoint for too long",
            "the pump delivers other than planned, or nothing",
            "check the drive, local control and the speed feedback",
        ),
    )
    NotFollowingSince = _since()
    FeedbackLost = _flag(
        "The feedback of the pump is stale, or its station has no good level.",
        recorded=True,
        register=8,
        alarm=Alarm(
            3,
            "the plant's collector wrote no valid feedback in time",
            "the pump runs on without supervision, as `without_level` says",
            "check the collector and the instruments",
        ),
    )
    FeedbackLostSince = _since()


class Request(Table):
    """The latest operator requests with the scan's answers: a ring of rows."""

    Id = _memory("Identity of the request.", dtype="u8", access=INTERNAL)
    TakenAt = _memory(
        "Scan that took the request; 0 if the row is empty.", dtype="u8", access=INTERNAL
    )
    Tag = _memory("Number of the tag to write.", dtype="u2", access=INTERNAL)
    Slot = _memory("Row to write.", dtype="u4", access=INTERNAL)
    Value = _memory("Value to write.", access=INTERNAL)
    Reference = _memory("Emergency stop to clear.", dtype="u8", access=INTERNAL)
    Role = _memory("Role of who asks.", dtype="u1", access=INTERNAL)
    Source = _memory("Protocol that it came by.", dtype="u1", access=INTERNAL)
    Deadline = _memory("Scan clock after which it must not be executed.", access=INTERNAL)
    Result = _memory(
        "The scan's answer.",
        dtype="u1",
        access=INTERNAL,
        states={
            0: "pending",
            1: "executed",
            2: "no such pump or station",
            3: "value out of range",
            4: "no such emergency stop",
            5: "too late",
            6: "not writable",
        },
    )


class Bucket(Table):
    """Histograms of the scan: one row for each bucket, doubling from 1 µs."""

    Execution = _memory("Scans whose execution fell into the bucket.", dtype="u8", access=INTERNAL)
    Lateness = _memory("Scans whose lateness fell into the bucket.", dtype="u8", access=INTERNAL)
    Interval = _memory(
        "Scans whose deviation from the period fell into the bucket.", dtype="u8", access=INTERNAL
    )


class Block(Table):
    """Execution of the blocks: one row for each, in the order of the program."""

    Execution = _memory("Execution time in the previous scan.", unit=S, access=INTERNAL)
    Total = _memory("Execution time since the reset.", unit=S, access=INTERNAL)
    ExecutionMax = _memory("Longest execution since the reset.", unit=S, access=INTERNAL)


TABLES: tuple[type[Table], ...] = (System, Station, Pump, Request, Bucket, Block)
SHOWN: tuple[type[Table], ...] = (System, Station, Pump)
TAGS: tuple[Tag, ...] = tuple(tag for table in TABLES for tag in table.tags())
NUMBER: dict[Tag, int] = {tag: number for number, tag in enumerate(TAGS)}


def shown(table: type[Table]) -> list[Tag]:
    """The tags of a table that the outside may see, in the order of their declaration."""
    return [tag for tag in table.tags() if tag.access is not INTERNAL]
