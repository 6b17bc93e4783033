"""A real browser, headless, driven over the pipe of its debugging protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from typing import Any

CHROMIUM = shutil.which("chromium")
SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe")


class Browser:
    """Chromium with one page. What the page writes to its console is in `complaints`."""

    def __init__(self) -> None:
        assert CHROMIUM is not None
        self.complaints: list[str] = []
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._to = os.pipe()
        self._from, replies = os.pipe()
        plumbing, home = f'exec "$@" 3<&{commands} 4>&{replies}', self._home.name
        self._process = subprocess.Popen(
            ["bash", "-c", plumbing, "bash", CHROMIUM, *SWITCHES, f"--user-data-dir={home}"],
            pass_fds=(commands, replies),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(replies)
        self._read, self._number = b"", 0
        self._session = ""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Runtime", "Log", "Page"):
            self._ask(f"{domain}.enable")

    def open(self, address: str) -> None:
        self._ask("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """The value of an expression on the page; a promise is awaited."""
        told = self._ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def close(self) -> None:
        os.close(self._to)
        os.close(self._from)
        self._process.terminate()
        self._process.wait()
        self._home.cleanup()

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        wanted: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            wanted["sessionId"] = self._session
        os.write(self._to, json.dumps(wanted).encode() + b"\0")
        while (told := self._next()).get("id") != self._number:
            if told.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(told["params"]))
        assert "error" not in told, told
        return dict(told["result"])

    def _next(self) -> Any:
        while b"\0" not in self._read:
            some = os.read(self._from, 65536)
            assert some, "the browser has ended"
            self._read += some
        message, _, self._read = self._read.partition(b"\0")
        return json.loads(message)
