"""One trial: the tests of the blocks, in a copy of the project with one fault in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutate.fault import ROOT, TESTS, Fault

PARTS = ("blocks", "runtime", "config", "tools", "tests")
FILES = ("pyproject.toml", "scan.yaml")
PATIENCE = 1800.0  # s
PASSED, FAILED = 0, 1  # exit codes of pytest

_FAILURE = re.compile(r"^(?:FAILED|ERROR) \S*?/?([\w.]+::\S+)", re.MULTILINE)


class Unusable(Exception):
    """The tests could not be run, so nothing is known."""


@dataclass(frozen=True)
class Verdict:
    """What the tests said of a fault. `killer` is the first that failed; nothing if all passed.
    `named` says whether the fault expected that."""

    fault: Fault
    killer: str
    named: bool
    seconds: float


def copy_to(folder: Path) -> None:
    """What the tests of the blocks need of the project."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    for file in FILES:
        shutil.copy(ROOT / file, folder / file)


def test(folder: Path, fault: Fault) -> Verdict:
    """Try the tests on the copy, with the fault in it for as long as that takes."""
    began = time.monotonic()
    source = folder / fault.file
    right = source.read_text()
    source.write_text(fault.seeded(right))
    try:
        killer, named = first_failure(folder, fault.killers), True
        if not killer:
            killer, named = first_failure(folder, _others(folder, fault.killers)), False
    finally:
        source.write_text(right)
    if killer and not named and first_failure(folder, [killer.partition("::")[0]]):
        raise Unusable(f"{killer} fails without any fault")
    return Verdict(fault, killer, named, time.monotonic() - began)


def first_failure(folder: Path, files: Sequence[str]) -> str:
    """The first test of these files that fails; nothing if all pass."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-rfE"),
            *(f"{TESTS}/{name}" for name in files),
        ],
        cwd=folder,
        # Interpreted: compiling each fault anew would take longer than testing it. The time of a
        # source file is no safe sign of its change when it changes within a second.
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    failure = _FAILURE.search(done.stdout)
    if done.returncode not in (PASSED, FAILED) or (done.returncode == FAILED) != bool(failure):
        raise Unusable(f"{done.stdout}\n{done.stderr}")
    return failure[1] if failure else ""


def _others(folder: Path, named: Sequence[str]) -> list[str]:
    """All other test files of the blocks, random courses last."""
    files = {file.name for file in (folder / TESTS).glob("test_*.py")} - {*named}
    return sorted(files, key=lambda name: (_is_random(folder, name), name))


def _is_random(folder: Path, name: str) -> bool:
    return "random_courses" in (folder / TESTS / name).read_text()
