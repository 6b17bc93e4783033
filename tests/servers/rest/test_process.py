"""The process: starts before anything else is there, refuses a taken port, ends when told to."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from runtime.processes import UNUSABLE
from runtime.progress import State, look
from tests.calejo import CALEJO, Calejo
from tests.processes import until


@pytest.fixture
def calejo(tmp_path: Path) -> Iterator[Calejo]:
    calejo = Calejo(tmp_path / "state")
    calejo.places.prepare()
    try:
        yield calejo
    finally:
        calejo.clean_up()


def healthz(calejo: Calejo) -> Any:
    """What /healthz says, once it says something."""
    address = f"http://127.0.0.1:{calejo.ports['rest']}/healthz"

    def asked() -> Any:
        with suppress(ConnectionError):
            try:
                urllib.request.urlopen(address, timeout=5).close()
            except urllib.error.HTTPError as refused:
                with refused:
                    return json.loads(refused.read())
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionError):
                    raise
        return None

    return until(asked)


def test_it_serves_before_scan_and_database_exist_and_ends_on_sigterm(calejo: Calejo) -> None:
    calejo.start("process", "rest")
    assert healthz(calejo)["status"] == "no live data"
    health = calejo.health("rest")
    assert health.state is State.DEGRADED
    assert "has not published" in health.text
    until(lambda: (found := look(calejo.places.progress("rest"))) and found.count > health.count)
    assert calejo.end(signal.SIGTERM) == 0


def test_a_taken_port_is_an_error_that_says_who_has_it(calejo: Calejo) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", calejo.ports["rest"]))
        taken.listen()
        done = calejo("process", "rest")
    assert done.returncode == UNUSABLE
    assert "servers.rest.listen" in done.stderr
    assert str(calejo.ports["rest"]) in done.stderr


def test_an_address_that_others_can_reach_is_refused(calejo: Calejo) -> None:
    done = subprocess.run(
        [*CALEJO, "process", "rest"],
        env=calejo.environment | {"CALEJO_SERVERS_REST_LISTEN": "0.0.0.0:8080"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "CALEJO_SERVERS_REST_LISTEN" in done.stderr
    assert "loopback" in done.stderr
