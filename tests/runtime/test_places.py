"""The state directory: usable again after whatever a power cut leaves in it."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.places import FORMAT, Places


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    places = Places(tmp_path / "state")
    places.prepare()
    yield places
    shutil.rmtree(places.shared)


def test_the_token_stays_and_only_its_owner_reads_it(places: Places) -> None:
    token = places.token()
    assert bytes.fromhex(token)
    assert places.token() == token
    assert stat.S_IMODE(places.token_file.stat().st_mode) == 0o600


def test_files_that_a_power_cut_left_empty_are_made_anew(places: Places) -> None:
    places.token_file.write_text("")
    places.version.write_text("")
    places.prepare()
    assert places.version.read_text() == f"{FORMAT}\n"
    assert len(places.token()) == 32
