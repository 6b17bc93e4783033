"""Every command in README.md and docs/scada.md works, against a running `calejo demo`.

Blocks marked sh, sql, python and js are executed in their order, as they stand, except that ports
and state directory are those of the test. An answer with an `id` sets $ID for the blocks after it.
What stands in a block marked text behind one is what that prints, among other things; such a one
may fail.
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
from tests.processes import until
from tests.servers.node_red import process as node_red
from tests.servers.opcua import node_opcua

PORTS = {"modbus": "5020", "opcua": "4840", "rest": "8080"}
PAGES = ("README.md", "docs/scada.md")
ELSEWHERE = ("make test", "make check", "make bench")  # executed by .ci/run
DEMO = ("make run", "calejo demo")  # is running while the others are executed


@dataclass(frozen=True)
class Block:
    """A fenced block: its page and language, the line that it begins in, its text.

    `said` are lines that it prints, if the page shows any.
    """

    page: str
    language: str
    line: int
    text: str
    said: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.page}: {self.language} in line {self.line}"


FENCED = re.compile(
    r"^```(sh|sql|python|js)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL
)


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page that can be executed."""
    text = (ROOT / page).read_text()
    for found in FENCED.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        said = tuple((found[3] or "").splitlines())
        yield Block(page, found[1], line, found[2].strip(), said)


BLOCKS = [block for page in PAGES for block in blocks(page)]


class Demo:
    """A running demonstration and the words that stand for it in the README."""

    def __init__(self, calejo: Calejo, home: Path) -> None:
        self.calejo = calejo
        self.folder = ROOT
        (home / ".curlrc").write_text("fail-with-body\n")  # an answer that refuses is a failure
        binaries = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = calejo.environment | {"PATH": binaries, "CURL_HOME": str(home)}

    def here(self, text: str) -> str:
        """A text of a page with the ports and the state directory of this demonstration."""
        for name, port in PORTS.items():
            text = re.sub(rf"\b{port}\b", str(self.calejo.ports[name]), text)
        return re.sub(r"\bvar/", f"{self.calejo.state}/", text)

    def sh(self, text: str, may_fail: bool = False) -> str:
        deadline = time.monotonic() + 60
        done = self._run(["bash", "-euo", "pipefail", "-c", self.here(text)])
        # A stop can be cleared once the pump stands.
        while done.returncode and "/clear" in text and time.monotonic() < deadline:
            done = self._run(["bash", "-euo", "pipefail", "-c", self.here(text)])
        assert done.returncode == 0 or may_fail, f"{text}\n{done.stdout}{done.stderr}"
        with suppress(ValueError, KeyError, TypeError):
            self._environment["ID"] = str(json.loads(done.stdout)["id"])
        return done.stdout + done.stderr

    def python(self, text: str) -> str:
        done = self._run([sys.executable, "-c", self.here(text)])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def js(self, text: str, packages: Path) -> str:
        """A module of Node.js; `packages` has what it imports."""
        file = packages / "page.mjs"
        file.write_text(self.here(text))
        done = self._run(["node", str(file)])
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return done.stdout

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
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
def test_a_block_does_what_its_page_says(
    block: Block, demo: Demo, request: pytest.FixtureRequest
) -> None:
    if block.language == "sql":
        demo.sql(block.text)
        return
    if block.language == "js":
        said = demo.js(block.text, node_opcua.installed(request.config.cache))
    elif block.language == "python":
        said = demo.python(block.text)
    else:
        if missing := programs(block.text):
            pytest.skip(f"not installed here: {', '.join(missing)}")
        lines = [line for line in block.text.splitlines() if line not in (*ELSEWHERE, *DEMO)]
        if not lines:
            return
        said = demo.sh("\n".join(lines), may_fail=bool(block.said))
    assert said, "it printed nothing"
    for line in block.said:
        assert line in said


def test_the_flow_of_node_red_reads_both_servers(
    demo: Demo, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    packages = node_red.installed(request.config.cache)
    flow, token = demo.here(node_red.FLOW.read_text()), demo.calejo.places.token()
    folder = demo.calejo.places.certificates / "opcua"
    with node_red.running(packages, tmp_path / "node-red", flow, "operator", token) as process:
        until(lambda: list((folder / "rejected").glob("NodeOPCUA*")), what="for its certificate")
        demo.sh("calejo certs trust $(calejo certs | awk '/NodeOPCUA/ {print $1}')")
        until(lambda: _agree(process.values()), what="for the same level by both protocols")


def _agree(values: dict[str, float | None]) -> bool:
    modbus, opcua = values.get("modbus"), values.get("opcua")
    return modbus is not None and modbus > 0.0 and modbus == opcua


def test_commands_that_are_executed_elsewhere_are_executed_there() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    for command in ELSEWHERE:
        if any(command in block.text for block in BLOCKS):
            assert command in ci


def test_the_makefile_starts_the_demo() -> None:
    assert re.search(r"^run:.*\n\t@exec \S*calejo demo$", (ROOT / "Makefile").read_text(), re.M)
