"""The faults that are seeded into the blocks fit the sources; each gets the verdict it deserves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tools.mutate import trial
from tools.mutate.fault import FAULTS, TESTS, Fault, faults, misfits

SOURCE = "def low(speed: float) -> bool:\n    return speed < 25.0\n"
TEST = "from low import low\n\ndef test_low() -> None:\n    "
KILLER = "test_low.py"
RIGHT = Fault(
    name="low speed misjudged",
    means="a pump runs too slowly",
    file="low.py",
    old="speed < 25.0",
    new="speed > 25.0",
    killers=(KILLER,),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one block and one test."""
    (tmp_path / "low.py").write_text(SOURCE)
    tests = tmp_path / "tests" / "blocks"
    tests.mkdir(parents=True)
    (tests / KILLER).write_text(f"{TEST}assert low(20.0)\n")
    return tmp_path


def test_all_faults_fit_the_sources_of_today() -> None:
    assert list(FAULTS.glob("*.toml"))
    assert misfits(faults()) == []


def test_no_two_faults_share_a_name_or_a_change() -> None:
    known = faults()
    assert len({one.name for one in known}) == len(known)
    assert len({(one.file, one.old, one.new) for one in known}) == len(known)


def test_a_fault_is_one_change_of_the_source(project: Path) -> None:
    assert misfits([RIGHT], project) == []
    assert RIGHT.seeded(SOURCE) == SOURCE.replace("<", ">")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (replace(RIGHT, old="speed <= 25.0"), "low.py contains 0 times, not once:\nspeed <= 25.0"),
        (replace(RIGHT, old="speed"), "low.py contains 2 times, not once:\nspeed"),
        (replace(RIGHT, new="speed <"), "low.py would be no Python"),
        (replace(RIGHT, new="speed < 25.0"), "low.py would not change"),
        (replace(RIGHT, file="high.py"), "there is no high.py"),
        (replace(RIGHT, killers=(KILLER, "test_high.py")), "tests/blocks has no test_high.py"),
        (replace(RIGHT, killers=()), "names no test"),
    ],
)
def test_a_fault_that_does_not_fit_is_told_by_its_name(
    project: Path, wrong: Fault, said: str
) -> None:
    (error,) = misfits([RIGHT, wrong], project)
    assert error.startswith(f"low speed misjudged: {said}")


def add_test(project: Path, name: str, body: str) -> None:
    (project / TESTS / name).write_text(f"{TEST}{body}\n")


def test_a_fault_is_noticed_by_the_test_that_it_names_and_gone_afterwards(project: Path) -> None:
    verdict = trial.test(project, RIGHT)
    assert (verdict.killer, verdict.named) == (f"{KILLER}::test_low", True)
    assert (project / "low.py").read_text() == SOURCE


def test_a_fault_is_noticed_by_another_test_if_those_that_it_names_pass(project: Path) -> None:
    add_test(project, KILLER, "pass")
    add_test(project, "test_other.py", "assert low(20.0)")
    verdict = trial.test(project, RIGHT)
    assert (verdict.killer, verdict.named) == ("test_other.py::test_low", False)


def test_a_fault_that_no_test_notices_survives(project: Path) -> None:
    add_test(project, KILLER, "pass")
    add_test(project, "test_other.py", "assert not low(25.0)")
    assert not trial.test(project, RIGHT).killer


def test_a_test_that_fails_anyway_notices_nothing(project: Path) -> None:
    add_test(project, KILLER, "pass")
    add_test(project, "test_other.py", "assert low(30.0) and low(20.0)")
    with pytest.raises(trial.Unusable, match=r"test_other\.py::test_low fails without any fault"):
        trial.test(project, RIGHT)
