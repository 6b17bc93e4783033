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
STARTS_KEPT = 20  # of each pump, so no more may be allowed in an hour

_input = partial(Tag, area=Area.INPUT, access=INTERNAL)
_parameter = partial(Tag, area=Area.PARAMETER)
_share = partial(Tag, area=Area.PARAMETER, low=0.0, high=1.0)
_memory = partial(Tag, area=Area.MEMORY)
_output = partial(Tag, area=Area.OUTPUT)
_flag = partial(Tag, area=Area.MEMORY, dtype="?", high=1)
_speed = partial(Tag, unit=HZ, low=0.0, high=100.0, step=0.01)
_level = partial(Tag, unit=M, low=-20.0, high=30.0, step=0.001)
_power = partial(Tag, unit=KW, low=-10.0, high=3_000.0, step=0.1)
_flow = partial(Tag, unit=M3H, low=-100.0, high=30_000.0)
_seconds = partial(Tag, unit=S, low=0.0, high=FOREVER)
_since = partial(Tag, doc="UTC since when the alarm has been active; 0 while it is not.", unit=S)
_doubt = partial(
    Tag,
    dtype="u1",
    high=5,
    states={
        0: "none",
        1: "not measured",
        2: "stale",
        3: "out of range",
        4: "changes too fast",
        5: "stuck",
    },
)
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
    ControlTime = _memory(
        "Time controlled so far, gaps bounded: the clock of timers that outlive a restart.",
        unit=S,
        retained=True,
        access=INTERNAL,
    )
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
    WatchdogTimeout = _parameter(
        "Plan age that leads to failsafe.",
        unit=S,
        low=1,
        high=604_800,
        setting="watchdog.timeout",
    )
    WithoutLevel = _parameter(
        "What its pumps do when it has had no good level for LevelHold.",
        dtype="u1",
        states={0: "stop", 1: "default", 2: "hold"},
        setting="limits.without_level",
    )
    LevelHold = _seconds(
        "How long its pumps hold their setpoints after the level is lost.",
        area=Area.PARAMETER,
        setting="limits.level_hold",
    )
    WellArea = _parameter(
        "Surface of the well or tank; 0 if not known.",
        unit=Unit.SQUARE_METRE,
        low=0.0,
        high=1e6,
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
        "Level of the well or tank: median of the good measurements.",
        quality="LevelQuality",
        register=4,
    )
    LevelQuality = _quality("Quality of the level.", register=6)
    LevelSensors = _memory("How many good measurements the level has.", dtype="u1", register=18)
    LevelSpread = _level("Between the lowest and the highest good level.", low=0.0, register=10)
    LevelsDiffer = _flag(
        "The good levels of the station differ by more than allowed.",
        recorded=True,
        register=2,
        alarm=Alarm(
            3,
            "one of the level sensors drifts or is fouled",
            "control goes on with the median; with two sensors that is their mean",
            "compare the sensors with the well and clean or calibrate the one that is wrong",
        ),
    )
    LevelsDifferSince = _since()
    LevelLostTime = _seconds("How long the station has had no good level.", register=20)
    Inflow = _flow(
        "Estimated inflow of a well, or consumption of a tank.",
        quality="InflowQuality",
        register=12,
    )
    InflowQuality = _quality("Quality of the estimated inflow.")
    InflowLevel = _level("Level that the estimate last saw.", access=INTERNAL)
    PumpsWanted = _memory(
        "Level-controlled pumps that shall run.", dtype="u4", retained=True, register=14
    )
    LeadPump = _memory(
        "Slot of the lead of the level-controlled pumps, counted from 1; 0 if there is none.",
        dtype="u4",
        register=16,
    )
    StageUpTime = _seconds("How long one more level-controlled pump has been due.")
    StageDownTime = _seconds("How long one less level-controlled pump has been due.")
    Relieved = _memory(
        "Slot of the level-controlled pump that has run longest and stops when another has taken"
        " over, counted from 1; 0 if none does.",
        dtype="i8",
        access=INTERNAL,
    )
    Reliever = _memory("Slot of that other pump, counted from 1.", dtype="i8", access=INTERNAL)
    PumpsDue = _memory("Pumps that level control means to run.", dtype="i8", access=INTERNAL)
    PumpsRun = _memory("Available pumps that level control runs.", dtype="i8", access=INTERNAL)
    DutyPumps = _memory("Pumps of role duty.", dtype="i8", access=INTERNAL)
    NextToLead = _memory(
        "Slot of the running pump that may lead, counted from 1; 0 if none runs.",
        dtype="i8",
        access=INTERNAL,
    )
    NextToStart = _memory(
        "Slot of the next level-controlled pump to start, counted from 1; 0 if none can.",
        dtype="i8",
        access=INTERNAL,
    )
    NextToStop = _memory(
        "Slot of the next level-controlled pump to stop, counted from 1; 0 if none runs.",
        dtype="i8",
        access=INTERNAL,
    )
    LevelOutput = _memory(
        "Speed that its level-controlled pumps share, before limits.", unit=HZ, access=INTERNAL
    )
    StartDue = _flag("The level is at the start level of one of its pumps.", access=INTERNAL)
    SomeRuns = _flag("One of its pumps runs, or is about to.", access=INTERNAL)
    GuardsRun = _flag("One of its pumps was chosen to run at start level.", access=INTERNAL)
    SparePump = _memory(
        "Slot of the pump that takes over next, counted from 1; 0 if none can.",
        dtype="u4",
        access=INTERNAL,
    )
    GuardPump = _memory(
        "Slot of the pump that its start level runs, counted from 1; 0 if none.",
        dtype="u4",
        access=INTERNAL,
    )
    GuardRank = _memory("How well that pump serves.", dtype="u1", access=INTERNAL)
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
    StartLevel = _level("Level at which a pump must run in any mode.", area=Area.PARAMETER)
    StopLevel = _level("Level at which no pump may go on in any mode.", area=Area.PARAMETER)
    AllRunLevel = _level("Level at which all pumps must run in any mode.", area=Area.PARAMETER)
    HardMaxPower = _power("Highest power allowed.", area=Area.PARAMETER)
    HardMaxFlow = _flow("Highest flow allowed.", area=Area.PARAMETER)
    MaxSpeedChange = Tag(
        "Fastest change of the setpoint.",
        unit=Unit.HERTZ_PER_SECOND,
        low=0,
        high=100,
        area=Area.PARAMETER,
    )
    MaxStartsPerHour = _parameter("Starts allowed in a sliding hour.", low=1, high=STARTS_KEPT)
    MinRun = _seconds("Shortest run.", area=Area.PARAMETER)
    MinOff = _seconds("Shortest pause.", area=Area.PARAMETER)
    MaxRun = _seconds("Longest run.", area=Area.PARAMETER)
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
    LevelResetTime = _seconds(
        "Reset (integral) time of the level controller.",
        area=Area.PARAMETER,
        setting="level_control.reset_time",
    )
    LevelDerivativeTime = _seconds(
        "Derivative time of the level controller.",
        area=Area.PARAMETER,
        setting="level_control.derivative_time",
    )
    LevelFilterTime = _seconds(
        "Time constant of the derivative's filter.",
        area=Area.PARAMETER,
        setting="level_control.filter_time",
    )
    LevelTrackingTime = _seconds(
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
    LevelDeadband = _level(
        "Level error that is taken as none.",
        low=0.0,
        area=Area.PARAMETER,
        setting="level_control.deadband",
    )
    LevelStartBand = _level(
        "Level error at which the first pump starts.",
        low=0.0,
        area=Area.PARAMETER,
        setting="level_control.start_band",
    )
    LevelStopBand = _level(
        "Level error on the other side at which the last pump stops.",
        low=0.0,
        area=Area.PARAMETER,
        setting="level_control.stop_band",
    )
    LevelRole = _parameter(
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
    PowerResetTime = _seconds(
        "Reset (integral) time of the power controller.",
        area=Area.PARAMETER,
        setting="power_control.reset_time",
    )
    PowerFeedForward = _share(
        "Share of the learned speed for the asked power that is fed forward.",
        setting="power_control.feed_forward",
    )

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
    SpeedDoubt = _doubt("Why the speed is not Good.")
    PowerDoubt = _doubt("Why the power is not Good.")
    FlowDoubt = _doubt("Why the flow is not Good.")
    LevelDoubt = _doubt("Why the level is not Good.", register=56)
    SpeedTime = _memory("When the accepted speed was measured.", unit=S, access=INTERNAL)
    PowerTime = _memory("When the accepted power was measured.", unit=S, access=INTERNAL)
    FlowTime = _memory("When the accepted flow was measured.", unit=S, access=INTERNAL)
    LevelTime = _memory("When the accepted level was measured.", unit=S, access=INTERNAL)
    SpeedStill = _seconds("How long the running pump's speed has been the same.", access=INTERNAL)
    PowerStill = _seconds("How long the running pump's power has been the same.", access=INTERNAL)
    FlowStill = _seconds("How long the running pump's flow has been the same.", access=INTERNAL)
    LevelStill = _seconds("How long the level has been the same.", access=INTERNAL)
    Running = _flag("The pump runs.", quality="RunningQuality", recorded=True, register=1)
    RunningQuality = _quality("Quality of the running and local control feedback.", register=28)
    LocalControl = _flag("The pump is under local control.", quality="RunningQuality", register=2)

    Turning = _flag(
        "The pump runs as observed, or as commanded where that is not known.", register=16
    )
    RunTime = _seconds("How long it has been running; 0 at rest.", retained=True, register=42)
    OffTime = _seconds("How long it has been at rest; 0 while it runs.", retained=True, register=44)
    TotalRunTime = _memory(
        "How long it has run in all.",
        unit=Unit.HOUR,
        high=1e6,
        retained=True,
        register=46,
    )
    Starts = _memory(
        "Starts of the motor, local ones included.", dtype="u8", retained=True, register=48
    )
    StartsLastHour = _memory("Starts in the last hour.", dtype="u1", register=40)
    StartCounted = _flag("The commanded start is counted and not yet observed.", access=INTERNAL)
    Commanded = _flag("The setpoint was above 0 when run times were last taken.", access=INTERNAL)
    StartHeld = _memory(
        "What holds back a start, as bits; 0 if it may start.",
        dtype="u1",
        high=3,
        flags={0: "starts per hour", 1: "minimum off time"},
    )

    PowerCurve1 = _power("Power learned at the lowest speed; 0 if none is.", retained=True)
    PowerCurve2 = _power("Power learned a quarter of the way up; 0 if none is.", retained=True)
    PowerCurve3 = _power("Power learned half way up; 0 if none is.", retained=True)
    PowerCurve4 = _power("Power learned three quarters of the way up; 0 if none is.", retained=True)
    PowerCurve5 = _power("Power learned at the highest speed; 0 if none is.", retained=True)
    FlowCurve1 = _flow("Flow learned at the lowest speed; 0 if none is.", retained=True)
    FlowCurve2 = _flow("Flow learned a quarter of the way up; 0 if none is.", retained=True)
    FlowCurve3 = _flow("Flow learned half way up; 0 if none is.", retained=True)
    FlowCurve4 = _flow("Flow learned three quarters of the way up; 0 if none is.", retained=True)
    FlowCurve5 = _flow("Flow learned at the highest speed; 0 if none is.", retained=True)
    CurveLow = _memory(
        "Speed of the lowest node of the curves.", unit=HZ, access=INTERNAL, retained=True
    )
    CurveHigh = _memory(
        "Speed of the highest node of the curves.", unit=HZ, access=INTERNAL, retained=True
    )
    ExpectedPower = _power("Power that the learned curve expects now; 0 if unknown.", register=50)
    ExpectedFlow = _flow("Flow that the learned curve expects now; 0 if unknown.", register=52)
    SteadyTime = _seconds(
        "How long speed, setpoint and feedback have been steady.", access=INTERNAL
    )
    SteadySpeed = _memory("Speed about which they are.", unit=HZ, access=INTERNAL)

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
    LevelStop = _flag(
        "The level is at its stop level: no mode runs the pump.", retained=True, register=13
    )
    LevelStart = _flag(
        "The level is at its start level: a pump of the station must run.",
        retained=True,
        register=14,
    )
    AllRun = _flag(
        "The level is at its all-run level: the pump must run.",
        retained=True,
        recorded=True,
        register=15,
        alarm=Alarm(
            2,
            "more comes in than the pumps were asked to move, or a pump does not deliver",
            "all pumps of the station that can run do, at full speed",
            "check the pumps and the inflow; the well may overflow",
        ),
    )
    AllRunSince = _since()

    DirectDemand = _speed("What the direct speed calculator asks for.")
    Available = _flag("Level control may run the pump.", register=17)
    LevelDemand = _speed("What the level controller asks for.")
    LevelIntegral = _memory("Integral part of the level controller.", unit=HZ, retained=True)
    LevelSeen = _memory("Level of the last scan.", unit=M, access=INTERNAL)
    LevelSlope = _memory("Filtered rise of the level, m/s.", access=INTERNAL)
    LevelError = _memory("Level error of the last scan.", unit=M, access=INTERNAL)
    LevelAim = _memory("Target of the last scan.", unit=M, access=INTERNAL)
    LevelForward = _memory("Speed for the inflow of the last scan.", unit=HZ, access=INTERNAL)
    LevelOffset = _memory("Output without its integral, last scan.", unit=HZ, access=INTERNAL)
    LevelOutput = _memory("Output before limits, last scan.", unit=HZ, access=INTERNAL)
    LevelPumps = _memory(
        "Pumps that this controller led in the last scan; 0 if it tracked.",
        dtype="u4",
        access=INTERNAL,
    )
    LevelRun = _flag("The level controller wants the pump to run.", retained=True)
    LevelEngaged = _flag("Level control is in charge of the pump.")
    PowerDemand = _speed("What the power controller asks for.")
    PowerIntegral = _memory("Integral part of the power controller.", unit=HZ, retained=True)
    PowerOffset = _memory("Output without its integral, last scan.", unit=HZ, access=INTERNAL)
    PowerOutput = _memory("Output before limits, last scan.", unit=HZ, access=INTERNAL)
    PowerError = _memory("Power error of the last scan.", unit=KW, access=INTERNAL)
    PowerAim = _memory("Target of the last scan.", unit=KW, access=INTERNAL)
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
        high=5,
        states={
            0: "Default",
            1: "Plan",
            2: "Manual",
            3: "Failsafe",
            4: "EmergencyStop",
            5: "Local",
        },
        recorded=True,
        register=18,
    )
    Demand = _speed("The demand in force, before guards and limits.", register=30)
    GuardRun = _flag("Chosen to run because the level is at its start level.", retained=True)
    RelievedBy = _memory(
        "Slot of the pump that runs in its place, counted from 1; 0 if none does.", dtype="u4"
    )
    Guarded = _memory(
        "Guards that changed the demand, as bits; 0 if none.",
        dtype="u1",
        high=31,
        flags={
            0: "stop level",
            1: "start level",
            2: "all-run level",
            3: "maximum run time",
            4: "in place of another",
        },
    )
    Command = _speed("The demand as the guards leave it.", register=54)
    Usable = _flag(
        "Duty may run the pump: in use, not stopped, tripped or under local control.",
        access=INTERNAL,
    )

    LowLimit = _speed("Lowest running speed in force.", register=32)
    HighLimit = _speed("Highest speed in force.", register=34)
    Limited = _memory(
        "Limits that acted in this scan, as bits; 0 if none.",
        dtype="u4",
        high=4095,
        flags={
            0: "speed",
            1: "rate",
            2: "level",
            3: "level lost",
            4: "power",
            5: "flow",
            6: "not a number",
            7: "starts per hour",
            8: "minimum off time",
            9: "minimum run time",
            10: "maximum run time",
            11: "level guard",
        },
        recorded=True,
        register=36,
    )
    SpeedExtreme = _speed("Demand furthest outside the speed limits while they last acted.")
    RateExtreme = _speed("Most that the rate of change held back while it last acted.")
    LevelExtreme = _level("Level furthest beyond its limit while that last acted.")
    PowerExtreme = _power("Highest power while its limit last acted.")
    FlowExtreme = _flow("Highest flow while its limit last acted.")
    Adopted = _flag(
        "It is settled whether the pump was running when control began.", access=INTERNAL
    )
    LimitedBefore = _memory("Limits that acted in the last scan.", dtype="u4", access=INTERNAL)
    Allowed = _memory("Speed that may be wanted, however long it takes.", unit=HZ, access=INTERNAL)
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
    UncommandedTime = _seconds("How long it has run without being asked to.", access=INTERNAL)
    RunsUncommanded = _flag(
        "The pump runs although its setpoint is 0 and it is not under local control.",
        recorded=True,
        register=9,
        alarm=Alarm(
            2,
            "the drive does not obey, or someone runs the pump without the local switch",
            "the well is pumped out unasked; the pump may run dry",
            "check the drive and the local controller",
        ),
    )
    RunsUncommandedSince = _since()
    NoFlowTime = _seconds("How long it has run without flow.", access=INTERNAL)
    NoFlow = _flag(
        "The pump runs and moves nothing.",
        recorded=True,
        register=10,
        alarm=Alarm(
            2,
            "blocked impeller, closed valve, air lock, or a speed below the dead head",
            "the pump heats up and the well is not emptied",
            "check valve, impeller and flow meter",
        ),
    )
    NoFlowSince = _since()
    PowerDeviationTime = _seconds(
        "How long its power has differed from what is expected.", access=INTERNAL
    )
    PowerDeviates = _flag(
        "The power is not what this pump takes at this speed.",
        recorded=True,
        register=11,
        alarm=Alarm(
            3,
            "clogging, wear, a changed pressure in the main, or a wrong power measurement",
            "the pump costs more or delivers less than planned",
            "compare speed, power and flow with the learned curves",
        ),
    )
    PowerDeviatesSince = _since()
    FailedTime = _seconds(
        "How long it has not run though asked to; once failed, for how long that has been so.",
        access=INTERNAL,
    )
    Failed = _flag(
        "The pump was asked to run and did not; level control uses others.",
        recorded=True,
        register=12,
        alarm=Alarm(
            2,
            "the pump did not start, or stopped by itself",
            "another pump of the station runs in its place, if there is one",
            "check drive, thermal protection and local switch; it is tried again by itself",
        ),
    )
    FailedSince = _since()
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


class Start(Table):
    """The latest starts of the pumps: STARTS_KEPT rows for each, in turn."""

    At = _memory(
        "ControlTime of the start; 0 if there was none.", unit=S, access=INTERNAL, retained=True
    )


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
            7: "its cause is still there",
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


TABLES: tuple[type[Table], ...] = (System, Station, Pump, Start, Request, Bucket, Block)
SHOWN: tuple[type[Table], ...] = (System, Station, Pump)
TAGS: tuple[Tag, ...] = tuple(tag for table in TABLES for tag in table.tags())
NUMBER: dict[Tag, int] = {tag: number for number, tag in enumerate(TAGS)}


def shown(table: type[Table]) -> list[Tag]:
    """The tags of a table that the outside may see, in the order of their declaration."""
    return [tag for tag in table.tags() if tag.access is not INTERNAL]
