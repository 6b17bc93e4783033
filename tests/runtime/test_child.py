"""One supervised process: what it is started with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from runtime.child import Child
from runtime.places import Places
from runtime.processes import Process

SAY = "import os, sys; open(sys.argv[1], 'w').write(os.environ['OURS'] + os.environ['HEAP'])"


def test_a_process_gets_its_own_environment_where_the_operator_has_not_said_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    monkeypatch.setenv("HEAP", "theirs")
    environment = {"OURS": "ours, ", "HEAP": "ours"}
    command = (sys.executable, "-c", SAY, str(said))
    child = Child(Process("scan", command, environment=environment), Places(tmp_path))
    child.start(0.0)
    assert child.pid is not None
    _, status = os.waitpid(child.pid, 0)
    child.reaped(os.waitstatus_to_exitcode(status))
    assert said.read_text() == "ours, theirs"
