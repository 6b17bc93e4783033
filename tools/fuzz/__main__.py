"""`python -m tools.fuzz modbus --frames 1000000 --seed 1`, `… opcua --messages 100000 --seed 1`.

Malformed messages for the real server. Ends with 1 at the first fault.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from tools.fuzz import opcua_trial
from tools.fuzz.trial import Fallen


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    servers = parser.add_subparsers(metavar="SERVER", required=True)
    for name, run, noun, count in (
        ("modbus", _modbus, "--frames", 1_000_000),
        ("opcua", _opcua, "--messages", 100_000),
    ):
        parsed = servers.add_parser(name)
        parsed.add_argument(noun, dest="count", type=int, default=count)
        parsed.add_argument("--seed", type=int, default=1)
        parsed.set_defaults(run=run)
    given = parser.parse_args()
    given.run(given.count, given.seed)


def _modbus(count: int, seed: int) -> None:
    modbus = importlib.import_module("tools.fuzz.modbus")
    try:
        found = modbus.fuzz(count, seed)
    except modbus.Fault as fault:
        sys.exit(f"FAULT with seed {seed}: {fault}")
    sys.stdout.write(
        f"{found.frames:,} frames in {found.seconds:.0f} s: {found.answers:,} answers, of them"
        f" {found.exceptions:,} exceptions; {found.closed:,} connections closed as they had to be;"
        f" {found.asked:,} requests to the scan; memory {found.grown / 1e6:+.1f} MB; no fault\n"
    )


def _opcua(count: int, seed: int) -> None:
    with opcua_trial.server() as server:
        try:
            opcua_trial.fire(server, count, seed)
        except Fallen as fault:
            sys.exit(f"FAULT with seed {seed}: {fault}\n{server.tail()}")


if __name__ == "__main__":
    main()
