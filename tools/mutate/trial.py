"""One trial: the tests of the blocks, in a copy of the project with one fault in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tools.mutate.fault import Fault

ROOT = Path(__file__).parents[2]
PARTS = ("blocks", "runtime", "config", "tools", "tests")
FILES = ("pyproject.toml", "scan.yaml")
TESTS = "tests/blocks"
PATIENCE = 1800.0  # s
PASSED, FAILED = 0, 1  # exit codes of pytest

_FAILURE = re.compile(r"^(?:FAILED|ERROR) \S*?/?([\w.]+::\S+)", re.MULTILINE)


class Unusable(Exception):
    """The tests could not be run, so nothing is known."""


@dataclass(frozen=True)
class Verdict:
    """What the tests said. `killer` is the first that failed; nothing if all passed."""

    fault: Fault | None
    killer: str
    seconds: float


def copy_to(folder: Path) -> None:
    """What the tests of the blocks need of the project."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    for file in FILES:
        shutil.copy(ROOT / file, folder / file)


def test(folder: Path, fault: Fault | None) -> Verdict:
    """Try the tests on the copy, with a fault in it for as long as that takes."""
    if fault is None:
        return _run(folder, None)
    source = folder / fault.file
    right = source.read_text()
    source.write_text(fault.seeded(right))
    try:
        return _run(folder, fault)
    finally:
        source.write_text(right)


def _run(folder: Path, fault: Fault | None) -> Verdict:
    began = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-rfE"),
            *_order(folder, fault),
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
        raise Unusable(f"{fault.name if fault else 'no fault'}:\n{done.stdout}\n{done.stderr}")
    return Verdict(fault, failure[1] if failure else "", time.monotonic() - began)


def _order(folder: Path, fault: Fault | None) -> list[str]:
    """The test files: likely killers first, random courses last."""
    files = {file.name for file in (folder / TESTS).glob("test_*.py")}
    likely = [*fault.killers] if fault else []
    if unknown := set(likely) - files:
        raise Unusable(f"{TESTS} has no {', '.join(unknown)}")
    rest = sorted(files - set(likely), key=lambda name: (_is_random(folder, name), name))
    return [f"{TESTS}/{name}" for name in (*likely, *rest)]


def _is_random(folder: Path, name: str) -> bool:
    return "random_courses" in (folder / TESTS / name).read_text()
