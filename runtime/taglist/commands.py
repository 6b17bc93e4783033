"""`calejo tags`: prints the list of all tags, or compares it with that of a SCADA system."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import config
from runtime import equipment
from runtime.equipment import Equipment, EquipmentError
from runtime.places import Places
from runtime.taglist import scada
from runtime.taglist.comparison import Comparison
from runtime.taglist.formats import FORMATS, write
from runtime.taglist.rows import Protocol, Selection, UnknownEquipmentError

DIFFERENT, NOT_COMPARED = 1, 2  # exit codes
DESCRIPTION = """\
Print every value: its OPC UA node and its Modbus unit, address, type, scale, unit of measure,
range, access and meaning. With --check: compare FILE, the CSV list of a SCADA system, with the map
in force, and name each difference: missing, moved, other type, other scale, unknown. FILE needs the
column node, or unit_id with address and space, or unit_id with reference; of station, pump, tag,
type and scale it is compared what is there. Order, separator and further columns don't matter.
"""
CODES = """\
exit codes: 0 printed, or no difference; 1 there are differences; 2 nothing was compared, with the
reason
"""


def add_to(commands: Any) -> None:
    """Add the command to those of `calejo`."""
    parser = commands.add_parser(
        "tags",
        help="print every value with its type, unit, range and addresses; check a SCADA's list",
        description=DESCRIPTION,
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="markdown")
    parser.add_argument("--station", action="append", default=[], metavar="ID")
    parser.add_argument("--pump", action="append", default=[], type=int, metavar="ID")
    parser.add_argument("--protocol", choices=[protocol.value for protocol in Protocol])
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare this list with the map")
    parser.add_argument(
        "--partial", action="store_true", help="with --check: say nothing of what FILE lacks"
    )
    parser.set_defaults(command=_tags)


def _tags(given: argparse.Namespace) -> None:
    protocol = Protocol(given.protocol) if given.protocol else None
    selection = Selection(tuple(given.station), tuple(given.pump), protocol)
    try:
        known = equipment.load(Places.from_environment(os.environ).equipment)
        if given.check is not None:
            sys.exit(_check(known, given.check, selection, given.partial))
        word_order = config.load(None, os.environ).servers.modbus.word_order
        write(known, given.format, sys.stdout, selection, word_order)
        sys.exit(0)
    except (EquipmentError, UnknownEquipmentError, scada.BadFileError) as error:
        _refuse(str(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        _refuse(f"{error.filename or 'a file'}: {error.strerror or error}")


def _check(known: Equipment, file: Path, selection: Selection, partial: bool) -> int:
    entries = scada.read(file)
    found = list(Comparison(known).differences(entries, selection, partial))
    for difference in found:
        sys.stdout.write(f"{difference}\n")
    count = "no difference" if not found else f"differences: {len(found)}"
    sys.stdout.write(f"{file}: {len(entries)} lines compared, {count}\n")
    return DIFFERENT if found else 0


def _refuse(why: str) -> None:
    sys.stderr.write("".join(f"calejo: {line}\n" for line in why.splitlines()))
    sys.exit(NOT_COMPARED)
