"""What a tag is: the vocabulary in which `runtime.tags` declares every value.

A tag knows everything that memory, Modbus, OPC UA, REST, metrics and documentation need to know
of a value. Nothing about a value is written down anywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

from runtime.alarm import WORDS, Alarm


class Unit(Enum):
    """An engineering unit: symbol, UNECE Recommendation 20 code for OPC UA, suffix in SQL names.

    `deadband` is the change from which on a stored value in this unit is stored again.
    """

    NONE = ("", "", "")
    HERTZ = ("Hz", "HTZ", "_hz", 0.05)
    METRE = ("m", "MTR", "_m", 0.005)
    SQUARE_METRE = ("m²", "MTK", "_m2")
    CUBIC_METRE_PER_HOUR = ("m³/h", "MQH", "_m3h", 1.0)
    KILOWATT = ("kW", "KWT", "_kw", 0.1)
    SECOND = ("s", "SEC", "_s")
    HOUR = ("h", "HUR", "_h")
    HERTZ_PER_SECOND = ("Hz/s", "", "_hz_per_s")
    HERTZ_PER_METRE = ("Hz/m", "", "_hz_per_m")
    HERTZ_PER_KILOWATT = ("Hz/kW", "", "_hz_per_kw")

    def __init__(self, symbol: str, unece: str, suffix: str, deadband: float = 0.0) -> None:
        self.symbol = symbol
        self.unece = unece
        self.suffix = suffix
        self.deadband = deadband


class Area(Enum):
    """Where a value comes from, as IEC 61131-3 directly represented variables name it.

    Inputs and parameters are written by the database process, memory and outputs by the scan.
    """

    INPUT = "%I"
    PARAMETER = "%P"
    MEMORY = "%M"
    OUTPUT = "%Q"


class Access(Enum):
    """What the outside may do: nothing (internal), read, or read and ask for a change."""

    INTERNAL = ""
    READ = "r"
    REQUEST = "rw"


class Quality(IntEnum):
    """How far a value can be trusted. Zeroed memory is Bad."""

    BAD = 0
    UNCERTAIN = 1
    GOOD = 2


class Space(Enum):
    """The four Modbus address spaces."""

    COIL = "coil"
    DISCRETE = "discrete input"
    INPUT = "input register"
    HOLDING = "holding register"


@dataclass(eq=False)
class Tag:
    """One value of one table: one row of the System, Station or Pump table has one of each.

    `dtype` is a NumPy type code. `register` is the offset inside the Modbus block of the row;
    `step` is what one count of the scaled 16-bit view means. `quality` names the tag that says how
    good this one is; `within` names the two tags between which every encoding of this value must
    stay (0, "stopped", excepted). `states` names the values of an enumeration, `flags` the bits of
    a bit mask. `setting` names the setting of `scan.yaml` that is the default of a parameter; a
    pump may have its own in `control_parameters`. Of a `recorded` tag every change is an event; a
    `stored` one has a history, with the deadband of its unit. Table and name are filled in by the
    declaration.
    """

    doc: str
    dtype: str = "f8"
    unit: Unit = Unit.NONE
    low: float = 0.0
    high: float = 0.0
    area: Area = Area.MEMORY
    access: Access = Access.READ
    retained: bool = False
    recorded: bool = False
    stored: bool = False
    safe: float | None = None
    register: int | None = None
    step: float = 1.0
    quality: str | None = None
    within: tuple[str, str] | None = None
    states: Mapping[int, str] | None = None
    flags: Mapping[int, str] | None = None
    alarm: Alarm | None = None
    setting: str | None = None
    table: str = ""
    name: str = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def is_bool(self) -> bool:
        return self.dtype == "?"

    def number(self, word: str) -> int:
        """The number of a state, or of a flag's bit, by its word."""
        return next(n for n, w in (self.states or self.flags or {}).items() if w == word)

    @property
    def is_float(self) -> bool:
        return self.dtype.startswith("f")

    @property
    def space(self) -> Space:
        """The Modbus space that follows from type, area and access."""
        writable = self.access is Access.REQUEST
        if self.is_bool:
            return Space.COIL if writable else Space.DISCRETE
        return Space.HOLDING if writable or self.area is Area.OUTPUT else Space.INPUT

    @property
    def column(self) -> str:
        """The name of this value in SQL: HardMinSpeed in Hz is `hard_min_speed_hz`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name).lower() + self.unit.suffix

    @property
    def since(self) -> str:
        """The name of the companion tag that says since when this alarm has been active."""
        return f"{self.name}Since"

    @property
    def state(self) -> str:
        """The name of the companion tag that is the state of this alarm."""
        return f"{self.name}State"

    @property
    def shelved_until(self) -> str:
        """The name of the companion tag that says until when this alarm is shelved."""
        return f"{self.name}ShelvedUntil"

    @property
    def timer(self) -> str:
        """The name of the companion tag that times the delays of this alarm, if it has any."""
        return f"{self.name}Timer"


def _companions(tag: Tag, alarm: Alarm) -> Iterator[Tag]:
    """The tags that each alarm has beside it: they are not declared one by one."""
    yield Tag(
        f"State of the alarm {tag.name}.",
        dtype="u1",
        high=max(WORDS),
        access=Access.REQUEST,
        retained=True,
        recorded=True,
        states=WORDS,
        name=tag.state,
    )
    yield Tag(
        f"ControlTime until which {tag.name} is shelved, in whole seconds; 0 if it is not.",
        dtype="u4",
        unit=Unit.SECOND,
        access=Access.INTERNAL,
        retained=True,
        name=tag.shelved_until,
    )
    if alarm.on_delay or alarm.off_delay:
        yield Tag(
            f"How long {tag.name} has been other than its alarm.",
            unit=Unit.SECOND,
            access=Access.INTERNAL,
            name=tag.timer,
        )


class Table:
    """A set of tags with one row for each thing of its kind. Subclasses only declare tags.

    A long table is declared in parts, which it inherits: its tags stand in the order of its parts.
    A tag that declares an alarm gets its companions beside it: its state, and what that needs.
    """

    def __init_subclass__(cls) -> None:
        for tag in [tag for tag in vars(cls).values() if isinstance(tag, Tag)]:
            for companion in _companions(tag, tag.alarm) if tag.alarm else ():
                setattr(cls, companion.name, companion)
        for tag in cls.tags():
            tag.table = cls.__name__  # of a part's tags: the whole table, declared last

    @classmethod
    def tags(cls) -> Iterator[Tag]:
        declared = (tag for part in cls.__mro__ for tag in vars(part).values())
        return (tag for tag in declared if isinstance(tag, Tag))

    @classmethod
    def tag(cls, name: str) -> Tag:
        found = getattr(cls, name, None)
        if not isinstance(found, Tag):
            raise KeyError(f"{cls.__name__} has no tag {name!r}")
        return found
