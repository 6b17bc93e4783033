"""Every command in README.md works, against a running `calejo demo`.

Blocks marked sh and sql are executed in their order, as they stand, except that ports and state
directory are those of the test. An answer with an `id` sets $ID for the blocks after it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from runtime.database.embedded import EmbeddedServer
from tests.calejo import ROOT, Calejo

PORTS = {"modbus": "5020", "opcua": "4840", "rest": "8080"}
ELSEWHERE = ("make test", "make check", "make bench")  # executed by .ci/run
DEMO = ("make run", "calejo demo")  # is running while the others are executed


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the line that it begins in, its text."""

    language: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.language} in line {self.line}"


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a Markdown text that can be executed."""
    for found in re.finditer(r"^```(sh|sql)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(found[1], text.count("\n", 0, found.start()) + 1, found[2].strip())


BLOCKS = list(blocks((ROOT / "README.md").read_text()))


class Demo:
    """A running demonstration and the words that stand for it in the README."""

    def __init__(self, calejo: Calejo, home: Path) -> None:
        self.calejo = calejo
        (home / ".curlrc").write_text("fail-with-body\n")  # an answer that refuses is a failure
        binaries = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = calejo.environment | {"PATH": binaries, "CURL_HOME": str(home)}

    def sh(self, text: str) -> str:
        for name, port in PORTS.items():
            text = re.sub(rf"\b{port}\b", str(self.calejo.ports[name]), text)
        script = re.sub(r"\bvar/", f"{self.calejo.state}/", text)
        deadline = time.monotonic() + 60
        done = self._bash(script)
        # A stop can be cleared once the pump stands.
        while done.returncode and "/clear" in script and time.monotonic() < deadline:
            done = self._bash(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        with suppress(ValueError, KeyError, TypeError):
            self._environment["ID"] = str(json.loads(done.stdout)["id"])
        return done.stdout

    def _bash(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def sql(self, text: str) -> None:
        server = EmbeddedServer(self.calejo.places.postgres)
        with psycopg.connect(server.dsn("optimiser")) as connection:
            connection.execute(text.encode())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("readme")
    calejo = Calejo(directory / "state")
    calejo.start("demo")
    try:
        calejo.wait_until_ready()
        yield Demo(calejo, directory)
    finally:
        calejo.clean_up()


def programs(text: str) -> list[str]:
    """The programs that a script calls and that this machine lacks."""
    words = [line.split()[0] for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    known = ("calejo", "make")
    return [word for word in words if word not in known and not shutil.which(word)]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_does_what_the_readme_says(block: Block, demo: Demo) -> None:
    if block.language == "sql":
        demo.sql(block.text)
        return
    if missing := programs(block.text):
        pytest.skip(f"not installed here: {', '.join(missing)}")
    lines = [line for line in block.text.splitlines() if line not in (*ELSEWHERE, *DEMO)]
    if lines:
        assert demo.sh("\n".join(lines)), "it printed nothing"


def test_commands_that_are_executed_elsewhere_are_executed_there() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    for command in ELSEWHERE:
        if any(command in block.text for block in BLOCKS):
            assert command in ci


def test_the_makefile_starts_the_demo() -> None:
    assert re.search(r"^run:.*\n\t@exec \S*calejo demo$", (ROOT / "Makefile").read_text(), re.M)
