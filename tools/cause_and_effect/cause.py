"""What a cause is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from runtime.tags import Pump
from tools.cause_and_effect.stand import Stand

Act: TypeAlias = Callable[[Stand], object]

CONTROL_TYPES: tuple[str, ...] = tuple((Pump.ControlType.states or {}).values())
DIRECTIONS = ("emptying", "filling")


def nothing(stand: Stand) -> None:
    pass


@dataclass(frozen=True)
class Then:
    """What is done after the effects of a cause were read, to see what releases them."""

    what: str
    act: Act = Stand.normal
    lasts: float = 40.0


GONE = (Then("cause gone"),)


@dataclass(frozen=True)
class Cause:
    """Something that happens to a station in a steady state, in which its first pump is asked for
    an amount. `before` sets parameters and `history` is what went before the cause."""

    name: str
    act: Act
    lasts: float = 60.0  # s after which the effects are read
    asked: str = "some"
    before: Act = nothing
    history: Act = nothing
    then: tuple[Then, ...] = GONE


@dataclass(frozen=True)
class Group:
    """Causes of one kind: a table of their own."""

    title: str
    causes: tuple[Cause, ...]
    direction: str = DIRECTIONS[0]


def all_of(*acts: Act) -> Act:
    """Several acts in their order."""

    def act(stand: Stand) -> None:
        for each in acts:
            each(stand)

    return act


def waits(seconds: float) -> Act:
    return lambda stand: stand.run(seconds)
