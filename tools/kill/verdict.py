"""What a course of kills showed: each claim, whether it held, and the figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.kill.strikes import Struck
from tools.kill.watch import Gap, Seen
from tools.rig.ledger import Findings
from tools.rig.operators import Told

BAR = 0.010  # s of a warm takeover


@dataclass(frozen=True)
class Verdict:
    """What was found. `excused` are periods that the machine, or a double fault, took."""

    seconds: float
    period: float
    struck: Struck
    seen: Seen
    told: Told
    found: Findings
    stalls: int

    @property
    def faults(self) -> list[str]:
        """What must not be, in words; none if the runtime lost nothing."""
        return [
            *self.struck.stuck,
            *(f"torn image: {text}" for text in self.seen.torn[:5]),
            *(f"emergency stop lost: {text}" for text in self.seen.stops_lost[:5]),
            *self.found.faults,
            *self._missed(),
        ]

    def _missed(self) -> Iterator[str]:
        """Gaps of half a period too much that no takeover, freeze or standstill explains."""
        gaps = [gap for gap in self.seen.gaps if not self._explained(gap)]
        if len(gaps) > self.stalls:
            for gap in gaps[:5]:
                yield f"{gap.after - gap.before:.3f} s without a scan before scan {gap.scan}"

    def _explained(self, gap: Gap) -> bool:
        return self._late(gap) <= self.period / 2 or self._excused(gap)

    def _late(self, gap: Gap) -> float:
        """How much longer than its periods a gap is, in s."""
        return gap.after - gap.before - self.period * (1 + gap.missed)

    def _excused(self, gap: Gap) -> bool:
        return any(
            gap.before <= until and since <= gap.after for since, until in self.struck.excused
        )

    @property
    def takeover(self) -> str:
        """How the warm takeovers compare with the bar: by the middle one, for machines are busy."""
        if not self.struck.warm:
            return "none"
        met = statistics.median(self.struck.warm) <= BAR
        beyond = sum(taken > BAR for taken in self.struck.warm)
        said = "met" if met else "MISSED"
        return f"{_spread(self.struck.warm)}; bar 10 ms {said}, {beyond} beyond it; aim 4 ms"

    def lines(self) -> Iterator[str]:
        struck, seen, found = self.struck, self.seen, self.found
        yield f"{self.seconds:.0f} s, {seen.snapshots:,} snapshots read, torn: {_said(seen.torn)}"
        yield f"killed   {_counts(struck.kills)}"
        yield f"frozen   {_counts(struck.freezes)}"
        yield f"takeover {self.takeover}"
        yield f"         with no standby ready {_spread(struck.cold)}"
        yield f"periods  missed beyond takeovers: {_said(list(self._missed()))};"
        lates = [self._late(gap) for gap in seen.gaps if not self._excused(gap)]
        yield f"         latest scan {max(lates, default=0.0) * 1e3:.0f} ms after its period;"
        yield f"         missed by the machine itself meanwhile: {self.stalls}"
        yield f"stops    {found.stops} acknowledged, lost: {_said(seen.stops_lost)}"
        yield f"asked    {self.told.refused} refused, {self.told.unanswered} without an answer"
        yield f"records  {found.records} of spools, {found.edges} edges, lost or doubled: " + _said(
            found.faults
        )


def _said(faults: Sequence[str]) -> str:
    return f"NO, {len(faults)}: {faults[0]}" if faults else "0"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "nothing"


def _spread(times: Sequence[float]) -> str:
    if not times:
        return "none"
    ordered = sorted(times)
    p90 = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    return (
        f"{len(times)}: p50 {statistics.median(ordered) * 1e3:.1f} ms, p90 {p90 * 1e3:.1f} ms,"
        f" max {ordered[-1] * 1e3:.1f} ms"
    )
