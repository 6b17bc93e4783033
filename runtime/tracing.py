"""`calejo trace`: the whole story of one request."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import orjson

import config
from runtime import equipment
from runtime.database import asking, trace
from runtime.database.migrations import SchemaError
from runtime.database.postmaster import ServerError
from runtime.database.session import DatabaseAwayError, opened
from runtime.database.trace_words import lines
from runtime.places import Places

NOT_FOUND = 3  # exit code
DESCRIPTION = """\
Tell all that is known of a request, in the order of time: who asked for what, why and from where;
in which scan it was executed, or why not; what changed in that scan, what was written of it, and
who was told of its alarms.
ID is the X-Correlation-Id of a reply, the trace of a traceparent, the id of an emergency stop, or
the correlation of a log line. What still waits in the spools is told too.

exit codes: 0 found, 3 nothing is known of it
"""


def add_to(commands: Any) -> None:
    """Add the command to those of `calejo`."""
    parser = commands.add_parser(
        "trace",
        help="tell all that became of a request",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(command=_trace)


def _trace(given: argparse.Namespace) -> None:
    places = Places.from_environment(os.environ)
    known = equipment.load(places.equipment)
    problem = ""
    try:
        with opened(config.load(None, os.environ), places) as connection:
            story = trace.tell(asking.over(connection), places, known, given.id)
    except (DatabaseAwayError, SchemaError, ServerError) as error:
        problem = str(error)
        story = trace.tell(None, places, known, given.id)
    if given.json:
        document = {"ids": story.ids, "database": problem or "asked", "steps": story.steps}
        sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        if problem:
            sys.stderr.write(f"calejo: PostgreSQL is not asked, only the spools: {problem}\n")
        sys.stdout.writelines(line + "\n" for line in lines(story))
    if not story.steps:
        sys.exit(NOT_FOUND)
