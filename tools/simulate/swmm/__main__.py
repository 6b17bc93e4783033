"""How the real program does on EPA SWMM: a table with a row for each weather and seed.

python -m tools.simulate.swmm                        48 h of each weather
python -m tools.simulate.swmm --seeds 5 --weather storm --weather cloudburst
python -m tools.simulate.swmm --reference            and simple controls beside it
python -m tools.simulate.swmm --chain                through PostgreSQL and Modbus, in lockstep
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from runtime.database.embedded import EmbeddedServer
from runtime.database.migrations import migrate
from tools.simulate.swmm.chain import chained
from tools.simulate.swmm.lockstep import SCAN, Case, simulate
from tools.simulate.swmm.plant import Instruments
from tools.simulate.swmm.reference import Fixed, OnOff
from tools.simulate.swmm.runs import run_all
from tools.simulate.swmm.scores import Scores, score
from tools.simulate.swmm.storms import WEATHERS

HEAD = (
    f"{'weather':14} {'seed':>4} {'peak':>5} {'overflow':>8} {'dry':>4} {'level':>11} {'RMSE':>6}"
    f" {'RMSE-hi':>7} {'starts':>6} {'/h':>3} {'Wh/m³':>6} {'var':>5}\n"
    f"{'':14} {'':4} {'l/s':>5} {'m³':>8} {'s':>4} {'m':>11} {'m':>6} {'m':>7}"
)


def line(name: str, seed: int, found: Scores) -> str:
    """One row of the table."""
    return (
        f"{name:14} {seed:4d} {found.peak:5.0f} {found.overflow:8.1f} {found.dry:4.0f}"
        f" {found.lowest:5.2f}–{found.highest:4.2f} {found.rmse:6.3f} {found.rmse_high:7.3f}"
        f" {found.starts:6d} {found.starts_per_hour:3d} {found.energy:6.1f} {found.variation:5.0f}"
    )


def in_process(cases: dict[tuple[str, int], Case]) -> Iterator[str]:
    """The program alone, as many runs at a time as there are cores."""
    for (name, seed), course in zip(cases, run_all(list(cases.values())), strict=True):
        yield line(name, seed, score(course))


def references(cases: dict[tuple[str, int], Case]) -> Iterator[str]:
    """Simple controls in the same weathers."""
    for (name, seed), case in cases.items():
        yield line(f"{name}: on/off", seed, score(simulate(case, OnOff())))
        default = Fixed(35.0, 0.0, 0.0, cut_out=0.45)
        yield line(f"{name}: fixed", seed, score(simulate(case, default)))


def through_the_chain(cases: dict[tuple[str, int], Case]) -> Iterator[str]:
    """The program in its whole chain, each run on a server of its own."""
    for (name, seed), case in cases.items():
        with tempfile.TemporaryDirectory(prefix="calejo-chain-") as folder:
            root = Path(folder)
            root.chmod(0o711)  # an embedded server of root runs as somebody else
            server = EmbeddedServer(root / "postgres", durable=False)
            server.start()
            try:
                migrate(server.dsn("calejo_owner"))
                with chained(case, server.dsn, root / "var") as remote:
                    course = simulate(case, remote)
            finally:
                server.stop()
        yield line(name, seed, score(course))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.simulate.swmm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--weather", action="append", choices=WEATHERS, help="without: all")
    parser.add_argument("--hours", type=float, default=48.0)
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="of the level's noise")
    parser.add_argument("--scan", type=int, default=SCAN, metavar="S", help="1 s to 60 s")
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--chain", action="store_true")
    given = parser.parse_args()
    cases = {
        (name, seed): Case(WEATHERS[name], given.hours, Instruments(seed=seed), scan=given.scan)
        for name, seed in product(given.weather or WEATHERS, range(1, given.seeds + 1))
    }
    print(HEAD)
    for row in through_the_chain(cases) if given.chain else in_process(cases):
        print(row, flush=True)
    if given.reference:
        for row in references(cases):
            print(row, flush=True)


if __name__ == "__main__":
    main()
