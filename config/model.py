"""Every setting there is: its type, range, default and meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from config.address import Address, Loopback, Reachable
from config.alerts import Alerts
from config.arrangement import arranged
from config.audit import Audit
from config.dsn import EMBEDDED, DatabaseChoice
from config.modbus import ModbusServer
from config.notation import Directory, StationNames, Whole
from config.problem import Refused
from config.program import Program
from config.quantity import Duration, Size
from config.records import History, Retention
from config.rota import YesNo
from config.settings import Settings


class Capacity(Settings):
    """How much room the image has: fixed while the system runs."""

    stations: Annotated[int, Whole(1, 10_000)] = Field(
        default=250, description="Most stations ever, retired ones included."
    )
    pumps: Annotated[int, Whole(1, 100_000)] = Field(
        default=1000, description="Most pumps ever, retired ones included."
    )


class OpcUaServer(Settings):
    """OPC UA, at the path /calejo: signed, encrypted, for applications that are trusted."""

    listen: Annotated[Address, Reachable()] = Field(
        default=Address("127.0.0.1", 4840), description="Address and port."
    )
    anonymous: Annotated[bool, YesNo()] = Field(
        default=False,
        description="Whether a trusted application may look without a user signing in. Changing "
        "anything always needs a user.",
    )
    connections: Annotated[int, Whole(1, 10_000)] = Field(
        default=128, description="Most connections at a time; one more is closed at once."
    )
    idle: Annotated[float, Duration("1 s", "1 d")] = Field(
        default=300.0, description="Longest time that a session may ask to live without a message."
    )


class RestServer(Settings):
    """HTTP: operator page, REST interface, metrics."""

    listen: Annotated[Address, Loopback()] = Field(
        default=Address("127.0.0.1", 8080), description="Address and port."
    )
    connections: Annotated[int, Whole(1, 10_000)] = Field(
        default=500, description="Most connections at a time; further ones wait."
    )
    idle: Annotated[float, Duration("1 s", "1 d")] = Field(
        default=60.0, description="Silence after which a connection is closed."
    )


class Servers(Settings):
    """The protocol servers: mirrors of the image."""

    modbus: ModbusServer = ModbusServer()
    opcua: OpcUaServer = OpcUaServer()
    rest: RestServer = RestServer()

    @model_validator(mode="after")
    def _each_at_its_own_port(self) -> Servers:
        taken: dict[int, str] = {}
        places = {name: getattr(self, name).listen for name in type(self).model_fields}
        if secure := self.modbus.secure.listen:
            places["modbus.secure"] = secure
        for name, listen in places.items():
            if listen.port in taken:
                found = f"{taken[listen.port]} and {name} at port {listen.port}"
                raise Refused(found, "a port for each")
            taken[listen.port] = name
        return self


class LogFiles(Settings):
    """Logs in files, one for each process, in place of stderr."""

    directory: Annotated[Path | None, Directory()] = Field(
        default=None, description="Where the files are; it is made if it is missing."
    )
    size: Annotated[float, Size("100 kB", "10 GB")] = Field(
        default=20e6, description="Size from which a file is renamed and a new one begun."
    )
    keep: Annotated[float, Duration("1 h", "3660 d")] = Field(
        default=30 * 86400.0, description="Age at which renamed files are removed."
    )


class Config(Settings):
    """The program: period, blocks in order, stations, servers, database."""

    period: Annotated[float, Duration("10 ms", "60 s")] = Field(
        default=0.1,
        description="Period of the scan. Unsafe when shorter than the scan's execution (periods "
        "are skipped) or so long that a trip comes too late: it takes up to one period.",
    )
    stations: Annotated[tuple[str, ...], StationNames()] = Field(
        default=(), description="Stations that this runtime controls: all, or a list of their ids."
    )
    capacity: Capacity = Capacity()
    program: Annotated[Program, BeforeValidator(arranged)]
    servers: Servers = Servers()
    database: Annotated[Literal["embedded"] | SecretStr, DatabaseChoice()] = Field(
        default=EMBEDDED,
        description="embedded, or the DSN of a PostgreSQL 14 or newer. A DSN with a password "
        "belongs into CALEJO_DATABASE, or into the file that CALEJO_DATABASE_FILE names.",
    )
    discovery: Annotated[float, Duration("1 s", "1 h")] = Field(
        default=60.0,
        description="How often stations and pumps are read anew, besides at every notification.",
    )
    alerts: Alerts = Alerts()
    history: History = History()
    retention: Retention = Retention()
    audit: Audit = Audit()
    log: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="Least level of what is logged; `calejo log` changes it while all runs.",
    )
    log_files: LogFiles = LogFiles()
