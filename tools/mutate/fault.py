"""Faults that someone might well make in a block, as exact replacements in its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FAULTS = Path(__file__).parent / "faults"


class Misfit(Exception):
    """A fault that no longer fits the source; the message says which and why."""


@dataclass(frozen=True)
class Fault:
    """One wrong line. `means` says what it would do to a plant; `killers` are the names of test
    files that probably notice it, so that they are tried first."""

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
        return source.replace(self.old, self.new)


def faults() -> list[Fault]:
    """All faults, in the order of their files."""
    return [
        Fault(**{**entry, "killers": tuple(entry["killers"])})
        for file in sorted(FAULTS.glob("*.toml"))
        for entry in tomllib.loads(file.read_text())["fault"]
    ]
