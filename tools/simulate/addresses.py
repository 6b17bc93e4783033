"""Where setpoints lie in Modbus, from the list that SCADA engineers import: `calejo tags`."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterable, Mapping

from tools.simulate.master import Address

COMMAND = (sys.executable, "-P", "-m", "runtime", "tags", "--format", "csv")


class AddressError(Exception):
    """`calejo tags` printed no list."""


def setpoint_addresses(environ: Mapping[str, str]) -> dict[int, Address]:
    """The address of each pump's setpoint, by pump id."""
    with subprocess.Popen(
        COMMAND,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        found = parse(csv.DictReader(command.stdout))
        said = command.stderr.read()
    if command.returncode:
        raise AddressError(f"calejo tags: {said.strip()}")
    return found


def parse(rows: Iterable[Mapping[str, str]]) -> dict[int, Address]:
    """The 32-bit setpoints in the list, by pump id."""
    return {
        int(row["pump"]): Address(int(row["unit_id"]), int(row["address"]))
        for row in rows
        if row["tag"] == "Setpoint" and row["type"] == "float32" and row["pump"]
    }
