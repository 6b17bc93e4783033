"""`python -m tools.database_faults [CASE …]`: try the cases, write docs/database-faults.md.

With --words only the words are written anew; the figures stay as they were last measured.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from tools.database_faults.cases import CASES
from tools.database_faults.page import MEASURED, figures, page
from tools.database_faults.trial import Measured, stand

PAGE = Path(__file__).parents[2] / "docs" / "database-faults.md"


def written() -> tuple[str, str]:
    """The page as it is: what is compared, and the figures."""
    words, mark, measured = PAGE.read_text().partition(MEASURED) if PAGE.exists() else ("", "", "")
    return words, mark + measured


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.database_faults", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="only these, and no page")
    parser.add_argument("--words", action="store_true", help="write the words anew, try nothing")
    given = parser.parse_args()
    if given.words:
        PAGE.write_text(page(CASES) + "\n" + written()[1])
        return
    measured: dict[str, Measured] = {}
    load = os.getloadavg()[0]
    with stand() as on:
        for case in CASES:
            if given.cases and case.name not in given.cases:
                continue
            if case.isolated and not on.server.isolated:
                print(f"{case.name}: NOT TRIED, it needs root for a network and a disk of its own")
                continue
            measured[case.name] = one = on.attempt(case)
            print(f"{case.name}: {one}")
    if not given.cases:
        machine = f"{platform.machine()}, {os.cpu_count()} cores, load before {load:.1f}"
        PAGE.write_text(page(CASES) + "\n" + figures(measured, machine))
        print(f"{PAGE}: {len(measured)} cases")
    sys.exit(any(one.faults for one in measured.values()))


if __name__ == "__main__":
    main()
