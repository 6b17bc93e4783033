"""Whose demand a pump obeys, and how the level guards change it."""

from __future__ import annotations

from runtime.tag import Table
from runtime.tags.kinds import INTERNAL, REQUEST, flag, memory, speed


class Commands(Table):
    """From the demand in force to the command."""

    Mode = memory(
        "Who commands the pump outside emergencies.",
        dtype="u1",
        high=1,
        states={0: "Auto", 1: "Manual"},
        access=REQUEST,
        retained=True,
        recorded=True,
        stored=True,
        register=2,
    )
    ManualSetpoint = speed(
        "Setpoint in manual mode; switching to manual takes over the setpoint in force.",
        access=REQUEST,
        retained=True,
        within=("MinSpeed", "MaxSpeed"),
        stored=True,
        register=4,
    )
    Authority = memory(
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
        stored=True,
        register=18,
    )
    Demand = speed("The demand in force, before guards and limits.", stored=True, register=30)
    GuardRun = flag("Chosen to run because the level is at its start level.", retained=True)
    RunsOn = flag(
        "Runs on after the all-run level, as it may not be started again yet.", retained=True
    )
    RelievedBy = memory(
        "Slot of the pump that runs in its place, counted from 1; 0 if none does.", dtype="u4"
    )
    Guarded = memory(
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
    Command = speed("The demand as the guards leave it.", stored=True, register=54)
    Usable = flag(
        "Duty may run the pump: in use, not stopped, tripped or under local control.",
        access=INTERNAL,
    )
