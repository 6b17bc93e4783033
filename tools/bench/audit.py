"""How fast the audit log is: `python -m tools.bench.audit [ENTRIES]`.

Appends entries to an embedded server of its own, in batches as the uploads do, then verifies them
as `calejo audit verify` does. Aim: 1,000,000 entries verified within 10 s.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from runtime.audit.anchors import Anchors
from runtime.audit.verification import verify
from runtime.database import audit_entries, audit_rows
from runtime.database.audit_entries import Entry
from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import migrate
from runtime.database.uploads import BATCH

AIM = 10.0  # s for a million entries


def entry(number: int) -> Entry:
    return {
        "sequence": number,
        "at": 1.7e9 + number,
        "actor": f"operator {number % 20}",
        "role": "operator",
        "protocol": "rest",
        "address": "192.168.10.17:51234",
        "action": "set emergency stop",
        "object": f"KW-NORD/{number % 100}/EmergencyStop",
        "result": "executed",
        "reason": "vibration at the drive end bearing",
        "correlation": str((1 << 62) + number),
        "details": '{"value": 1.0, "reference": 0, "scan": 123456, "latency": 0.0512}',
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="calejo-") as directory:
        Path(directory).chmod(0o711)  # root hands the server to another account
        server = EmbeddedServer(Path(directory) / "postgres", durable=False)
        server.start()
        try:
            migrate(server.dsn("calejo_owner"))
            with psycopg.connect(server.dsn("calejo_runtime"), autocommit=True) as connection:
                measure(connection, count)
        finally:
            server.stop()


def measure(connection: psycopg.Connection[tuple[object, ...]], count: int) -> None:
    began = time.monotonic()
    for first in range(0, count, BATCH):
        batch = [entry(number) for number in range(first, min(first + BATCH, count))]
        audit_entries.append(connection, "bench", batch)
    spent = time.monotonic() - began
    print(
        f"append   {count:,} entries in {spent:.1f} s: {count / spent:,.0f}/s, {BATCH:,} at a time"
    )
    began, own, server = time.monotonic(), time.process_time(), _cpu(connection)
    with audit_rows.snapshot(connection) as log:
        verdict = verify(log, Anchors())
    spent = time.monotonic() - began
    own, server = time.process_time() - own, _cpu(connection) - server
    assert verdict.intact
    assert verdict.walked.count == count
    aim = AIM * count / 1e6
    words = "met" if spent < aim else "MISSED"
    print(f"verify   {count:,} entries in {spent:.2f} s: {spent / aim:.2f} of the aim, {words}")
    print(f"         processor time: {own:.2f} s here, {server:.2f} s in the server")


def _cpu(connection: psycopg.Connection[tuple[object, ...]]) -> float:
    """Processor time of the server's process, in s: unlike time, it hardly knows other load."""
    stat = Path(f"/proc/{connection.info.backend_pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
