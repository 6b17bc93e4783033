"""Faults that someone might well make in a block, as exact replacements in its source."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = "tests/blocks"
FAULTS = Path(__file__).parent / "faults"


class Misfit(Exception):
    """A fault that no longer fits the project; the message says which and why."""


@dataclass(frozen=True)
class Fault:
    """One wrong line. `means` says what it would do to a plant; `killers` are the names of the few
    test files that ought to notice it."""

    name: str
    means: str
    file: str
    old: str
    new: str
    killers: tuple[str, ...]

    def seeded(self, source: str) -> str:
        """The source with the fault in it."""
        found = source.count(self.old)
        if found != 1:
            raise Misfit(f"{self.name}: {self.file} contains {found} times, not once:\n{self.old}")
        wrong = source.replace(self.old, self.new)
        if wrong == source:
            raise Misfit(f"{self.name}: {self.file} would not change")
        try:
            compile(wrong, self.file, "exec")
        except SyntaxError as error:
            raise Misfit(f"{self.name}: {self.file} would be no Python: {error}") from None
        return wrong

    def fit(self, root: Path = ROOT) -> None:
        """Raise Misfit if the fault can't be seeded there, or names tests that aren't."""
        try:
            source = (root / self.file).read_text()
        except FileNotFoundError:
            raise Misfit(f"{self.name}: there is no {self.file}") from None
        self.seeded(source)
        if not self.killers:
            raise Misfit(f"{self.name}: names no test")
        if missing := [name for name in self.killers if not (root / TESTS / name).is_file()]:
            raise Misfit(f"{self.name}: {TESTS} has no {', '.join(missing)}")


def faults() -> list[Fault]:
    """All faults, in the order of their files."""
    return [
        Fault(**{**entry, "killers": tuple(entry["killers"])})
        for file in sorted(FAULTS.glob("*.toml"))
        for entry in tomllib.loads(file.read_text())["fault"]
    ]


def misfits(chosen: Iterable[Fault], root: Path = ROOT) -> list[str]:
    """Why some faults can't be tried."""
    found = []
    for fault in chosen:
        try:
            fault.fit(root)
        except Misfit as error:
            found.append(str(error))
    return found
