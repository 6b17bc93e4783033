"""`python -m tools.mutate`: seeds faults into the blocks; a fault that no test notices is a gap.

Each fault of tools/mutate/faults is put, alone, into a copy of the project. There the tests are run
that it names, and if these pass all others of the blocks, until one fails. Exit code 1 if a fault
survives or fits the sources no longer, or if tests fail without any.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

from tools.mutate import trial
from tools.mutate.fault import Fault, faults, misfits
from tools.mutate.trial import Unusable, Verdict


@contextmanager
def copy() -> Iterator[Path]:
    """A copy of the project, for a while."""
    with tempfile.TemporaryDirectory(prefix="calejo-mutate-") as folder:
        trial.copy_to(Path(folder))
        yield Path(folder)


def verdicts(chosen: Sequence[Fault], jobs: int) -> Iterator[Verdict]:
    """The verdict on each, several tried at a time, each in a copy of its own."""
    copies: SimpleQueue[Path] = SimpleQueue()

    def tried(fault: Fault) -> Verdict:
        folder = copies.get()
        try:
            return trial.test(folder, fault)
        finally:
            copies.put(folder)

    with ExitStack() as stack:
        for _ in range(jobs):
            copies.put(stack.enter_context(copy()))
        yield from stack.enter_context(ThreadPoolExecutor(jobs)).map(tried, chosen)


def try_all(chosen: Sequence[Fault], jobs: int) -> int:
    """Say of each fault which test noticed it; the number of those that none did."""
    named = sorted({name for fault in chosen for name in fault.killers})
    with copy() as folder:
        if broken := trial.first_failure(folder, named):
            raise Unusable(f"{broken} fails without any fault")
    survivors = 0
    for verdict in verdicts(chosen, jobs):
        survivors += not verdict.killer
        said = f"killed by {verdict.killer}" if verdict.killer else "SURVIVED"
        said += "" if verdict.named or not verdict.killer else ", which it does not name"
        print(f"{verdict.fault.name:50} {said} ({verdict.seconds:.0f} s)", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} faults were noticed")
    return survivors


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
    try:
        return 1 if try_all(chosen, arguments.jobs) else 0
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
