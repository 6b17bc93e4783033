"""`python -m tools.mutate`: seeds faults into the blocks; a fault that no test notices is a gap.

Each fault of tools/mutate/faults is put, alone, into a copy of the project. There the tests are run
that it names, and if these pass all others of the blocks, until one fails. Exit code 1 if a fault
survives, or fits the sources no longer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from tools.mutate import trial
from tools.mutate.fault import Fault, faults, misfits
from tools.mutate.trial import Unusable, Verdict


def verdicts(chosen: Sequence[Fault | None], jobs: int) -> Iterator[Verdict]:
    """The verdict on each, several tried at a time, each in a copy of its own."""
    copies: SimpleQueue[Path] = SimpleQueue()

    def tried(fault: Fault | None) -> Verdict:
        copy = copies.get()
        try:
            return trial.test(copy, fault)
        finally:
            copies.put(copy)

    with ExitStack() as stack:
        for _ in range(jobs):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="calejo-mutate-")))
            trial.copy_to(folder)
            copies.put(folder)
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        yield from pool.map(tried, chosen)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutate", description=__doc__)
    parser.add_argument("names", nargs="*", help="of faults; all if none is given")
    parser.add_argument("--jobs", type=int, default=2, help="faults tried at a time")
    parser.add_argument("--fit", action="store_true", help="only see whether all fit the sources")
    arguments = parser.parse_args()
    known = {fault.name: fault for fault in faults()}
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"no fault is called {', '.join(unknown)}")
    chosen = [known[name] for name in arguments.names] or list(known.values())

    if found := misfits(chosen):
        print("\n".join(found), file=sys.stderr)
        return 1
    if arguments.fit:
        print(f"{len(chosen)} faults fit the sources")
        return 0
    survivors = 0
    try:
        for verdict in verdicts((None, *chosen), arguments.jobs):
            if verdict.fault is None:
                print(f"{'no fault':48} {verdict.killer or 'all tests pass'}", flush=True)
                if verdict.killer:
                    return 1
                continue
            survivors += not verdict.killer
            said = f"killed by {verdict.killer}" if verdict.killer else "SURVIVED"
            said += "" if verdict.named or not verdict.killer else ", which it does not name"
            print(f"{verdict.fault.name:48} {said} ({verdict.seconds:.0f} s)", flush=True)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(chosen) - survivors} of {len(chosen)} faults were noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
