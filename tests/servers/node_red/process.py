"""Node-RED with the flow of docs/: a SCADA system that reads Modbus and OPC UA as people set it up.

It is 317 MB of packages, too much for every run of the tests: `make node-red` installs it, once,
and runs the test that is skipped elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.calejo import ROOT, free_ports

PALETTE = Path(__file__).parent / "palette"
FLOW = ROOT / "docs" / "node-red-flow.json"
WANTED = "CALEJO_NODE_RED"  # set: install it where it is missing
SETTINGS = """\
module.exports = {
  flowFile: "flow.json", credentialSecret: false, disableEditor: true,
  uiHost: "127.0.0.1", uiPort: %d, telemetry: { enabled: false },
};
"""


def installed(cache: pytest.Cache) -> Path:
    """The folder with Node-RED and its nodes. Skips the test, loudly, where there is none."""
    content = b"".join(file.read_bytes() for file in sorted(PALETTE.iterdir()))
    folder = cache.mkdir("node-red") / hashlib.sha256(content).hexdigest()[:16]
    if folder.exists():
        return folder
    if WANTED not in os.environ:
        pytest.skip("NOT TESTED with Node-RED: it is 317 MB; `make node-red` installs and tests it")
    if shutil.which("npm") is None:
        pytest.skip("NOT TESTED with Node-RED: Node.js with npm is missing")
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(PALETTE, partial)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    done = subprocess.run(command, cwd=partial, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"NOT TESTED with Node-RED: npm ci: {done.stderr.strip().splitlines()[:1]}")
    return partial.rename(folder)


class NodeRed:
    """A running Node-RED, and what its flow answers."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/calejo"

    def values(self) -> dict[str, float | None]:
        """What it has read last, by protocol; nothing while it starts."""
        try:
            with urllib.request.urlopen(self._url, timeout=5) as answer:
                found: dict[str, float | None] = json.load(answer)
                return found
        except OSError:
            return {}


@contextmanager
def running(packages: Path, home: Path, flow: str, user: str, password: str) -> Iterator[NodeRed]:
    """Node-RED with a flow; its OPC UA endpoint signs in as this user."""
    (port,) = free_ports(1)
    home.mkdir()
    (home / "node_modules").symlink_to(packages / "node_modules")
    (home / "flow.json").write_text(flow)
    credentials = {"opcua-server": {"user": user, "password": password}}
    (home / "flow_cred.json").write_text(json.dumps(credentials))
    (home / "settings.js").write_text(SETTINGS % port)
    start = home / "node_modules" / "node-red" / "red.js"
    environment = os.environ | {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            ["node", str(start), "-u", str(home), "-s", str(home / "settings.js")],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield NodeRed(port)
    finally:
        process.terminate()
        process.wait(timeout=30)
