"""What is wrong with a configuration: where, what was found, what is allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

# A connection string written under the wrong key must not be echoed either.
_SECRET = re.compile(r"://[^/]*@|passw|secret", re.IGNORECASE)
_HIDDEN = "a text that is not shown because it may hold a secret"
_LONGEST = 60


@dataclass(frozen=True)
class Origin:
    """A file with its line, or an environment variable."""

    name: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.name}:{self.line}" if self.line else self.name


@dataclass(frozen=True)
class Problem:
    """One line for the engineer."""

    origin: Origin
    path: tuple[str, ...]
    found: str
    allowed: str

    def __str__(self) -> str:
        where = f"{self.origin}: {'.'.join(self.path)}" if self.path else str(self.origin)
        return f"{where}: found {self.found}, allowed {self.allowed}"


class ConfigurationError(ValueError):
    """A configuration that can't be used; `problems` holds everything wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=lambda p: p.origin.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Refused(ValueError):
    """Settings that are right one by one and wrong together."""

    def __init__(self, found: str, allowed: str) -> None:
        super().__init__(found, allowed)
        self.found = found
        self.allowed = allowed


def shown(value: object, hidden: bool = False) -> str:
    """What was found, in words that fit a line and give no secret away."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    if not text:
        return "nothing"
    if hidden or _SECRET.search(text):
        return _HIDDEN
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def meant(found: str, names: Iterable[str]) -> str:
    """The question whether the nearest of the names was meant, if one is near."""
    near = difflib.get_close_matches(found, list(names), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
