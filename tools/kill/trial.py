"""One course on one runtime, from start to verdict."""

from __future__ import annotations

import time

import psycopg

from runtime.database.embedded import EmbeddedServer
from tools.kill.course import course
from tools.kill.strikes import Striker
from tools.kill.verdict import Verdict
from tools.kill.watch import Watch
from tools.rig import bed, site
from tools.rig.whole import Whole, until
from tools.simulate import sample

RETURN = 60.0  # s for all processes to be back: one that was killed often waits up to 10 s


def attempt(seconds: float, seed: int) -> Verdict:
    """Run the course of a seed and find out what it did."""
    with bed.directory() as root:
        whole = Whole(root, {})
        server = EmbeddedServer(whole.places.postgres)
        try:
            whole.start()
            with sample.wait_for_schema(lambda: server.dsn("calejo_owner")) as connection:
                site.enter(connection)
            whole.wait_for("scan", "recorder", "database", "rest", "opcua", "modbus", "standby")
            plant = site.Plant(lambda: server.dsn("calejo_owner"), seed)
            with bed.running(whole, server.dsn("calejo_owner"), plant) as running:
                return _struck(running, seconds, seed)
        finally:
            whole.end()


def _struck(running: bed.Bed, seconds: float, seed: int) -> Verdict:
    whole, told = running.whole, running.operators.told
    watches = [Watch(whole, told), Watch(whole, told)]
    striker = Striker(whole)
    began = time.monotonic()
    for watch in watches:
        watch.start()
    striker.run(course(seconds, seed))
    stalls = running.stalled(began)
    seen, other = (watch.end() for watch in watches)
    seen.torn += other.torn
    seen.snapshots += other.snapshots
    whole.wait_for("scan", "recorder", "rest")
    until(lambda: _answers(running), RETURN, "PostgreSQL", 0.1)
    found = running.settled()
    return Verdict(seconds, whole.config.period, striker.struck, seen, told, found, stalls)


def _answers(running: bed.Bed) -> bool:
    try:
        psycopg.connect(running.dsn, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True
