"""`python -m tools.kill [--minutes M] [--seed S]`: what is lost when processes die at random.

A whole runtime with its embedded PostgreSQL works while its processes are killed and frozen at
random moments, pumps trip, and operators stop and clear. Exit code 0: no period was missed beyond
takeovers, no stop and no record was lost or doubled, no image was torn.
"""

from __future__ import annotations

import argparse
import os
import sys

from tools.kill.trial import attempt


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.kill", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, metavar="M")
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="the same makes the same course"
    )
    given = parser.parse_args()
    print(f"seed {given.seed}, {os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}")
    verdict = attempt(60.0 * given.minutes, given.seed)
    print("\n".join(verdict.lines()))
    print("NOTHING LOST" if not verdict.faults else "LOST:")
    for fault in verdict.faults:
        print(f"  {fault}")
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
