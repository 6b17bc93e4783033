"""Fixtures: an image by hand or a real scan, and a server that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.places import Places
from tests.servers.modbus.conftest import scanning
from tests.servers.modbus.station import Plant
from tests.servers.rest.site import Image, Site
from tests.servers.state import state


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    with state(tmp_path) as places:
        yield places


@pytest.fixture
def image(places: Places) -> Image:
    image = Image(places)
    image.publish()
    return image


@pytest.fixture
def plant(places: Places) -> Iterator[Plant]:
    with scanning(places) as plant:
        yield plant


@pytest.fixture
def site(places: Places) -> Iterator[Site]:
    """A server of whatever image there is."""
    site = Site(places)
    try:
        yield site
    finally:
        site.end()
