"""Kinds of tags: what values of one nature have in common wherever they are declared."""

from __future__ import annotations

from functools import partial

from runtime.tag import Access, Area, Quality, Tag, Unit

INTERNAL, READ, REQUEST = Access.INTERNAL, Access.READ, Access.REQUEST
HZ, M, M3H, KW, S = (
    Unit.HERTZ,
    Unit.METRE,
    Unit.CUBIC_METRE_PER_HOUR,
    Unit.KILOWATT,
    Unit.SECOND,
)
FOREVER = 1e9

incoming = partial(Tag, area=Area.INPUT, access=INTERNAL)
parameter = partial(Tag, area=Area.PARAMETER)
reported = partial(Tag, area=Area.INPUT, dtype="?", high=1, recorded=True)
memory = partial(Tag, area=Area.MEMORY)
output = partial(Tag, area=Area.OUTPUT)
flag = partial(Tag, area=Area.MEMORY, dtype="?", high=1)
speed = partial(Tag, unit=HZ, low=0.0, high=100.0, step=0.01)
level = partial(Tag, unit=M, low=-20.0, high=30.0, step=0.001)
power = partial(Tag, unit=KW, low=-10.0, high=3_000.0, step=0.1)
flow = partial(Tag, unit=M3H, low=-100.0, high=30_000.0)
seconds = partial(Tag, unit=S, low=0.0, high=FOREVER)
since = partial(Tag, doc="UTC since when the alarm has been active; 0 while it is not.", unit=S)
quality = partial(
    Tag, dtype="u1", high=2, states={quality: quality.name.title() for quality in Quality}
)
stop_id = partial(Tag, dtype="u8", retained=True, high=2.0**63)
