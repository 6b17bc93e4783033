"""Reports of the audit log: CSV, JSON, and a page of HTML that prints well and stands alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, TextIO

from runtime.audit.wanted import shown

Row = Mapping[str, Any]
COLUMNS = (
    *("number", "occurred_at", "recorded_at", "user", "role", "protocol", "address", "action"),
    *("object", "result", "reason", "correlation_id", "details", "hash"),
)
_HEAD = Path(__file__).with_name("report.html")
_ON_PAPER = (*COLUMNS[:2], *COLUMNS[3:13])
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would execute


@dataclass(frozen=True)
class Report:
    """What a report says: `facts` about it, how many entries by what, and the entries."""

    facts: Mapping[str, str]
    intact: bool
    counts: Mapping[str, Mapping[str, int]]
    entries: Iterable[Row]


def write_csv(report: Report, file: TextIO) -> None:
    """The entries alone. Text that a spreadsheet would take for a formula gets a ' before it."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in report.entries:
        writer.writerow([_cell(entry[name]) for name in COLUMNS])


def _cell(value: object) -> object:
    text = _plain(value)
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def _plain(value: object) -> object:
    return shown(value) if isinstance(value, datetime) else value


def write_json(report: Report, file: TextIO) -> None:
    """One object: `report`, `intact`, `counts` and `entries`, an entry on each line."""
    head = {"report": report.facts, "intact": report.intact, "counts": report.counts}
    file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "entries": [')
    between = "\n"
    for entry in report.entries:
        values = {name: _plain(entry[name]) for name in COLUMNS}
        values["details"] = _parsed(entry["details"])
        file.write(between + json.dumps(values, ensure_ascii=False))
        between = ",\n"
    file.write("\n]}\n")


def _parsed(details: str) -> object:
    try:
        return json.loads(details)
    except ValueError:
        return details


def write_html(report: Report, file: TextIO) -> None:
    """A page that stands alone."""
    file.write(_HEAD.read_text(encoding="utf-8"))
    file.write("<table>\n")
    for name, value in report.facts.items():
        mark = "" if report.intact or name != "chain" else ' class="bad"'
        file.write(f"<tr><th>{escape(name)}</th><td{mark}>{escape(value)}</td></tr>\n")
    file.write('</table>\n<h2>Entries by</h2>\n<div class="counts">\n')
    for name, found in report.counts.items():
        file.write(f"<table><thead><tr><th>{escape(name)}</th><th>entries</th></tr></thead>\n")
        for value, count in found.items():
            file.write(f'<tr><td>{escape(value)}</td><td class="count">{count}</td></tr>\n')
        file.write("</table>\n")
    file.write('</div>\n<h2>Entries</h2>\n<table class="entries"><thead><tr>')
    file.write("".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in _ON_PAPER))
    file.write("</tr></thead>\n<tbody>\n")
    classes = {"number": ' class="number"', "occurred_at": ' class="time"'}
    for entry in report.entries:
        cells = (
            f"<td{classes.get(name, '')}>{escape(str(_plain(entry[name]) or ''))}</td>"
            for name in _ON_PAPER
        )
        file.write(f"<tr>{''.join(cells)}</tr>\n")
    file.write("</tbody></table>\n</body>\n</html>\n")


FORMATS: Mapping[str, Callable[[Report, TextIO], None]] = {
    "csv": write_csv,
    "json": write_json,
    "html": write_html,
}
