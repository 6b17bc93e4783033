"""How long the scan and its blocks take."""

from __future__ import annotations

from runtime.tag import Table
from runtime.tags.kinds import INTERNAL, S, memory


class Bucket(Table):
    """Histograms of the scan: one row for each bucket, doubling from 1 µs."""

    Execution = memory("Scans whose execution fell into the bucket.", dtype="u8", access=INTERNAL)
    Lateness = memory("Scans whose lateness fell into the bucket.", dtype="u8", access=INTERNAL)
    Interval = memory(
        "Scans whose deviation from the period fell into the bucket.", dtype="u8", access=INTERNAL
    )


class Block(Table):
    """Execution of the blocks: one row for each, in the order of the program."""

    Execution = memory("Execution time in the previous scan.", unit=S, access=INTERNAL)
    Total = memory("Execution time since the reset.", unit=S, access=INTERNAL)
    ExecutionMax = memory("Longest execution since the reset.", unit=S, access=INTERNAL)
