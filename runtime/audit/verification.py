"""Verification: the chain against itself, its head, its anchors and its starting point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from runtime.audit.anchors import ANCHOR, START, Anchor, Anchors
from runtime.audit.chain import Finding, Point, Walk, walk


@dataclass(frozen=True)
class Log:
    """The log as one snapshot of the database has it.

    `drops` are the starting points that the log's own entries of retention name, oldest first.
    """

    database: str
    head: Point
    drops: Sequence[Point]
    rows: Iterable[bytes]


@dataclass
class Verdict:
    """What verification found."""

    walked: Walk
    findings: list[Finding]
    problems: list[str]
    notes: list[str] = field(default_factory=list)
    anchored: Anchor | None = None
    anchors: int = 0

    @property
    def intact(self) -> bool:
        return not self.findings and not self.problems


def verify(log: Log, anchors: Anchors) -> Verdict:
    """Check a log. The anchors must have been read before its snapshot was taken."""
    start = max(log.drops, key=lambda point: point.number, default=Point())
    signed = anchors.of(log.database, ANCHOR)
    walked = walk(log.rows, start, {said.number for said in signed})
    findings = list(walked.findings)
    findings += _against_head(walked, log.head)
    good = _against_anchors(walked, signed, findings)
    findings += _against_starts(start, anchors.of(log.database, START), bool(signed))
    findings.sort(key=lambda finding: (finding.first, finding.last))
    verdict = Verdict(walked, findings, list(anchors.problems), list(anchors.notes))
    verdict.anchored = good[-1] if good else None
    verdict.anchors = len(good)
    foreign = {said.database for said in anchors.signed} - {log.database}
    if foreign:
        verdict.notes.append(f"anchors of other databases are left out: {', '.join(foreign)}")
    return verdict


def _against_head(walked: Walk, head: Point) -> list[Finding]:
    end = walked.end
    if end.number < head.number:
        why = f"the log ends before its head, entry {head.number}"
        return [Finding("cut off", end.number + 1, head.number, why)]
    if end.number > head.number:
        why = f"beyond the log's head, entry {head.number}: not appended by its function"
        return [Finding("inserted", head.number + 1, end.number, why)]
    if end.hash != head.hash and not walked.names(end.number):
        return [Finding("rewritten", end.number, end.number, "the log's head has another hash")]
    return []


def _against_anchors(
    walked: Walk, signed: Sequence[Anchor], findings: list[Finding]
) -> list[Anchor]:
    """Name what anchors contradict; those that hold."""
    good: list[Anchor] = []
    told = False
    known = walked.marks | {walked.start.number: walked.start.hash}
    for said in signed:
        found = known.get(said.number)
        if said.number < walked.start.number or (
            found is None and said.number <= walked.end.number
        ):
            continue  # dropped by retention; or removed, which is named already
        if found == bytes.fromhex(said.hash):
            good.append(said)
            told = False
        elif found is not None and not told and not walked.names(said.number):
            first = max([walked.start.number, *(a.number for a in good)]) + 1
            why = (
                f"one of them, and all hashes from it on, were written anew: the anchor of"
                f" {said.time} has another hash of entry {said.number}"
            )
            findings.append(Finding("rewritten", min(first, said.number), said.number, why))
            told = True
    newest = max(signed, key=lambda said: said.number, default=None)
    end = walked.end.number
    if newest is not None and newest.number > max(end, *(f.last for f in findings), 0):
        why = f"the anchor of {newest.time} has seen entry {newest.number}"
        findings.append(Finding("cut off", end + 1, newest.number, why))
    return good


def _against_starts(start: Point, signed: Sequence[Anchor], anchored: bool) -> list[Finding]:
    if not start.number or not (anchored or signed):
        return []
    if any((s.number, bytes.fromhex(s.hash)) == (start.number, start.hash) for s in signed):
        return []
    why = "dropped as by retention, but no signed starting point says so"
    return [Finding("removed", 1, start.number, why)]
