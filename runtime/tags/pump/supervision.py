"""Whether a pump does what it is asked."""

from __future__ import annotations

from runtime.alarm import Alarm
from runtime.tag import Table
from runtime.tags.kinds import INTERNAL, flag, seconds, since


class Supervision(Table):
    """The alarms of a pump's behaviour, with their timers."""

    DeviationTime = seconds("How long speed and setpoint have differed.")
    NotFollowing = flag(
        "The pump does not follow its setpoint.",
        recorded=True,
        register=6,
        alarm=Alarm(
            2,
            "the measured speed has differed from the setpoint for too long",
            "the pump delivers other than planned, or nothing",
            "check the drive, local control and the speed feedback",
            off_delay=30.0,
        ),
    )
    NotFollowingSince = since()
    UncommandedTime = seconds("How long it has run without being asked to.", access=INTERNAL)
    RunsUncommanded = flag(
        "The pump runs although its setpoint is 0 and it is not under local control.",
        recorded=True,
        register=9,
        alarm=Alarm(
            2,
            "the drive does not obey, or someone runs the pump without the local switch",
            "the well is pumped out unasked; the pump may run dry",
            "find out who or what ran the pump before resetting it; check the drive",
            latching=True,
        ),
    )
    RunsUncommandedSince = since()
    NoFlowTime = seconds("How long it has run without flow.", access=INTERNAL)
    NoFlow = flag(
        "The pump runs and moves nothing.",
        recorded=True,
        register=10,
        alarm=Alarm(
            2,
            "blocked impeller, closed valve, air lock, or a speed below the dead head",
            "the pump heats up and the well is not emptied",
            "check valve, impeller and flow meter",
            off_delay=30.0,
            unless="LocalControl",
        ),
    )
    NoFlowSince = since()
    PowerDeviationTime = seconds(
        "How long its power has differed from what is expected.", access=INTERNAL
    )
    PowerDeviates = flag(
        "The power is not what this pump takes at this speed.",
        recorded=True,
        register=11,
        alarm=Alarm(
            3,
            "clogging, wear, a changed pressure in the main, or a wrong power measurement",
            "the pump costs more or delivers less than planned",
            "compare speed, power and flow with the learned curves",
            off_delay=30.0,
            unless="LocalControl",
            caused_by="NoFlow",
        ),
    )
    PowerDeviatesSince = since()
    FailedTime = seconds(
        "How long it has not run though asked to; once failed, for how long that has been so.",
        access=INTERNAL,
    )
    Failed = flag(
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
    FailedSince = since()
    FeedbackLost = flag(
        "The feedback of the pump is stale, or its station has no good level.",
        recorded=True,
        register=8,
        alarm=Alarm(
            3,
            "the plant's collector wrote no valid feedback in time",
            "the pump runs on without supervision, as `without_level` says",
            "check the collector and the instruments",
            off_delay=10.0,
            caused_by="System.DatabaseLost",
        ),
    )
    FeedbackLostSince = since()
