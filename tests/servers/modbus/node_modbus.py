"""modbus-serial and jsmodbus, the Modbus clients of Node.js: no code is shared with the server."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parent / "client"
LIBRARIES = ("modbus-serial", "jsmodbus")
INSTALLATION = 90.0  # s, within the time of one test


def installed(cache: pytest.Cache) -> Path:
    """The folder with the clients and their locked packages; installed at first use.

    Skips the test, loudly, where they can't be had.
    """
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("NOT TESTED with the Modbus clients of Node.js: it is missing, or its npm")
    content = b"".join(file.read_bytes() for file in sorted(SOURCE.iterdir()))
    folder = cache.mkdir("modbus-clients") / hashlib.sha256(content).hexdigest()[:16]
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
        pytest.skip(f"NOT TESTED with the Modbus clients of Node.js: npm ci: {reason}")
    return partial.rename(folder)


def round_of(folder: Path, library: str, port: int, token: str) -> dict[str, Any]:
    """What the server answered to a round of reads and writes."""
    done = subprocess.run(
        ["node", "client.js", library, str(port), token],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
