"""Malformed messages do a server no harm: the short run of `python -m tools.fuzz`."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from runtime.requests import Ask, Post
from runtime.tags import NUMBER, Pump
from tools.fuzz.mutation import WAYS, Way, spoiled
from tools.fuzz.opcua_trial import fire, server
from tools.fuzz.trial import Fallen, Target


@pytest.fixture(scope="module")
def opcua() -> Iterator[Target]:
    with server() as found:
        yield found


def test_malformed_opc_ua_messages_do_no_harm(
    opcua: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    fire(opcua, 1_000, seed=1)
    assert "1000 messages" in capsys.readouterr().out


def test_what_the_server_does_not_expect_is_a_fault(opcua: Target) -> None:
    with opcua.log.open("a") as log:
        log.write('{"event": "request failed", "reason": "TypeError()"}\n')
    with pytest.raises(Fallen, match="did not expect"):
        fire(opcua, 10, seed=1)


def test_a_write_that_reaches_the_scan_is_noticed(opcua: Target) -> None:
    post = Post(opcua.places.requests)
    post.put(Ask(1, NUMBER[Pump.EmergencyStop], 0, 1.0))
    post.close()
    with pytest.raises(Fallen, match="a wrong write"):
        opcua.check()


def test_a_server_that_has_ended_is_noticed(opcua: Target) -> None:
    opcua.process.kill()  # the last that is asked of it
    opcua.process.wait()
    with pytest.raises(Fallen, match="ended with -9"):
        opcua.check()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_spoiling_takes_any_bytes(way: Way) -> None:
    dice = random.Random(1)
    for size in (0, 1, 3, 4, 100):
        assert isinstance(way(bytes(size), dice), bytes)


def test_the_same_seed_spoils_alike() -> None:
    one, other = (spoiled(b"x" * 100, random.Random(5)) for _ in range(2))
    assert one == other
