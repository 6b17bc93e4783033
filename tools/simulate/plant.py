"""The simulated plant: `python -m tools.simulate.plant`.

It follows the setpoints that it reads over Modbus, as drives do, and writes what its instruments
show into `pump_feedback` once a second, as a plant's collector does. It knows the runtime only by
its Modbus map (`calejo tags --format json`) and the database only by its tables.

Three threads, so that neither an outage of the database nor one of Modbus holds up the water: one
asks for setpoints, one writes feedback, the main one is the physics. What can't be written is lost,
as with a collector without memory. A plant that is started anew goes on from the last feedback.

    CALEJO_PLANT_DSN  database, a role with `feedback_writer` (without: the embedded server's)
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import psycopg
import structlog

import config
from runtime import log
from runtime.database.postmaster import ServerError
from tools.simulate import ending, history, sites
from tools.simulate.addresses import AddressError, setpoint_addresses
from tools.simulate.instruments import Reading
from tools.simulate.master import Address, Master
from tools.simulate.sites import Connection
from tools.simulate.sizing import Machine, Site
from tools.simulate.world import World

STEP = 0.2  # s between steps of the physics and looks at the setpoints
SAMPLE = 1.0  # s between rows of feedback
RETRY = 0.5  # s
LOOK_FOR_CHANGES = 5.0  # s
DSN = "CALEJO_PLANT_DSN"

_LATEST = """
SELECT pump_id, coalesce(wet_well_level_m, 'NaN'), coalesce(actual_speed_hz, 'NaN')
FROM pump_feedback_latest
"""

logger = structlog.get_logger()


class Outage:
    """Tells of an outage once, and once of its end."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._lasts = False

    def begins(self, reason: object) -> None:
        if not self._lasts:
            logger.warning(f"{self._of} lost", reason=str(reason).strip())
        self._lasts = True

    def ends(self) -> None:
        if self._lasts:
            logger.warning(f"{self._of} back")
        self._lasts = False


class Plant:
    """What the threads share. Each attribute has one writer and is replaced as a whole."""

    def __init__(self, speed: float, seed: int) -> None:
        self.speed = speed
        self.seed = seed
        self.found = threading.Event()  # the first stations are known
        self.fresh = threading.Event()  # there is a reading to write
        self.sites: list[Site] = []
        self.known: Mapping[int, tuple[float, float]] = {}
        self.setpoints: Mapping[int, float | None] = {}
        self.reading: tuple[list[Machine], Reading, datetime] | None = None

    def run(self) -> None:
        """Be the physics, for ever."""
        self.found.wait()
        clock = time.monotonic()
        world = World(self.sites, self.seed, time.time(), clock, self.known)
        sampled, spilling = 0.0, world.state.spilling
        control = Outage("control of some drives")
        while True:
            time.sleep(STEP)
            before, clock = clock, time.monotonic()
            if world.sites != tuple(self.sites):
                world = world.changed(self.sites, clock)
                spilling = world.state.spilling
            setpoints, self.setpoints = self.setpoints, {}
            world.drives.hear([setpoints.get(m.pump_id) for m in world.machines], clock)
            world.advance((clock - before) * self.speed, clock)
            if world.drives.lost(clock).any():
                control.begins("no setpoint for a minute: they stop")
            else:
                control.ends()
            for index in (world.state.spilling & ~spilling).nonzero()[0]:
                logger.warning("overflow", station=world.sites[index].station_id)
            spilling = world.state.spilling
            if clock - sampled >= SAMPLE:
                sampled = max(sampled + SAMPLE, clock - SAMPLE / 2)
                self.reading = (world.machines, world.read(), datetime.now(UTC))
                self.fresh.set()

    def collect(self) -> None:
        """Write feedback and look for changes of the equipment, for ever."""
        outage = Outage("database")
        while True:
            try:
                with sites.connect(sites.dsn(DSN, "collector"), "plant") as connection:
                    self._collect(connection, outage)
            except (psycopg.Error, ServerError) as error:
                if self.found.is_set():
                    outage.begins(error)
                time.sleep(RETRY)

    def _collect(self, connection: Connection, outage: Outage) -> None:
        looked = float("-inf")
        while True:
            if time.monotonic() - looked > LOOK_FOR_CHANGES:
                looked = time.monotonic()
                self._look(connection)
            self.fresh.wait(SAMPLE)
            self.fresh.clear()
            reading, self.reading = self.reading, None
            if reading is not None:
                history.write(connection, history.rows(*reading))
            outage.ends()

    def _look(self, connection: Connection) -> None:
        if not self.found.is_set():
            self.known = {
                int(str(pump_id)): (float(str(level)), float(str(speed)))
                for pump_id, level, speed in connection.execute(_LATEST)
            }
        self.sites = sites.read_sites(connection)
        if self.sites:
            self.found.set()

    def listen(self, host: str, port: int) -> None:
        """Ask for the setpoints, for ever."""
        outage = Outage("Modbus")
        master = Master(host, port)
        addresses: dict[int, Address] = {}
        looked = float("-inf")
        self.found.wait()
        while True:
            began = time.monotonic()
            wanted = {machine.pump_id for site in self.sites for machine in site.machines}
            try:
                if not wanted <= addresses.keys() and began - looked > LOOK_FOR_CHANGES:
                    looked = began
                    addresses = setpoint_addresses(runtime_environment())
                asked = {pump: addresses[pump] for pump in wanted & addresses.keys()}
                values = master.read(list(asked.values()))
                self.setpoints = dict(zip(asked, values, strict=True))
                outage.ends()
            except (OSError, AddressError) as error:
                outage.begins(error)
                time.sleep(RETRY)
            time.sleep(max(0.0, STEP - (time.monotonic() - began)))


def runtime_environment() -> dict[str, str]:
    """What the runtime may know: not the plant's secret, which it refuses as unknown."""
    return {name: value for name, value in os.environ.items() if name != DSN}


def modbus_address(given: str | None) -> tuple[str, int]:
    """Where the Modbus server is: as given, or as the configuration says."""
    if given is not None:
        host, _, port = given.rpartition(":")
        return host.strip("[]"), int(port)
    listen = config.load(None, runtime_environment()).servers.modbus.listen
    return listen.host, listen.port


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.simulate.plant", description=__doc__)
    parser.add_argument("--modbus", metavar="HOST:PORT", help="without: as scan.yaml says")
    parser.add_argument("--speed", type=float, default=1.0, help="of time, 1 is real")
    parser.add_argument("--seed", type=int, default=1, help="of weather and noise")
    given = parser.parse_args()
    ending.at_once()
    log.configure("plant", "warning")
    plant = Plant(given.speed, given.seed)

    host, port = modbus_address(given.modbus)
    threading.Thread(target=plant.collect, daemon=True).start()
    threading.Thread(target=plant.listen, args=(host, port), daemon=True).start()
    plant.run()


if __name__ == "__main__":
    main()
