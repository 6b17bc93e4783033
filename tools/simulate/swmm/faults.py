"""What goes wrong with instruments and pumps, when, and with which of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["frozen", "zero", "nan", "lag", "dead", "failed"]
LAG = 60.0  # s


@dataclass(frozen=True)
class Fault:
    """`which` pump, or the level sensor at it, from `begin` to `end` h; which = None is all.

    | kind   | what it does                                                        |
    |--------|---------------------------------------------------------------------|
    | frozen | the level sensor goes on saying what it said when the fault began   |
    | zero   | the level sensor says 0, as with a broken wire                      |
    | nan    | the level sensor says nothing                                       |
    | lag    | the level sensor says what was true LAG s ago                       |
    | dead   | nothing at all is heard of the pump and its sensor any more         |
    | failed | the motor stands, and starts no more until the fault is over        |
    """

    kind: Kind
    which: int | None = None
    begin: float = 0.0
    end: float = float("inf")

    def acts(self, kind: Kind, which: int, time: float) -> bool:
        """Whether it is this fault; `time` in h."""
        return (
            self.kind == kind
            and (self.which is None or self.which == which)
            and self.begin <= time < self.end
        )
