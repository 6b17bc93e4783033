"""A fault of the database: how it comes and goes, and what has to be seen meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tools.rig.server import OwnServer

DIFFERS = "…"  # in words that are compared: whatever stands there

Deed = Callable[[OwnServer], None]


@dataclass(frozen=True)
class Case:
    """One fault.

    `health` is what the database process says of it, word for word but for DIFFERS. `answers` says
    that the database can still be read: then it is not lost, only its tables take nothing.
    """

    name: str
    happens: str
    strike: Deed
    heal: Deed
    health: str
    operators: str
    recovery: str
    answers: bool = False
    isolated: bool = False  # needs a network or a disk of its own, so the rights of root

    def told_by(self, text: str) -> bool:
        """Whether a line of health says what it should."""
        pattern = ".*".join(re.escape(part) for part in self.health.split(DIFFERS))
        return re.match(pattern, text) is not None
