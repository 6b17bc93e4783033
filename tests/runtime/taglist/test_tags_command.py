"""`calejo tags`: what it prints, and the exit codes that scripts go by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.command_line import execute
from runtime.places import Places
from tests.calejo import ROOT
from tests.runtime.taglist.plant import PLANT

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command: its exit code, what it printed, what it complained of."""
    places = Places(tmp_path / "state")
    places.root.mkdir()
    PLANT.save(places.equipment)
    monkeypatch.setenv("CALEJO_STATE", str(places.root))
    monkeypatch.setenv("CALEJO_CONFIG", str(ROOT / "scan.yaml"))

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ending:
            execute(["tags", *arguments])
        code = ending.value.code
        assert isinstance(code, int)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_one_pump_is_printed(run: Run) -> None:
    code, said, _ = run("--format", "csv", "--pump", "11", "--protocol", "modbus")
    assert code == 0
    assert {line.split(",")[1] for line in said.splitlines()[1:]} == {"11"}


def test_the_word_order_is_that_of_the_configuration(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALEJO_SERVERS_MODBUS_WORD_ORDER", "low_first")
    assert "float32,low_first," in run("--format", "csv")[1]


def test_what_it_printed_it_finds_to_agree_with_the_map(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(run("--format", "csv")[1])
    code, said, _ = run("--check", str(file))
    assert code == 0
    assert said.endswith(" lines compared, no difference\n")


def test_differences_are_named_and_counted_with_exit_code_1(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("station;pump;tag;reference;unit_id\nNorth;11;Setpoint;400102;1\n")
    code, said, _ = run("--check", str(file), "--partial")
    assert code == 1
    difference, count = said.splitlines()
    assert difference.startswith("moved: line 2: North/11/Setpoint: found holding register 101")
    assert count == f"{file}: 1 lines compared, differences: 1"
    code, said, _ = run("--check", str(file), "--pump", "11")
    assert code == 1
    assert "missing: North/11: " in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--check", "nowhere.csv"), "nowhere.csv: No such file or directory"),
        (("--check", "/"), "/: Is a directory"),
        (("--pump", "7"), "--pump: found 7, allowed 11, 21"),
        (("--check", __file__), f"{__file__}: line 1: found the columns "),
    ],
)
def test_what_can_not_be_done_has_exit_code_2_and_a_reason(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    code, said, complaint = run(*arguments)
    assert (code, said) == (2, "")
    assert complaint.startswith(f"calejo: {words}")


def test_equipment_that_can_not_be_read_is_no_agreement(run: Run, tmp_path: Path) -> None:
    Places(tmp_path / "state").equipment.write_text("{")
    code, _, complaint = run("--check", __file__)
    assert code == 2
    assert "not readable" in complaint
