"""`calejo log`: another level for some processes, or for all, while they run."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime import instance, log_levels
from runtime.places import Places, StateError


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = Places(tmp_path)
    found.prepare()
    return found


@pytest.fixture
def running(places: Places, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setattr(instance, "holder", lambda places: 4711)
    return places


def levels(places: Places) -> dict[str, str]:
    lines = (line.split(maxsplit=1) for line in log_levels.report(places, "info"))
    return {line[0]: line[1] for line in lines}


def test_another_level_is_for_the_processes_named_only(running: Places) -> None:
    log_levels.change(running, "debug", ["modbus", "rest"])
    expected = dict.fromkeys(log_levels.PROCESSES, "info (configured)")
    assert levels(running) == expected | {"modbus": "debug", "rest": "debug"}
    log_levels.change(running, "configured", ["rest", "opcua"])
    assert levels(running) == expected | {"modbus": "debug"}


def test_without_a_running_system_it_says_so(places: Places) -> None:
    with pytest.raises(StateError, match="nothing runs here"):
        log_levels.change(places, "debug", log_levels.PROCESSES)


def test_a_new_start_begins_with_the_configured_levels(running: Places) -> None:
    log_levels.change(running, "debug", log_levels.PROCESSES)
    with instance.taken(running):
        assert set(levels(running).values()) == {"info (configured)"}
