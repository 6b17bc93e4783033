"""A course of kills and freezes: the same seed makes the same course."""

from __future__ import annotations

import random
from dataclasses import dataclass

# How often each is struck, in proportion. The scan is what this is about.
VICTIMS = {
    "scan": 6,
    "standby": 1,
    "recorder": 3,
    "database": 3,
    "server": 2,  # PostgreSQL itself
    "postgres": 1,  # the process that keeps it
    "modbus": 1,
    "opcua": 1,
    "rest": 2,
    "alerts": 1,
}
EVERY = (0.4, 1.6)  # s between two strikes
FROZEN = (0.05, 3.0)  # s
FREEZES = 0.35  # share of the strikes that freeze; the others kill


@dataclass(frozen=True)
class Strike:
    """At `at` s after the beginning: kill, or freeze for some s."""

    at: float
    victim: str
    frozen: float | None


def course(seconds: float, seed: int) -> list[Strike]:
    """Strikes in the order of their times, the last well before the end."""
    dice = random.Random(seed)
    victims, weights = list(VICTIMS), list(VICTIMS.values())
    found: list[Strike] = []
    at = dice.uniform(*EVERY)
    while at < seconds:
        (victim,) = dice.choices(victims, weights)
        frozen = dice.uniform(*FROZEN) if dice.random() < FREEZES else None
        found.append(Strike(at, victim, frozen))
        at += dice.uniform(*EVERY)
    return found
