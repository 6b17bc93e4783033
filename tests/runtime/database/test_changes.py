"""What changed in configuration and equipment stands in the audit log, each change once."""

from __future__ import annotations

import json
from dataclasses import replace

import config
from config import Config
from runtime.database.changes import Changes
from runtime.equipment import Equipment
from runtime.places import Places
from tests.conftest import Database
from tests.runtime.database.conftest import SCAN_YAML
from tests.runtime.database.spools import PLANT, Connection, Row, drain, rows

DSN = "postgresql://calejo_runtime:hunter2@db.example/calejo"


def told(places: Places, database: Database, connection: Connection) -> list[Row]:
    drain(database, places)
    entries = rows(connection, "audit_log")
    return [entry | {"details": json.loads(entry["details"])} for entry in entries]


def note_configuration(places: Places, configuration: Config) -> None:
    """A start of the database process with this configuration."""
    changes = Changes(places)
    changes.configuration(configuration)
    changes.close()


def note_equipment(places: Places, known: Equipment, found: Equipment) -> None:
    changes = Changes(places)
    changes.equipment(known, found)
    changes.close()


def test_the_first_start_tells_all_settings_and_a_later_one_only_what_changed(
    places: Places, database: Database, connection: Connection
) -> None:
    note_configuration(places, config.load(SCAN_YAML, {}))
    note_configuration(places, config.load(SCAN_YAML, {}))
    changed = {"CALEJO_PERIOD": "50 ms", "CALEJO_PROGRAM_WATCHDOG_TIMEOUT": "10 min"}
    note_configuration(places, config.load(SCAN_YAML, changed))
    first, second = told(places, database, connection)
    assert (first["action"], second["action"]) == (
        "begin with configuration",
        "change configuration",
    )
    assert first["details"]["settings"]["period"] == "100 ms"
    assert second["details"]["changes"] == {
        "period": ["100 ms", "50 ms"],
        "program.watchdog.timeout": ["20 min", "10 min"],
    }
    assert second["details"]["digest_before"] == first["details"]["digest"]
    assert second["actor"] == "calejo"


def test_no_secret_is_noted(places: Places, database: Database, connection: Connection) -> None:
    note_configuration(places, config.load(SCAN_YAML, {}))
    note_configuration(places, config.load(SCAN_YAML, {"CALEJO_DATABASE": DSN}))
    entries = told(places, database, connection)
    assert "hunter2" not in str(entries)
    assert entries[1]["details"]["changes"] == {"database": ["embedded", "a DSN, not shown"]}
    assert b"hunter2" not in (places.spool / "database.db").read_bytes()


def test_equipment_tells_pump_parameter_old_and_new(
    places: Places, database: Database, connection: Connection
) -> None:
    (pump,) = PLANT.pumps
    before = replace(PLANT, pumps=(replace(pump, parameters={"MaxSpeed": 50.0, "MinRun": 60.0}),))
    after = replace(
        before,
        version=2,
        pumps=(replace(pump, name="new", parameters={"MaxSpeed": 48.0, "MinRun": 60.0}),),
        problems=("station South: found nothing",),
    )
    note_equipment(places, Equipment(), before)
    note_equipment(places, before, after)
    begin, change, skipped = told(places, database, connection)
    assert begin["details"] == {"version": 1, "stations": 1, "pumps": 1}
    assert (change["action"], change["object"]) == ("change equipment", "North/11")
    assert change["details"] == {
        "version": 2,
        "changes": {"name": ["P1", "new"], "parameters.MaxSpeed": [50.0, 48.0]},
    }
    assert skipped["details"]["problem"] == "station South: found nothing"


def test_a_pump_that_comes_or_goes_is_told(
    places: Places, database: Database, connection: Connection
) -> None:
    (pump,) = PLANT.pumps
    more = replace(PLANT, version=2, pumps=(pump, replace(pump, pump_id=12, slot=5)))
    note_equipment(places, PLANT, more)
    note_equipment(places, more, PLANT)
    come, gone = told(places, database, connection)
    assert (come["object"], come["details"]["changes"]["slot"]) == ("North/12", [None, 5])
    assert (gone["object"], gone["details"]["changes"]["slot"]) == ("North/12", [5, None])


def test_a_process_killed_between_noting_and_saving_notes_a_change_once(
    places: Places, database: Database, connection: Connection
) -> None:
    changed = replace(PLANT, version=2, stations=(replace(PLANT.stations[0], name="N"),))
    for _ in range(2):
        note_equipment(places, PLANT, changed)
    note_equipment(places, changed, replace(PLANT, version=3))
    names = [entry["details"]["changes"]["name"] for entry in told(places, database, connection)]
    assert names == [["North", "N"], ["N", "North"]]
