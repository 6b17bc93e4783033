"""What stops a pump, or makes it run, whatever is asked of it."""

from __future__ import annotations

from runtime.alarm import Alarm
from runtime.tag import Table
from runtime.tags.kinds import REQUEST, flag, since, stop_id


class Protection(Table):
    """Emergency stop, and the stops and starts by level."""

    EmergencyStop = flag(
        "Emergency stop of the pump: latched, cleared only by request.",
        access=REQUEST,
        retained=True,
        recorded=True,
        stored=True,
        register=0,
        alarm=Alarm(
            1,
            "an operator stopped the pump",
            "the pump is at its emergency setpoint",
            "make sure that the cause is gone, then clear the stop with a reason",
        ),
    )
    EmergencyStopSince = since()
    EmergencyStopId = stop_id("Request that set the emergency stop in force; 0 if none is.")
    Stopped = flag(
        "An emergency stop of pump, station or system is in force.", stored=True, register=4
    )

    LevelTrip = flag(
        "The level stops the pump until it is restored.",
        retained=True,
        recorded=True,
        stored=True,
        register=5,
        alarm=Alarm(
            3,
            "the level reached its stop, dry-run or emergency-stop level",
            "the pump stands until the level is restored",
            "check the inflow, the level measurement and the limits",
        ),
    )
    LevelTripSince = since()
    LevelStop = flag(
        "The level reached its stop level: no mode runs the pump until the level is restored, or"
        " has been lost for LevelHold where `without_level: default` decides.",
        retained=True,
        register=13,
    )
    LevelStart = flag(
        "The level is at its start level: a pump of the station must run.",
        retained=True,
        register=14,
    )
    AllRun = flag(
        "The level is at its all-run level: the pump must run.",
        retained=True,
        recorded=True,
        stored=True,
        register=15,
        alarm=Alarm(
            2,
            "more comes in than the pumps were asked to move, or a pump does not deliver",
            "all pumps of the station that can run do, at full speed",
            "check the pumps and the inflow; the well may overflow",
        ),
    )
    AllRunSince = since()
