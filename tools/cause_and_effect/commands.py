"""Causes among plans, operators, parameters and the runtime itself."""

from __future__ import annotations

from runtime.tag import Table, Tag
from runtime.tags import Pump, Station, System
from tools.cause_and_effect.cause import Act, Cause, Group, Then, all_of, waits
from tools.cause_and_effect.small_station import FIRST, REPORTED
from tools.cause_and_effect.stand import Stand

MANUAL, AUTO = Pump.Mode.number("Manual"), Pump.Mode.number("Auto")
BY_HAND = 36.0  # Hz
SCOPES: tuple[type[Table], ...] = (Pump, Station, System)


def asks(tag: Tag, value: float) -> Act:
    """A request of an operator."""
    return lambda stand: stand.ask(tag, value)


def demands(amount: str) -> Act:
    return lambda stand: stand.plan(amount)


def sets(tag: Tag, value: float) -> Act:
    """Another value of a parameter, or of memory, of the first pump."""

    def act(stand: Stand) -> None:
        stand[tag][FIRST] = value

    return act


def action(word: str) -> Act:
    return sets(Pump.EmergencyAction, Pump.EmergencyAction.number(word))


def stops(table: type[Table]) -> Act:
    return asks(table.tag("EmergencyStop"), 1.0)


def clears(table: type[Table]) -> Act:
    def act(stand: Stand) -> None:
        stop = stand[table.tag("EmergencyStopId")].item(FIRST)
        stand.ask(table.tag("EmergencyStop"), 0.0, stop)

    return act


def cleared(table: type[Table]) -> Then:
    return Then(f"{table.__name__}.EmergencyStop cleared", clears(table))


def no_scada(stand: Stand) -> None:
    stand.scada = False


def no_heartbeat(stand: Stand) -> None:
    stand.heartbeat = False


def no_database(stand: Stand) -> None:
    stand.database = False


def no_recorder(stand: Stand) -> None:
    stand.recorder = False


def no_interval(stand: Stand) -> None:
    stand.plan("some", seconds=0.0)


def no_target(stand: Stand) -> None:
    for tag in (Pump.PlanSpeed, Pump.PlanLevel, Pump.PlanPower):
        stand[tag][:] = float("nan")


def runs_on(stand: Stand) -> None:
    """The drive doesn't obey."""
    stand.drives[FIRST] = lambda setpoint: 40.0


AUTOMATIC = Then("automatic mode requested", asks(Pump.Mode, AUTO))
by_hand = all_of(asks(Pump.Mode, MANUAL), asks(Pump.ManualSetpoint, BY_HAND))

PLANS = Group(
    "Plans",
    (
        Cause("plan asks for more", demands("more")),
        Cause("plan asks for more than the limits allow", demands("most")),
        Cause("plan asks for less than the limits allow", demands("least"), lasts=240.0),
        Cause("plan asks for nothing", demands("nothing"), lasts=120.0),
        Cause("no plan interval covers the time", no_interval),
        Cause("plan without a target of this control type", no_target),
        Cause("no plan and no heartbeat, shorter than WatchdogTimeout", no_heartbeat),
        Cause("no plan and no heartbeat for WatchdogTimeout", no_heartbeat, lasts=200.0),
        Cause("the same at rest", no_heartbeat, lasts=200.0, asked="nothing"),
        Cause("SCADA lost for scada_timeout, without_scada: default", no_scada),
        Cause("database lost, shorter than the feedback's `max_age`", no_database, lasts=9.0),
        Cause("database lost for longer than `max_age` and LevelHold", no_database),
        Cause("database lost for WatchdogTimeout", no_database, lasts=200.0),
        Cause("recorder stands still until events find no room", no_recorder),
        *(Cause(f"the database process reports {tag.name}", sets(tag, 1.0)) for tag in REPORTED),
    ),
)

OPERATORS = Group(
    "Operators",
    (
        Cause("manual mode requested", asks(Pump.Mode, MANUAL), then=(AUTOMATIC,)),
        Cause("manual mode and ManualSetpoint requested", by_hand, then=(AUTOMATIC,)),
        Cause(
            "manual mode, no plan and no heartbeat for WatchdogTimeout",
            no_heartbeat,
            lasts=200.0,
            history=all_of(by_hand, waits(60.0)),
            then=(Then("heartbeat again"), AUTOMATIC),
        ),
        Cause(
            "the same, ManualSetpoint 0",
            no_heartbeat,
            lasts=200.0,
            asked="nothing",
            history=all_of(asks(Pump.Mode, MANUAL), waits(60.0)),
            then=(Then("heartbeat again"), AUTOMATIC),
        ),
        Cause(
            "ManualSetpoint is not a number (damaged memory)",
            all_of(sets(Pump.Mode, MANUAL), sets(Pump.ManualSetpoint, float("nan"))),
            then=(AUTOMATIC,),
        ),
        *(
            Cause(
                f"{table.__name__}.EmergencyStop, EmergencyAction: {word}",
                stops(table),
                before=action(word),
                then=(cleared(table),),
            )
            for table in SCOPES
            for word in ("stop", "default")
        ),
        Cause(
            "Pump.EmergencyStop at rest, EmergencyAction: default",
            stops(Pump),
            asked="nothing",
            before=action("default"),
            then=(cleared(Pump),),
        ),
        Cause(
            "Pump.EmergencyStop and Station.EmergencyStop",
            all_of(stops(Pump), stops(Station)),
            then=(cleared(Pump), cleared(Station)),
        ),
        Cause(
            "Pump.EmergencyStop, and the pump does not stop",
            all_of(stops(Pump), runs_on),
            then=(cleared(Pump), Then("pump stands"), cleared(Pump)),
        ),
        Cause(
            "Pump.EmergencyStop and a restart after a power cut",
            Stand.restart,
            history=all_of(stops(Pump), waits(10.0)),
            then=(cleared(Pump),),
        ),
        Cause(
            "Pump.EmergencyStop and no database after a restart",
            Stand.cold_start,
            history=all_of(stops(Pump), waits(10.0)),
            then=(Then("database answers"), cleared(Pump)),
        ),
        Cause(
            "Pump.EmergencyStop in failsafe, EmergencyAction: stop",
            stops(Pump),
            history=all_of(no_heartbeat, waits(200.0)),
            then=(cleared(Pump),),
        ),
    ),
)

RUNTIME = Group(
    "Parameters and runtime",
    (
        Cause("HardMaxSpeed set below the setpoint", sets(Pump.HardMaxSpeed, 32.0)),
        Cause("HardMinSpeed set above the setpoint", sets(Pump.HardMinSpeed, 45.0)),
        Cause("pump no longer configured", sets(Pump.Configured, False)),
        Cause("another scan process takes over", Stand.start, then=()),
        Cause("restart after a power cut while the pump runs", Stand.restart, then=()),
        Cause(
            "restart after a power cut without a database, while the pump runs",
            Stand.cold_start,
            then=(Then("database answers"),),
        ),
        Cause(
            "a block fails",
            Stand.fail,
            then=(Then("another scan process takes over", Stand.recover),),
        ),
    ),
)

GROUPS = (PLANS, OPERATORS, RUNTIME)
