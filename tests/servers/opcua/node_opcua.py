"""node-opcua as a client: shares no code with the server, and is told what to do line by line."""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.servers.opcua.serving import APPLICATION, station

SOURCE = Path(__file__).parent / "client"
PATIENCE = 60.0  # s
INSTALLATION = 90.0  # s, within the time of one test


def installed(cache: pytest.Cache) -> Path:
    """The folder with the client and its locked packages; installed at first use.

    Skips the test, loudly, where it can't be had.
    """
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("NOT TESTED with an independent OPC UA client: Node.js with npm is missing")
    content = b"".join(file.read_bytes() for file in sorted(SOURCE.iterdir()))
    folder = cache.mkdir("opcua-client") / hashlib.sha256(content).hexdigest()[:16]
    if folder.exists():
        return folder
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(SOURCE, partial)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    try:
        subprocess.run(
            command, cwd=partial, capture_output=True, text=True, timeout=INSTALLATION, check=True
        )
    except subprocess.SubprocessError as error:
        said = str(getattr(error, "stderr", None) or error).splitlines()
        reason = next((line for line in said if "error" in line), said[0])
        pytest.skip(f"NOT TESTED with an independent OPC UA client: npm ci: {reason}")
    return partial.rename(folder)


class NodeClient:
    """One client, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        self._process = process
        self._application = {
            "uri": APPLICATION,
            "key": str(home / "key.pem"),
            "certificate": str(home / "certificate.pem"),
            "folder": str(home),
        }
        (home / "key.pem").write_bytes(station().key_pem)
        (home / "certificate.pem").write_bytes(station().certificate.public_bytes(Encoding.PEM))
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # the library prints its opinions, too
                said = json.loads(line)
                (self._told if "told" in said else self._answers).put(said)

    def do(self, action: str, **wishes: object) -> Any:
        """What an action answers; raises AssertionError with its words if it fails."""
        assert self._process.stdin is not None
        print(json.dumps({"action": action, **wishes}), file=self._process.stdin, flush=True)
        said = self._answers.get(timeout=PATIENCE)
        assert "error" not in said, said["error"]
        return said["answer"]

    def told(self) -> dict[str, Any]:
        """The next value that a subscription tells."""
        found: dict[str, Any] = self._told.get(timeout=PATIENCE)["told"]
        return found

    @contextmanager
    def signed_in(
        self, url: str, user: str = "", password: str = "", policy: str = "Basic256Sha256"
    ) -> Iterator[NodeClient]:
        """Connected to a server, signed and encrypted: anonymous without a user."""
        wishes = {"url": url, "user": user, "password": password, "policy": policy}
        try:
            self.do("connect", **wishes, application=self._application)
            yield self
        finally:
            self.do("disconnect")
            while not self._told.empty():
                self._told.get()


@contextmanager
def running(folder: Path) -> Iterator[NodeClient]:
    """A client that waits for what it has to do: it takes its library seconds to load."""
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(
            ["node", "client.js"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            yield NodeClient(process, Path(home))
        finally:
            process.kill()
