"""Subscriptions as a client sees them that has nothing in common with the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from runtime.servers.opcua.subscription import Subscription
from runtime.tags import Pump
from tests.processes import until
from tests.servers.opcua.image import Image
from tests.servers.opcua.node_opcua import NodeClient
from tests.servers.opcua.serving import Running

FIRST = "North/11/Setpoint"
OVERFLOWN = 0x0480
SLOW = 2_000  # ms


@pytest.fixture
def viewer(node: NodeClient, painted_server: Running, image: Image) -> Iterator[NodeClient]:
    with node.signed_in(painted_server.url) as client:
        yield client


def _shown(viewer: NodeClient, image: Image, value: float) -> None:
    """Let a setpoint be `value`, and wait until the server shows it."""
    with image.change():
        image[Pump.Setpoint][0] = value
    until(lambda: viewer.do("read", path=FIRST)["value"] == value)


def _sampled(running: Running) -> object:
    """The value that was queued last for the newest subscription."""
    newest = list(running.server.core.subscription_service.subscriptions.values())[-1]
    (item,) = cast(Subscription, newest).items._data.values()
    return item._last[0] if item._last else None


def _watched(viewer: NodeClient, **wishes: object) -> dict[str, Any]:
    found: dict[str, Any] = viewer.do("watch", path=FIRST, **wishes)
    return found


@pytest.mark.parametrize(("asked", "revised"), [(0, 100), (250, 200), (1e9, 60_000), (-1, 100)])
def test_it_hears_how_often_a_value_is_looked_at(
    viewer: NodeClient, asked: float, revised: float
) -> None:
    found = _watched(viewer, interval=100, sampling=asked, queue=50)
    assert (found["status"], found["sampling"], found["queue"]) == ("Good", revised, 10)


@pytest.mark.parametrize(("kind", "band"), [("Absolute", 2.0), ("Percent", 2.0)])
def test_it_hears_of_what_leaves_the_deadband(
    viewer: NodeClient, image: Image, kind: str, band: float
) -> None:
    """Two percent of a range from 0 to 100 Hz are 2 Hz."""
    assert _watched(viewer, interval=100, deadband=[kind, band])["status"] == "Good"
    assert viewer.told()["value"] == 0
    _shown(viewer, image, 2.0)
    _shown(viewer, image, 2.5)
    assert viewer.told()["value"] == 2.5


def test_it_hears_that_its_queue_was_too_short(
    viewer: NodeClient, painted_server: Running, image: Image
) -> None:
    _watched(viewer, interval=100, sampling=100, queue=2)
    assert viewer.told()["value"] == 0
    viewer.do("publishing", enabled=False)
    for value in (1.0, 2.0, 3.0, 4.0):
        with image.change():
            image[Pump.Setpoint][0] = value
        until(lambda: _sampled(painted_server) == value)  # noqa: B023
    viewer.do("publishing", enabled=True)
    told = [viewer.told(), viewer.told()]
    assert [one["value"] for one in told] == [3.0, 4.0]
    assert [one["code"] & 0xFFFF for one in told] == [OVERFLOWN, 0]


def test_it_modifies_its_subscription(viewer: NodeClient, image: Image) -> None:
    _watched(viewer, interval=SLOW, sampling=100)
    assert viewer.do("modify", interval=1)["interval"] == 100
    assert viewer.told()["value"] == 0
    _shown(viewer, image, 7.0)
    assert viewer.told()["value"] == 7.0


def test_it_gets_what_it_missed_when_the_connection_broke(
    viewer: NodeClient, painted_server: Running, image: Image
) -> None:
    _watched(viewer, interval=100, sampling=100, queue=10)
    assert viewer.told()["value"] == 0
    assert viewer.do("republish") == "BadMessageNotAvailable"
    with image.change():
        image[Pump.Setpoint][0] = 1.0
    painted_server.sever()
    found = [viewer.told(), viewer.told()]
    assert {"connection": "reestablished"} in found
    assert [one["value"] for one in found if "value" in one] == [1.0]
