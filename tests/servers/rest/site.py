"""The REST server on a real socket, in a thread of the test, and a client of it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import config
from config import Config, RestServer
from runtime.database.postmaster import ServerError
from runtime.equipment import Equipment, fill
from runtime.layout import Columns, Layout
from runtime.places import Places
from runtime.region import Writer
from runtime.servers.listening import bind
from runtime.servers.mirror import Mirror
from runtime.servers.rest.application import application
from runtime.servers.rest.asking import Asking
from runtime.servers.rest.listener import Listener
from runtime.servers.rest.queries import Queries
from runtime.servers.rest.snapshots import Snapshots
from runtime.tag import Tag
from runtime.tags import System
from tests.servers.modbus.station import CAPACITY, PLANT

ROOT = Path(__file__).parents[3]
JSON = {"Content-Type": "application/json"}


def configuration() -> Config:
    return config.load(ROOT / "scan.yaml", {})


def nowhere() -> str:
    """Where the database is before it has ever run."""
    raise ServerError("the passwords of the database are missing")


class Image:
    """An image written by hand: what is set in the columns and published is what the scan said."""

    def __init__(self, places: Places, equipment: Equipment = PLANT) -> None:
        self.columns = Columns(Layout(CAPACITY))
        fill(equipment, self.columns)
        equipment.save(places.equipment)
        self.columns[System.Period][0] = 60.0  # live for as long as any test takes
        self.columns[System.TimeUtc][0] = 1_700_000_000.25
        layout = self.columns.layout
        self._writer = Writer(places.image, layout.size, layout.hash)

    def __getitem__(self, tag: Tag) -> Any:
        return self.columns[tag]

    def publish(self) -> None:
        self.columns[System.Scan][0] += 1
        self.columns.seal()
        self._writer.publish(self.columns.arena)

    def stand_still(self) -> None:
        """Publish once more, as a scan that ended long ago."""
        self.columns[System.Period][0] = 0.01
        self.publish()
        self._writer._words[3] -= 5_000_000_000  # ns: the stamp, 5 s back


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> Any:
        """The problem details; that it is one is asserted."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        assert self.json["status"] == self.status
        return self.json


class Site:
    """A running server."""

    def __init__(self, places: Places, dsn: Callable[[], str] = nowhere) -> None:
        self.token = places.token()
        self.snapshots = Snapshots(places, CAPACITY)
        self._asking = Asking(Mirror(places, CAPACITY, "rest"))
        self._queries = Queries(dsn)
        app = application(configuration(), places, self.snapshots, self._asking, self._queries)
        bound = bind("127.0.0.1", 0, "test")
        self.port: int = bound.getsockname()[1]
        self._listener = Listener(app, bound, RestServer(), self._asking.refusals)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        while not self._ended.is_set():
            self._listener.serve()
        self._listener.close()

    def end(self) -> None:
        self._ended.set()
        with suppress(OSError):  # it may have ended by itself
            self._listener._server.pull_trigger()
        self._thread.join()
        self._asking.close()
        self._queries.close()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send one request; headers are named with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, named)
            reply = connection.getresponse()
            return Reply(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, None, **headers)

    def api(self, path: str, **headers: str) -> Reply:
        return self.get(f"/api/v1/{path}", **headers)

    def post(self, path: str, body: object, **headers: str) -> Reply:
        """Ask for a change as an operator with the token does."""
        told = {"Authorization": f"Bearer {self.token}", **JSON, **headers}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", f"/api/v1/{path}", data, **told)

    def stop(self, **order: object) -> Reply:
        return self.post("emergency-stops", {"reason": "drill", **order})

    def clear(self, identity: str, reason: str = "drill is over") -> Reply:
        return self.post(f"emergency-stops/{identity}/clear", {"reason": reason})
