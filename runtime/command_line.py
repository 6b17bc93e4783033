"""What the commands of `calejo` are called, take and print."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import config
from runtime import (
    equipment,
    instance,
    log,
    log_levels,
    status,
    tracing,
    wells,
)
from runtime.alerts import commands as alerts
from runtime.audit import commands as audit
from runtime.audit.anchors import KeyFileError
from runtime.database.account import AccountError
from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import SchemaError, migrate
from runtime.database.postmaster import ServerError
from runtime.database.session import DatabaseAwayError
from runtime.equipment import EquipmentError
from runtime.layout import Capacity, Columns, Layout
from runtime.places import Places, StateError
from runtime.processes import of_demo
from runtime.security import commands as security
from runtime.security.accounts import AccountsError
from runtime.supervisor import StartError
from runtime.taglist import commands as tags

FAILURES = (
    *(StateError, StartError, EquipmentError, ServerError, AccountError, SchemaError),
    *(DatabaseAwayError, AccountsError, KeyFileError),
)
OWNER = "CALEJO_DATABASE_OWNER"
ENVIRONMENT = """\
environment:
  CALEJO_CONFIG          configuration file (default: scan.yaml)
  CALEJO_STATE           state directory (default: var)
  CALEJO_DATABASE        database: a DSN, or "embedded"
  CALEJO_DATABASE_OWNER  DSN of the owner of the tables, for "calejo migrate"
  CALEJO_...             any setting of scan.yaml, such as CALEJO_SERVERS_MODBUS_LISTEN
"""


def execute(arguments: Sequence[str]) -> None:
    """Run a command. What went wrong is told in plain lines, with exit code 1."""
    given = _parser().parse_args(arguments)
    log.beside_reports()
    try:
        given.command(given)
    except config.ConfigurationError as error:
        sys.exit(str(error))
    except FAILURES as error:
        sys.exit(f"calejo: {error}")
    except BrokenPipeError:
        sys.stdout = None  # its reader has gone; flushing it at the exit would fail again
    except OSError as error:
        sys.exit(f"calejo: {error.strerror or error}: {error.filename or 'a file'}")
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="calejo",
        description="Pump plans in PostgreSQL become safe setpoints for SCADA.",
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command, words in (
        ("run", _run, "run all processes until Ctrl-C or SIGTERM"),
        ("demo", _demo, "the same with sample stations, plans and a simulated plant"),
        ("check", _check, "check the configuration; tell everything that is wrong with it"),
        ("migrate", _migrate, "bring the schema of the database up to date"),
        ("status", _status, "show processes, scan and plant; exit code 0 when the scan is live"),
        ("log", _log, "show or change what the processes log, while they run"),
    ):
        parsed = commands.add_parser(name, help=words, description=words.capitalize() + ".")
        parsed.set_defaults(command=command)
        if name == "check":
            parsed.add_argument(
                "file", nargs="?", type=Path, help="configuration file (default: scan.yaml)"
            )
        if name == "log":
            levels = (*log_levels.LEVELS, log_levels.CONFIGURED)
            parsed.add_argument("level", nargs="?", choices=levels, help="the new level")
            parsed.add_argument(
                "--process",
                action="append",
                choices=log_levels.PROCESSES,
                help="of this one only (may be given several times)",
            )
    tags.add_to(commands)
    audit.add_to(commands)
    tracing.add_to(commands)
    alerts.add_to(commands)
    security.add_to(commands)
    return parser


@contextmanager
def _starting() -> Iterator[ModuleType]:
    """What checks and starts the program: loading its laws takes half a second, so only here."""
    start = importlib.import_module("runtime.start")
    try:
        yield start
    except start.ProgramError as error:
        sys.exit(str(error))


def _run(given: argparse.Namespace) -> None:
    with _starting() as start:
        start.run()


def _demo(given: argparse.Namespace) -> None:
    # Sample stations belong into no other database, whatever scan.yaml and environment say.
    os.environ.pop("CALEJO_DATABASE_FILE", None)
    os.environ["CALEJO_DATABASE"] = "embedded"
    with _starting() as start:
        start.run(of_demo())


def _check(given: argparse.Namespace) -> None:
    with _starting() as start:
        configuration = start.checked(given.file)
        columns = Columns(Layout(Capacity.of(configuration.capacity)))
        scanning = importlib.import_module("runtime.scan_process")
        scanning.rehearsed(configuration, scanning.Rehearsal(columns))
    servers = configuration.servers
    database = "embedded" if configuration.database == "embedded" else "by DSN"
    _say(
        f"{given.file or start.source()}: valid",
        f"  period    {configuration.period * 1000:g} ms",
        f"  program   {', '.join(configuration.program.order)}",
        f"  stations  {', '.join(configuration.stations) or 'all'}",
        f"  modbus    {servers.modbus.listen}",
        f"  opcua     {servers.opcua.listen}",
        f"  rest      {servers.rest.listen}",
        f"  database  {database}",
        *alerts.ways(configuration.alerts),
        *_warnings(Places.from_environment(os.environ)),
    )


def _warnings(places: Places) -> Iterator[str]:
    """What the configuration can't tell alone: it takes the stations that were last in force."""
    try:
        found = wells.warnings(equipment.load(places.equipment))
    except EquipmentError as error:
        found = [str(error)]
    yield from (f"  warning   {text}" for text in found)


def _migrate(given: argparse.Namespace) -> None:
    owner = config.secret(OWNER, os.environ)
    if owner is not None:
        applied = migrate(owner.get_secret_value())
    elif config.load(None, os.environ).database == "embedded":
        applied = _migrate_embedded(Places.from_environment(os.environ))
    else:
        sys.exit(
            f"{OWNER}: found nothing, allowed a DSN of calejo_owner or a superuser: the runtime's"
            " own role may not change tables"
        )
    _say(*[f"migrated: {name}" for name in applied] or ["the schema is up to date"])


def _migrate_embedded(places: Places) -> list[str]:
    server = EmbeddedServer(places.postgres)
    if instance.holder(places) is not None:
        return migrate(server.dsn("calejo_owner"))
    with instance.taken(places):
        try:
            server.start()
            return migrate(server.dsn("calejo_owner"))
        finally:
            server.stop()


def _status(given: argparse.Namespace) -> None:
    lines, live = status.report(Places.from_environment(os.environ))
    _say(*lines)
    sys.exit(not live)


def _log(given: argparse.Namespace) -> None:
    places = Places.from_environment(os.environ)
    if given.level:
        log_levels.change(places, given.level, given.process or log_levels.PROCESSES)
    _say(*log_levels.report(places, config.load(None, os.environ).log))


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
