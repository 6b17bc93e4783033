"""The latest starts of the pumps."""

from __future__ import annotations

from runtime.tag import Table
from runtime.tags.kinds import INTERNAL, S, memory

STARTS_KEPT = 20  # of each pump, so no more may be allowed in an hour


class Start(Table):
    """The latest starts of the pumps: STARTS_KEPT rows for each, in turn."""

    At = memory(
        "ControlTime of the start; 0 if there was none.", unit=S, access=INTERNAL, retained=True
    )
