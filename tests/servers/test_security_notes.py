"""What happens to accounts and sessions comes into the audit log under the name of who did it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import cast

from runtime.database.audit_entries import of_record
from runtime.database.names import Names
from runtime.requests import Role
from runtime.servers.security_notes import SecurityNotes
from runtime.spool import Journal
from runtime.spoolfile import SpoolReader

NO_NAMES = cast(Names, None)  # a note names no row of a table


def test_a_note_becomes_an_entry_of_whoever_did_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "rest.db")
    SecurityNotes(journal).tell(
        "ada", Role.ADMINISTRATOR, "::1", "change user", "otto\0", role="viewer"
    )
    journal.close()
    with contextlib.closing(SpoolReader(tmp_path / "rest.db")) as reader:
        (record,) = reader.batch(10)
    entry = of_record(record, NO_NAMES)
    assert (entry["actor"], entry["role"], entry["protocol"]) == ("ada", "administrator", "rest")
    assert (entry["action"], entry["result"], entry["address"]) == (
        "change user",
        "executed",
        "::1",
    )
    assert str(entry["object"]).startswith("otto")
    assert "\0" not in str(entry["object"])
    assert entry["correlation"]
    assert entry["details"] == '{"role": "viewer"}'
