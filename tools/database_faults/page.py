"""The page of the cases: what happens, what is seen, what comes back, what was last measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from blocks.watchdog import DATABASE_PATIENCE
from runtime.tag import Tag
from runtime.tags import Station, System
from tools.database_faults.case import Case
from tools.database_faults.trial import Measured
from tools.rig.site import WATCHDOG

MEASURED = "## Latest measured figures"
_HEAD = """# When the database fails

What the runtime does, case by case. Each row is a case of `tools/database_faults/cases.py`: a test
strikes a real PostgreSQL with it while a whole runtime works, its pumps meet limits and operators
stop and clear, and holds the runtime to what stands here, the words of health included (… stands
for what differs). `python -m tools.database_faults` tries all cases and writes this page.

In every case:

- **The scan misses no period.** It never waits for the database; it goes on with the last plans
  and feedback, each as old as it is.
- **Emergency stops are set and cleared as ever**, over every protocol.
- **Nothing is lost.** Events, requests and answers wait on disk, in the spool, and are in the
  tables exactly once afterwards.
- **Failsafe comes by the age of the plan** (WatchdogTimeout of the station), not by the loss of the
  connection, and goes by itself with the next plan or heartbeat.
- **Recovery needs nobody**: the bar is 2 s from the server's return.
"""
_NOT_LOST = "DatabaseFull; FeedbackLost once feedback is refused"


def page(cases: Sequence[Case]) -> str:
    """All of the page that the cases decide."""
    return "\n".join([_HEAD, *_alarms(), *_table(cases)])


def _alarms() -> Iterator[str]:
    yield "## Alarms"
    yield ""
    yield "| alarm | after | cause | consequence | what to do |"
    yield "| --- | --- | --- | --- | --- |"
    yield _alarm(System.DatabaseLost, f"{DATABASE_PATIENCE:g} s without an answer")
    yield _alarm(System.DatabaseFull, "a batch of records found no room")
    yield _alarm(System.UploadsStalled, "a minute in which no record got in")
    yield _alarm(System.RecordsRefused, "a record that PostgreSQL refused")
    yield _alarm(Station.Failsafe, "WatchdogTimeout without a plan or heartbeat")
    yield ""


def _alarm(tag: Tag, after: str) -> str:
    alarm = tag.alarm
    assert alarm is not None
    return f"| {tag!r} | {after} | {alarm.cause} | {alarm.consequence} | {alarm.response} |"


def _table(cases: Sequence[Case]) -> Iterator[str]:
    yield "## Cases"
    yield ""
    yield "| case | what happens | health of the database process | alarms | operators | recovery |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for case in cases:
        alarms = _NOT_LOST if case.answers else "DatabaseLost, then Failsafe"
        yield (
            f"| {case.name} | {case.happens} | `{case.health}` | {alarms} | {case.operators} |"
            f" {case.recovery} |"
        )
    yield ""


def figures(measured: Mapping[str, Measured], machine: str) -> str:
    """What was measured; never compared, since it is the machine's too."""
    lines = [
        MEASURED,
        "",
        f"{machine}. WatchdogTimeout {WATCHDOG:g} s. Times in s: health, and the alarm",
        "DatabaseLost or DatabaseFull, from the fault (bar 5 s), of recovery from the server's",
        "return (bar 2 s) until plans are in force again and health is good, of records until the",
        "last is in its table. The last plan was up to 1 s old when the fault came.",
        "",
        "| case | health | alarm | Failsafe, at plan age | recovery | records stored |"
        " scans, missed | by the machine | records, lost or doubled |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_figures(name, one) for name, one in measured.items()),
        "",
    ]
    return "\n".join(lines)


def _figures(name: str, one: Measured) -> str:
    seen = one.seen
    alarm = seen.full if seen.lost is None else seen.lost
    failsafe = "" if seen.failsafe is None else f"{seen.failsafe:.1f}, {seen.plan_age:.2f}"
    return (
        f"| {name} | {_time(seen.health)} | {_time(alarm)} | {failsafe} |"
        f" {_time(one.recovery)} | {_time(one.stored)} | {one.scans}, {one.skipped} |"
        f" {one.stalls} | {one.found.records}, {len(one.found.faults)} |"
    )


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"
