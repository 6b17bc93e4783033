"""Device identification (function 43, MEI type 14): who we are, and what each block of a unit is.

| objects     | category | what                                                          |
|-------------|----------|---------------------------------------------------------------|
| 0, 1, 2     | basic    | vendor, product code, version                                 |
| 4, 5, 6     | regular  | product, model, and what the unit is: the stations in it      |
| 128 to 255  | extended | the blocks of the unit, as far as there is room: base and name |

3, the vendor's address, is optional and left out. Texts are ASCII; what isn't shows as "?".
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from runtime.equipment import Equipment
from runtime.registers import SYSTEM_UNITS
from runtime.servers.modbus.pdu import IDENTIFICATION, Code, Identify, Refusal

BASIC, REGULAR, EXTENDED, ONE = 1, 2, 3, 4  # ReadDeviceIdCode
CONFORMITY = 0x83  # extended identification, by stream and by object
MORE = 0xFF
LONGEST = 253  # octets of a protocol data unit
_HEAD = 7  # of them before the first object
_LAST = {BASIC: 0x02, REGULAR: 0x7F, EXTENDED: 0xFF}  # object of each category
_BLOCKS = 0x80  # the first object of the extended ones

Objects = dict[int, bytes]


def objects(equipment: Equipment, unit: int) -> Objects:
    """The objects of a unit, by number."""
    stations = [station for station in equipment.stations if station.unit == unit]
    what = "system" if unit in SYSTEM_UNITS else ", ".join(s.station_id for s in stations)
    texts = {
        0x00: "Calejo",
        0x01: "CCA",
        0x02: _version(),
        0x04: "Calejo Control Adapter",
        0x05: "Modbus TCP server",
        0x06: what,
    }
    names = sorted(_names(equipment, unit))[: _LAST[EXTENDED] - _BLOCKS + 1]
    texts |= {_BLOCKS + n: f"{base}: {name}" for n, (base, name) in enumerate(names)}
    most = LONGEST - _HEAD - 2
    return {number: text.encode("ascii", "replace")[:most] for number, text in texts.items()}


def answer(request: Identify, known: Objects) -> bytes:
    """As many objects as fit, from the one asked for on; raises Refusal."""
    category, first = request.category, request.object
    if category not in (BASIC, REGULAR, EXTENDED, ONE):
        raise Refusal(Code.ILLEGAL_VALUE, f"there is no category {category} of identification")
    if category == ONE:
        if first not in known:
            raise Refusal(Code.ILLEGAL_ADDRESS, f"there is no object {first}")
        wanted = [first]
    else:
        of_category = [number for number in sorted(known) if number <= _LAST[category]]
        # The standard has a stream begin anew that asks for an object that isn't there.
        start = of_category.index(first) if first in of_category else 0
        wanted = of_category[start:]
    body, told = b"", 0
    for number in wanted:
        entry = bytes((number, len(known[number]))) + known[number]
        if _HEAD + len(body) + len(entry) > LONGEST:
            break
        body += entry
        told += 1
    more, following = (MORE, wanted[told]) if told < len(wanted) else (0, 0)
    return bytes((43, IDENTIFICATION, category, CONFORMITY, more, following, told)) + body


def _names(equipment: Equipment, unit: int) -> Iterator[tuple[int, str]]:
    if unit in SYSTEM_UNITS:
        yield 0, "system"
    for station in equipment.stations:
        if station.unit == unit:
            yield station.base, f"station {station.station_id}"
    for pump in equipment.pumps:
        if pump.unit == unit:
            yield pump.base, f"pump {pump.pump_id} of {pump.station_id}, {pump.name}"


def _version() -> str:
    try:
        return version("calejo")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "0"
