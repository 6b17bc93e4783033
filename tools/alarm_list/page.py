"""The list of alarms as a page of Markdown, from their declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runtime.alarm import (
    ACTIVE,
    CONSEQUENCE,
    ENDED,
    ENDED_LATCHING,
    LONGEST_SHELVING,
    WISHES,
    WORDS,
    AlarmState,
)
from runtime.tags import ALARMS, DeclaredAlarm, System

HEAD = """\
# Alarms

Every alarm of the system (ISA-18.2): what it says, why it comes, what follows if nobody acts, and
what to do. It is declared beside its tag in `runtime/tags/`; this page is written from there by
`python -m tools.alarm_list`, and a test compares.

## The list

Priority: 1 critical, 2 high, 3 medium, 4 low. *Delays* are those of the alarm itself: most
conditions have a delay or a hysteresis of their own in the block that finds them, which `scan.yaml`
sets, and need none here.
"""

BEHIND = f"""\
## Delays and deadbands

| alarm | condition comes | condition goes |
|---|---|---|
| EmergencyStop | request | request: latched in between |
| Fault | error | restart of the scan process |
| EventsLost | the ring of events was full | ten minutes without |
| DatabaseLost | no answer for 3 s | first answer; 30 s here, longer than for FeedbackLost |
| DatabaseFull | a batch was refused for want of room | a batch was stored; 30 s here |
| UploadsStalled | a minute without a batch stored | a batch is stored, or none waits |
| RecordsRefused | a record was refused | ten minutes without |
| AuditContradicted | the newest anchor does not fit | ten minutes; latched |
| DiskLow | less than 512 MiB | more; 60 s here |
| CertificateEndsToday | 1 day before its end | it is replaced, or taken away |
| CertificateEndsThisWeek | 7 days before its end | it is replaced, or taken away |
| CertificateEndsThisMonth | 30 days before its end | it is replaced, or taken away |
| Failsafe | plan age reaches the watchdog's timeout | next plan: the age leaps, it doesn't creep |
| ScadaLost | heartbeat unchanged for `scada_timeout` | next change of it |
| LevelsDiffer | spread above `difference`; 10 s here | spread below half of it; 10 s here |
| NotFollowing | out of `tolerance` for `delay` | back inside; 30 s here |
| RunsUncommanded | for `delay` | the pump rests: a state, no measured value |
| NoFlow, PowerDeviates | for `flow_delay` | back inside; 30 s here |
| Failed | for `start_delay` | it runs, or `retry` has passed |
| FeedbackLost | older than `max_age` | fresh feedback; 10 s here |
| LevelTrip | stop, dry-run or emergency-stop level | restart level |
| AllRun | all-run level | start level |

An off-delay stands where a measured value may dance about its limit, or rows may come irregularly.
A cause has no shorter off-delay than its consequence, so that the end of the cause announces none.

## Suppressed by design

An alarm that becomes active while its cause stands is not announced; when the cause ends and the
alarm is still active, it is. What is announced already stays until somebody acknowledges it.
NotFollowing, RunsUncommanded and Failed don't occur under local control at all. A stopped pump
suppresses nothing: one that runs on although it is stopped is what must be seen. Failsafe is no
mere consequence of DatabaseLost: from then on the pumps follow no plan.

After a cold start, which may be that of the database too, DatabaseLost is suppressed until the
database was found and its alarm is over, and for no longer than 10 s while it is not found
(`blocks/watchdog.py`).

## Who may do what

Acknowledge, reset, unshelve, and shelve: operators. Shelving needs a reason and ends by itself
after at most {LONGEST_SHELVING // 3600} h of running; an alarm of priority 1 is shelved by an
engineer only. Taking out of service, and the return: engineers. Each is a request to the scan like
any other: recorded with who, when, why and from where, and answered by the scan that did it.

States outlive a restart and a power cut. After a cold start, what was active counts as active until
its condition is found again, for at most {System.MemoryAge.high:g} s, and nothing that was
acknowledged is announced anew.

## Floods

More than 10 alarms announced within 10 minutes are a flood (`System/AlarmFlood`), until fewer than
5 are. In the list of alarms, the one that came first in its station is marked: the others may
follow from it.

## States

What follows of each state while the alarm is active, while it is active together with what
suppresses it, and once it has ended; then what may be asked for.
"""

_ASKED = {
    AlarmState.NORMAL: "unshelve, return, reset",
    AlarmState.ACKNOWLEDGED: "acknowledge",
    AlarmState.SHELVED: "shelve",
    AlarmState.OUT_OF_SERVICE: "take out of service",
}
_BACK = {
    AlarmState.SHELVED: "unshelve",
    AlarmState.OUT_OF_SERVICE: "return to service",
    AlarmState.LATCHED_ACKNOWLEDGED: "reset",
}


def page() -> str:
    parts = [HEAD, _table(COLUMNS, map(_cells, _by_priority())), BEHIND]
    parts.append(_table(STATES, (_state(state) for state in AlarmState)))
    return "\n".join(parts)


COLUMNS = (
    *("alarm", "priority", "says", "cause", "consequence", "response"),
    *("delays", "latching", "suppressed by"),
)
STATES = ("state", "active", "active, suppressed", "ended", "asked for")


def _by_priority() -> list[DeclaredAlarm]:
    return sorted(ALARMS, key=lambda declared: declared.alarm.priority)


def _cells(declared: DeclaredAlarm) -> Iterator[str]:
    alarm = declared.alarm
    yield repr(declared.tag)
    yield str(alarm.priority)
    yield from (declared.tag.doc, alarm.cause, alarm.consequence, alarm.response)
    delays = {"on": alarm.on_delay, "off": alarm.off_delay}
    yield ", ".join(f"{name} {delay:g} s" for name, delay in delays.items() if delay)
    yield "yes" if alarm.latching else ""
    yield ", ".join(filter(None, (alarm.unless, alarm.caused_by)))


def _state(state: AlarmState) -> Iterator[str]:
    yield WORDS[state]
    yield WORDS[ACTIVE[state]]
    yield WORDS[CONSEQUENCE[state]]
    latching = WORDS[ENDED_LATCHING[state]]
    ended = WORDS[ENDED[state]]
    yield ended if ended == latching else f"{ended}; if latching: {latching}"
    asked = [wish for wish in AlarmState if (state, wish) in WISHES]
    yield ", ".join(_BACK[state] if wish is AlarmState.NORMAL else _ASKED[wish] for wish in asked)


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(columns)
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
