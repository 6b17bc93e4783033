"""A PLC after a restart of its machine."""

from __future__ import annotations

from runtime.retained import RETAINED
from tests.plc import Plc


def restarted(plc: Plc) -> Plc:
    """What a restart of the machine finds: the retained memory and nothing else."""
    other = Plc()
    for tag in RETAINED:
        other[tag][:] = plc[tag]
    return other
