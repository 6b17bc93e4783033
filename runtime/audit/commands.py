"""`calejo audit`: verify, search, report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import config
from runtime.audit import anchors
from runtime.audit.report import FORMATS, Report
from runtime.audit.verification import Verdict, verify
from runtime.audit.wanted import RESULTS, TIMES, Wanted, shown, since, until
from runtime.database import asking, audit_rows, audit_search
from runtime.database.asking import Row
from runtime.database.session import opened
from runtime.places import Places

NOT_INTACT = 3  # exit code
TOLD = 100  # findings that are told one by one
MOST = 100_000  # entries of a search
LONGEST_DETAILS = 200  # characters of them that a search shows; a report has all

VERIFY = """\
Recompute the hash of every entry of the audit log, and compare the log with its signed anchors.
Names every entry that was changed, removed, reordered, inserted or cut off.

exit codes: 0 intact, 3 not intact, 1 not verified (the reason is told), 2 wrong arguments
"""
REPORT = """\
Write all entries that fit as CSV, JSON, or a page of HTML for printing. The log is verified first;
the report says what came of it. Exit code 3: written, but the log is not intact.
"""


def add_to(commands: Any) -> None:
    """Add the command to those of `calejo`."""
    words = "verify the audit log, search it, make a report of it"
    parser = commands.add_parser("audit", help=words, description=words.capitalize() + ".")
    audit = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    shape = argparse.RawDescriptionHelpFormatter

    words = "check that no entry was changed, removed, reordered, inserted or cut off"
    verifying = audit.add_parser("verify", help=words, description=VERIFY, formatter_class=shape)
    verifying.set_defaults(command=_verify)
    _add_anchors(verifying)

    words = "print the newest entries that fit"
    searching = audit.add_parser("search", help=words, description=words.capitalize() + ".")
    searching.set_defaults(command=_search, parser=searching)
    _add_wanted(searching)
    searching.add_argument(
        "--limit", type=_limit, default=100, metavar="N", help="most entries (default: 100)"
    )

    words = "write the entries that fit as CSV, JSON or HTML"
    reporting = audit.add_parser("report", help=words, description=REPORT, formatter_class=shape)
    reporting.set_defaults(command=_report, parser=reporting)
    _add_wanted(reporting)
    reporting.add_argument("--format", choices=tuple(FORMATS), default="html")
    reporting.add_argument(
        "--output", type=Path, metavar="FILE", help="where to write it (default: standard output)"
    )
    _add_anchors(reporting)


def _add_wanted(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("which entries (all that is given has to fit)").add_argument
    add("--from", dest="since", type=since, metavar="TIME", help=f"happened then or later: {TIMES}")
    add("--to", dest="until", type=until, metavar="TIME",
        help="happened before that time, or until the end of that day")  # fmt: skip
    add("--user", metavar="NAME", help="who, such as operator, modbus or calejo")
    add("--action", metavar="TEXT", help="what, or a part of it, such as 'emergency stop'")
    add("--object", metavar="TEXT", help="on what, or a part of it, such as KW-NORD/1")
    add("--result", metavar="RESULT", help=f"what became of it: {RESULTS}")
    add("--text", metavar="TEXT", help="any text of an entry: reason, address, details, …")
    add("--correlation", metavar="ID", help="the id of a request")


def _add_anchors(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--anchors",
        type=_directory,
        action="append",
        default=[],
        metavar="DIRECTORY",
        help="a directory of anchors, besides that of the state directory and the configured one;"
        " may be given more than once",
    )
    parser.add_argument(
        "--public-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="believe only anchors signed by this key, kept safe elsewhere (default: the keys that"
        " lie beside the anchors); may be given more than once",
    )


def _directory(text: str) -> Path:
    if any(Path(text).glob("*.jsonl")):
        return Path(text)
    raise argparse.ArgumentTypeError(
        f"found no anchors in {text!r}, allowed a directory of *.jsonl"
    )


def _limit(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST:
        return int(text)
    raise argparse.ArgumentTypeError(f"found {text!r}, allowed a whole number from 1 to {MOST}")


def _wanted(given: argparse.Namespace) -> Wanted:
    wanted = Wanted(**{name: getattr(given, name) for name in Wanted.__dataclass_fields__})
    if wanted.since and wanted.until and wanted.since >= wanted.until:
        given.parser.error(
            f"found --from {shown(wanted.since)} and --to {shown(wanted.until)}, allowed a period"
            " that ends after it begins"
        )
    return wanted


def _sources(given: argparse.Namespace) -> tuple[config.Config, Places]:
    return config.load(None, os.environ), Places.from_environment(os.environ)


def _anchors(
    given: argparse.Namespace, configuration: config.Config, places: Places
) -> anchors.Anchors:
    second = configuration.audit.anchors
    directories = [places.audit, *([second] if second else []), *given.anchors]
    return anchors.read(directories, given.public_key)


def _verify(given: argparse.Namespace) -> None:
    configuration, places = _sources(given)
    with opened(configuration, places) as connection:
        signed = _anchors(given, configuration, places)
        with audit_rows.snapshot(connection) as log:
            verdict = verify(log, signed)
    sys.stdout.write("\n".join([f"audit log of database {log.database}:", *told(verdict)]) + "\n")
    sys.exit(0 if verdict.intact else NOT_INTACT)


def told(verdict: Verdict) -> Iterator[str]:
    """A verdict in lines."""
    wrong = [*map(str, verdict.findings), *verdict.problems]
    yield f"NOT INTACT: {len(wrong)} findings" if wrong else "intact"
    yield from (f"  {line}" for line in wrong[:TOLD])
    if len(wrong) > TOLD:
        yield f"  and {len(wrong) - TOLD} more"
    walked = verdict.walked
    yield f"  entries   {walked.count}, the newest {walked.end.number}; the hash of each recomputed"
    if walked.start.number:
        yield f"  start     after entry {walked.start.number}: retention dropped those before"
    if verdict.anchored:
        newest = f"the newest of entry {verdict.anchored.number}, {verdict.anchored.time}"
        yield f"  anchors   {verdict.anchors} hold, {newest}"
    else:
        yield "  anchors   none holds: a cut end, or a log written anew, would not be seen"
    yield from (f"  note      {note}" for note in verdict.notes)


def _search(given: argparse.Namespace) -> None:
    wanted = _wanted(given)
    with opened(*_sources(given)) as connection:
        found = audit_search.newest(asking.over(connection), wanted, given.limit + 1)
    for entry in reversed(found[: given.limit]):
        sys.stdout.write(_line(entry) + "\n")
    if not found:
        sys.stderr.write("no entry fits\n")
    elif len(found) > given.limit:
        sys.stderr.write(f"only the newest {given.limit} are shown; --limit shows more\n")


def _line(entry: Row) -> str:
    """An entry in one line; what is odd in a text stays visible."""
    whose = [entry["user"], entry["protocol"], entry["address"]]
    parts = [
        str(entry["number"]),
        shown(entry["occurred_at"]),
        " ".join(str(part) for part in whose if part),
        f"{entry['action']}: {entry['object']}" if entry["object"] else entry["action"],
        entry["result"],
        *([f'"{entry["reason"]}"'] if entry["reason"] else []),
        *([f"id {entry['correlation_id']}"] if entry["correlation_id"] else []),
        _shortened(entry["details"]),
    ]
    line = "  ".join(str(part) for part in parts)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def _shortened(details: str) -> str:
    return details if len(details) <= LONGEST_DETAILS else f"{details[:LONGEST_DETAILS]}…"


def _report(given: argparse.Namespace) -> None:
    wanted = _wanted(given)
    configuration, places = _sources(given)
    with opened(configuration, places) as connection:
        signed = _anchors(given, configuration, places)
        with audit_rows.snapshot(connection) as log, _output(given.output) as file:
            verdict = verify(log, signed)
            first, *further = told(verdict)
            facts = {
                "made at": shown(datetime.now(UTC)),
                "database": log.database,
                **{f"asked for: {name}": value for name, value in wanted.words.items()},
                "chain": "; ".join([first, *(line.strip() for line in further)]),
                "head": f"entry {log.head.number}, hash {log.head.hash.hex()}",
            }
            counts = audit_search.counts(connection, wanted)
            entries = audit_search.every(connection, wanted)
            FORMATS[given.format](Report(facts, verdict.intact, counts, entries), file)
    if not verdict.intact:
        sys.stderr.write("\n".join(["the audit log is", first, *further]) + "\n")
        sys.exit(NOT_INTACT)


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
