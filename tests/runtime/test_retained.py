"""Retained memory: whole after any death, found again by name and slot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime import retained
from runtime.layout import Capacity, Columns, Layout
from runtime.retained import LATCHES, RESERVE, RETAINED, RetainedError, RetainedMark, Store, restore
from runtime.tags import Pump, System
from tests.runtime import disk, stress

Paths = tuple[Path, Path]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return tmp_path / "retained.a", tmp_path / "retained.b"


@pytest.fixture
def columns() -> Columns:
    return make()


def make(pumps: int = 6) -> Columns:
    return Columns(Layout(Capacity(stations=3, pumps=pumps)))


def saved(columns: Columns, paths: Paths, *integrals: float) -> None:
    """Save once for each value of an integral."""
    store = Store(columns, paths)
    for integral in integrals:
        columns[Pump.LevelIntegral][2] = integral
        store.save()


def test_what_is_retained_is_restored_and_nothing_else(columns: Columns, paths: Paths) -> None:
    for tag in (*RETAINED, Pump.Setpoint):
        columns[tag].fill(1)
    columns[Pump.EmergencyStopId][3] = 2**62 + 1
    Store(columns, paths).save()
    found = make()
    restore(found, paths)
    for tag in RETAINED:
        assert found[tag].tolist() == columns[tag].tolist()
    assert not found[Pump.Setpoint].any()


def test_without_files_nothing_is_restored(columns: Columns, paths: Paths) -> None:
    assert restore(columns, paths) == 0
    assert not columns.arena.any()


def test_a_pump_keeps_what_is_its_own_when_capacities_change(
    columns: Columns, paths: Paths
) -> None:
    columns[Pump.EmergencyStop][2] = True
    columns[Pump.Mode][[2, 5]] = 1
    Store(columns, paths).save()
    larger, smaller = make(pumps=9), make(pumps=4)
    restore(larger, paths)
    restore(smaller, paths)
    assert larger[Pump.Mode].nonzero()[0].tolist() == [2, 5]
    assert smaller[Pump.Mode].nonzero()[0].tolist() == [2]
    assert smaller[Pump.EmergencyStop].nonzero()[0].tolist() == [2]


def test_a_latched_stop_is_not_forgotten_when_the_capacity_shrinks(
    columns: Columns, paths: Paths
) -> None:
    columns[Pump.EmergencyStop][[2, 5]] = True
    Store(columns, paths).save()
    with pytest.raises(RetainedError, match=r"Pump\.EmergencyStop is latched in slot 5.*up to 3"):
        restore(make(pumps=4), paths)


def test_tags_that_came_and_went_leave_the_others_restored(
    columns: Columns, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns[Pump.Mode][1] = 1
    columns[Pump.ManualSetpoint][1] = 33.0
    older = tuple(tag for tag in RETAINED if tag is not Pump.Mode)
    with monkeypatch.context() as patch:
        patch.setattr(retained, "RETAINED", older)
        Store(columns, paths).save()
    found = make()
    restore(found, paths)
    assert (found.value(Pump.Mode, 1), found.value(Pump.ManualSetpoint, 1)) == (0, 33.0)

    Store(columns, paths).save()
    found = make()
    with monkeypatch.context() as patch:
        patch.setattr(retained, "RETAINED", older)
        restore(found, paths)
    assert (found.value(Pump.Mode, 1), found.value(Pump.ManualSetpoint, 1)) == (0, 33.0)


def test_numbers_of_scans_are_never_used_again(columns: Columns, paths: Paths) -> None:
    columns[System.Scan][0] = 500
    store = Store(columns, paths)
    store.save()
    scan = 500
    while not store.differ():
        scan += 1
        columns[System.Scan][0] = scan
    assert restore(columns, paths) > scan
    assert columns.value(System.Scan) == 500 + RESERVE


def test_after_a_clean_end_numbers_go_on_without_a_gap(columns: Columns, paths: Paths) -> None:
    columns[System.Scan][0] = 500
    Store(columns, paths).save(reserve=0)
    assert restore(make(), paths) == 500


def test_the_newest_of_the_two_counts(columns: Columns, paths: Paths) -> None:
    for integrals in ((1.0,), (1.0, 2.0), (3.0, 4.0, 5.0)):
        saved(columns, paths, *integrals)
        found = make()
        restore(found, paths)
        assert found.value(Pump.LevelIntegral, 2) == integrals[-1]


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "alien"])
def test_a_torn_file_falls_back_to_the_other(columns: Columns, paths: Paths, damage: str) -> None:
    saved(columns, paths, 1.0, 2.0, 3.0)  # the third went to the first file
    content = bytearray(paths[0].read_bytes())
    content[-10] ^= damage == "flipped"
    torn: dict[str, bytes] = {
        "empty": b"",
        "cut": bytes(content[:-7]),
        "flipped": bytes(content),
        "alien": b"x" * len(content),
    }
    paths[0].write_bytes(torn[damage])
    found = make()
    restore(found, paths)
    assert found.value(Pump.LevelIntegral, 2) == 2.0

    saved(found, paths, 4.0)  # over the torn one, so that there are two again
    paths[1].write_bytes(b"")
    restore(found, paths)
    assert found.value(Pump.LevelIntegral, 2) == 4.0


def test_two_torn_files_are_an_error_that_says_what_is_not_known(
    columns: Columns, paths: Paths
) -> None:
    saved(columns, paths, 1.0, 2.0)
    for path in paths:
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RetainedError, match="emergency stops are latched is not known") as error:
        restore(columns, paths)
    assert all(str(path) in str(error.value) for path in paths)


def test_a_first_file_torn_at_its_making_is_no_error(columns: Columns, paths: Paths) -> None:
    paths[0].write_bytes(b"")
    assert restore(columns, paths) == 0


def test_a_full_disk_can_not_refuse_what_has_its_room(columns: Columns, paths: Paths) -> None:
    saved(columns, paths, 1.0, 2.0)
    with disk.full(paths[0].stat().st_size):
        saved(columns, paths, 3.0)
    found = make()
    restore(found, paths)
    assert found.value(Pump.LevelIntegral, 2) == 3.0


def test_a_save_that_failed_is_still_due(columns: Columns, paths: Paths) -> None:
    store = Store(columns, paths)
    store.save()
    assert not store.latches_differ()
    with disk.full(100), pytest.raises(OSError, match="too large"):
        store.save()
    assert store.latches_differ()
    found = make()
    restore(found, paths)
    store.save()
    assert not store.latches_differ()


def test_latches_and_what_operators_asked_for_are_due_at_once_integrals_are_not(
    columns: Columns, paths: Paths
) -> None:
    store = Store(columns, paths)
    store.save()
    columns[Pump.LevelIntegral][0] = 1.0
    assert store.differ()
    assert not store.latches_differ()
    for tag in (System.EmergencyStop, Pump.EmergencyStopId, Pump.Mode, Pump.ManualSetpoint):
        assert tag in LATCHES
        columns[tag][0] = 1
        assert store.latches_differ()
        columns[tag][0] = 0


def test_the_mark_is_seen_by_all(tmp_path: Path) -> None:
    mark = RetainedMark(tmp_path / "mark")
    other = RetainedMark(tmp_path / "mark")
    assert other.scan == 0
    mark.scan = 2**40
    assert other.scan == 2**40


def test_what_is_restored_is_whole_whenever_the_recorder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "retained"
    recorder = stress.start("killed_save_retained", path, 2.0)
    assert json.loads(recorder.communicate(timeout=30.0)[0])["kills"] > 2
    columns = Columns(Layout(stress.CAPACITY))
    restore(columns, (path.with_suffix(".a"), path.with_suffix(".b")))
    values = {value for tag in RETAINED for value in columns[tag].tolist()}
    assert values in ({0}, {1})
