"""The tags of the runtime itself."""

from __future__ import annotations

from runtime.alarm import Alarm
from runtime.tag import Table
from runtime.tags.kinds import (
    INTERNAL,
    READ,
    REQUEST,
    S,
    flag,
    incoming,
    memory,
    parameter,
    reported,
    seconds,
    since,
    stop_id,
)


class System(Table):
    """The runtime itself: one row."""

    PlantVersion = parameter("Version of the equipment list in use.", dtype="u8", recorded=True)
    DatabaseTime = incoming("When the database last answered; 0 before it ever has.", unit=S)
    DatabaseClockSteps = incoming(
        "How often the database's clock was seen to jump.", dtype="u8", access=READ
    )

    Scan = memory("Number of this scan, counted from the first scan ever.", dtype="u8", register=0)
    Epoch = memory("How many scan processes have led so far.", dtype="u8", register=2)
    Now = memory("Start of this scan.", unit=S, access=INTERNAL)
    Elapsed = memory("Time since the previous scan, bounded.", unit=S, access=INTERNAL)
    ControlTime = memory(
        "Time controlled so far, gaps bounded: the clock of timers that outlive a restart.",
        unit=S,
        retained=True,
        access=INTERNAL,
    )
    # The scan can't say that it stands still: each mirror writes these two into its own copy.
    ImageAge = seconds(
        "Time since the scan last published, as the server sees it.", register=32, step=0.01
    )
    Live = flag("The scan runs; if not, all else is what it said last.", register=4)
    FirstScan = flag("True in the first scan of a scan process.", register=0)
    TimeUtc = memory("UTC of this scan, s since 1970; shown, never used for control.", unit=S)
    Period = memory("Period of the scan.", unit=S, low=0.01, high=60, register=4, step=0.01)
    RealTime = flag("The scan has its real-time guarantee (scheduling, locked memory).", register=1)

    Execution = seconds("Execution time of the previous scan.", register=6, step=1e-5)
    ExecutionMin = seconds("Shortest execution since the reset.")
    ExecutionMean = seconds("Mean execution since the reset.", register=8, step=1e-5)
    ExecutionMax = seconds("Longest execution since the reset.", register=10, step=1e-5)
    Lateness = seconds(
        "How late this scan began, after its place on the grid.", register=12, step=1e-5
    )
    LatenessMin = seconds("Least lateness since the reset.")
    LatenessMean = seconds("Mean lateness since the reset.")
    LatenessMax = seconds("Greatest lateness since the reset.", register=14, step=1e-5)
    Interval = seconds("Time between the beginnings of the last two scans.", register=16, step=1e-4)
    IntervalMin = seconds("Shortest interval since the reset.")
    IntervalMean = seconds("Mean interval since the reset.")
    IntervalMax = seconds("Longest interval since the reset.")
    Samples = memory("Scans since the reset of the statistics.", dtype="u8")
    Overruns = memory(
        "Scans that took longer than the period.", dtype="u8", recorded=True, register=18
    )
    Skipped = memory("Periods of the grid skipped after overruns.", dtype="u8", register=20)
    StatisticsReset = flag(
        "Resets the scan statistics; falls back by itself.", access=REQUEST, register=1
    )

    Requests = memory("Operator requests taken since the first scan.", dtype="u8", register=22)
    RequestsTaken = memory("Operator requests taken in this scan.", dtype="u4", access=INTERNAL)
    Events = memory("Events emitted since the first scan.", dtype="u8")
    EventsDropped = memory("Events that found no room in the ring.", dtype="u8", register=24)
    EventsLost = flag(
        "Events found no room in the ring within the last ten minutes.",
        recorded=True,
        register=6,
        alarm=Alarm(
            3,
            "the recorder stood still, or the disk took nothing for too long",
            "what happened in that time is missing from events and violations",
            "check the disk and the recorder in `calejo status`; the audit log says how many",
        ),
    )
    EventsLostSince = since()
    DiskLow = reported(
        "The disk of the runtime has less than 512 MiB left.",
        register=12,
        alarm=Alarm(
            2,
            "the spool grows without a database, or something else fills the disk",
            "below 256 MiB no history is recorded; a full disk keeps no event and no latch",
            "make room on the disk of the state directory; see `calejo status` for the spool",
            off_delay=60.0,
        ),
    )
    DiskLowSince = since()
    CertificateEnd = incoming(
        "UTC of the first end of a certificate in use, s since 1970; 0 while none is known.",
        unit=S,
        access=READ,
    )
    CertificateEndsToday = reported(
        "A certificate in use ends within a day, or has ended.",
        register=13,
        alarm=Alarm(
            2,
            "nobody has renewed it; only those that the runtime has made are renewed by it",
            "whoever needs it is refused: SCADA loses its connection, or can't be trusted again",
            "renew it now: `calejo certs` says which; take the old one away where a client's ended",
        ),
    )
    CertificateEndsTodaySince = since()
    CertificateEndsThisWeek = reported(
        "A certificate in use ends within 7 days.",
        register=14,
        alarm=Alarm(
            3,
            "nobody has renewed it; only those that the runtime has made are renewed by it",
            "connections that need it are refused from then on",
            "renew it: `calejo certs` says which",
            caused_by="CertificateEndsToday",
        ),
    )
    CertificateEndsThisWeekSince = since()
    CertificateEndsThisMonth = reported(
        "A certificate in use ends within 30 days.",
        register=15,
        alarm=Alarm(
            4,
            "nobody has renewed it; only those that the runtime has made are renewed by it",
            "connections that need it are refused from then on",
            "plan its renewal: `calejo certs` says which",
            caused_by="CertificateEndsThisWeek",
        ),
    )
    CertificateEndsThisMonthSince = since()

    DatabaseAge = seconds("Time since the database last answered.", register=26)
    DatabaseLost = flag(
        "The database has not answered for longer than allowed.",
        recorded=True,
        register=2,
        alarm=Alarm(
            2,
            "PostgreSQL or the database process does not answer",
            "plans and feedback age; stations go to failsafe when the watchdog expires",
            "check PostgreSQL and `calejo status`; the scan runs on without it",
            off_delay=30.0,  # so that feedback is back before its loss is announced
            unless="DatabaseAwaited",
        ),
    )
    DatabaseLostSince = since()
    DatabaseAwaited = flag(
        "After a cold start: the database is awaited, and its loss is no news yet.",
        access=INTERNAL,
    )
    DatabaseFull = reported(
        "PostgreSQL has no room left to store records.",
        register=8,
        alarm=Alarm(
            2,
            "the disk of PostgreSQL is full",
            "records wait in the spool; feedback ages where its writer is refused too",
            "make room on the disk of PostgreSQL; what waits is stored by itself then",
            off_delay=30.0,
        ),
    )
    DatabaseFullSince = since()
    UploadsStalled = reported(
        "No record has got into PostgreSQL for a minute, although it answers.",
        register=9,
        alarm=Alarm(
            3,
            "a lock, a missing right, or a fault of PostgreSQL",
            "records wait in the spool, which is bounded; reports and histories are behind",
            "read what `calejo status` says of the database; what waits is stored by itself then",
            unless="DatabaseFull",
            caused_by="DatabaseLost",
        ),
    )
    UploadsStalledSince = since()
    RefusedRecords = incoming(
        "Records that PostgreSQL refused and the audit log keeps instead.",
        dtype="u8",
        access=READ,
        register=42,
    )
    RecordsRefused = reported(
        "PostgreSQL refused records within the last ten minutes.",
        register=10,
        alarm=Alarm(
            3,
            "a rule of the database that the program does not keep: a fault of one of the two",
            "the records stand in the audit log, and are missing from the tables they belong to",
            "find them with `calejo audit search --action 'upload record'`, and report the fault",
        ),
    )
    RecordsRefusedSince = since()
    AuditContradicted = reported(
        "The audit log is not what was signed: its newest anchor does not fit.",
        register=11,
        alarm=Alarm(
            2,
            "entries were changed or removed, or an older state of the database was restored",
            "what the audit log says of the past can't be relied on",
            "run `calejo audit verify`; find out who changed or restored it before the reset",
            latching=True,
        ),
    )
    AuditContradictedSince = since()
    Heartbeat = memory(
        "Sign of life of SCADA: a number that it changes again and again, such as a counter.",
        dtype="u4",
        high=32_767,
        access=REQUEST,
        register=0,
    )
    HeartbeatTime = memory("When Heartbeat last changed.", unit=S, access=INTERNAL)
    HeartbeatAge = seconds(
        "Time since Heartbeat changed, or since the scan first ran.", register=40, step=0.1
    )
    ScadaLost = flag(
        "SCADA has given no sign of life for longer than allowed, where it has to.",
        recorded=True,
        register=7,
        alarm=Alarm(
            2,
            "SCADA does not run, or its connection is cut",
            "operators see and command nothing there; where `without_scada: default` says so,"
            " the pumps run at their default setpoints, inside all limits",
            "check SCADA and the network; use the operator page meanwhile",
        ),
    )
    ScadaLostSince = since()
    EmergencyStop = flag(
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
    EmergencyStopSince = since()
    EmergencyStopId = stop_id("Request that set the emergency stop in force; 0 if none is.")
    Fault = flag(
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
    FaultSince = since()
    FaultBlock = memory(
        "Place of the failed block in the program, from 1; 0 if none.", dtype="u1", register=28
    )
    Faults = memory("Faults since the first scan.", dtype="u8", recorded=True, register=34)
    ActiveAlarms = memory("Alarms active in the whole system.", dtype="u4", register=30)
    UnacknowledgedAlarms = memory(
        "Alarms of the whole system that wait to be acknowledged.", dtype="u4", register=36
    )
    ShelvedAlarms = memory("Alarms shelved in the whole system.", dtype="u4", register=38)
    Annunciations = memory("Alarms announced since memory was last lost.", dtype="u8")
    AlarmFlood = flag(
        "More alarms are announced than an operator can deal with.", recorded=True, register=5
    )
    MemoryAge = seconds(
        "Time controlled since all memory but the retained was lost; counts up to its highest.",
        high=300.0,
        access=INTERNAL,
    )
