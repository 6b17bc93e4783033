"""Numbers with a unit: written "20 min" or "1.5 Hz/m", held as a float in the base unit.

A number without a unit is refused: "timeout: 20" has been read as minutes by one engineer and as
seconds by the next.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from config.notation import Notation

_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"

_DIGITS = 17  # as many as a float can need; more are a fraction without end


@dataclass(frozen=True)
class Quantity(Notation[float]):
    """A quantity from `low` to `high`, both as they are written; the base unit has factor 1."""

    noun: str
    units: Mapping[str, str]
    low: str
    high: str

    @property
    def allowed(self) -> str:
        return f"{self.noun} from {self.low} to {self.high}"

    def read(self, written: object) -> float:
        """`written` in the base unit; a float is taken to be in it already."""
        value = written if isinstance(written, float) else self._parse(str(written))
        if not math.isfinite(value) or not self._parse(self.low) <= value <= self._parse(self.high):
            raise ValueError("")
        return value

    def _parse(self, text: str) -> float:
        match = re.fullmatch(rf"({_NUMBER})\s*(.*)", text.strip(), re.ASCII)
        if match is None:
            raise ValueError("")
        number, unit = match.groups()
        if not unit:
            raise ValueError("a number needs its unit: " + ", ".join(self.units))
        if unit not in self.units:
            raise ValueError("its unit is one of " + ", ".join(self.units))
        # Decimal: "100 ms" is the same float as 0.1, not the nearest one to 100 × 0.001.
        return float(Decimal(number) * Decimal(self.units[unit]))

    def write(self, value: float) -> str:
        """The largest unit that gives a number of at least 1 and loses nothing, else the base."""
        exact = Decimal(repr(value))
        for unit, factor in reversed([*self.units.items()]):
            number = (exact / Decimal(factor)).normalize()
            text = f"{number:f} {unit}"
            short = len(number.as_tuple().digits) <= _DIGITS
            if abs(number) >= 1 and short and self._parse(text) == value:
                return text
        base = next((unit for unit, factor in self.units.items() if factor == "1"), None)
        base, factor = (base, "1") if base else next(iter(self.units.items()))
        return f"{(exact / Decimal(factor)).normalize():f} {base}"

    def schema(self) -> dict[str, Any]:
        units = "|".join(re.escape(unit) for unit in self.units)
        return {
            "type": "string",
            "pattern": rf"^\s*{_NUMBER}\s*({units})\s*$",
            "title": self.allowed,
        }


Duration = partial(
    Quantity, "a duration", {"ms": "0.001", "s": "1", "min": "60", "h": "3600", "d": "86400"}
)
Length = partial(Quantity, "a length", {"mm": "0.001", "cm": "0.01", "m": "1"})
Frequency = partial(Quantity, "a frequency", {"Hz": "1"})
SpeedPerLevel = partial(Quantity, "a gain", {"Hz/m": "1"})
SpeedPerPower = partial(Quantity, "a gain", {"Hz/kW": "1"})
SpeedChange = partial(Quantity, "a rate of change", {"Hz/s": "1"})
LevelChange = partial(Quantity, "a rate of change", {"mm/s": "0.001", "cm/s": "0.01", "m/s": "1"})
PowerChange = partial(Quantity, "a rate of change", {"kW/s": "1"})
FlowChange = partial(Quantity, "a rate of change", {"m3/h/s": "1"})
Share = partial(Quantity, "a share", {"%": "0.01"})
Size = partial(Quantity, "a size", {"B": "1", "kB": "1000", "MB": "1000000", "GB": "1000000000"})
