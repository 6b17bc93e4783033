"""The tag tables: parts that make one table, and machine code that goes by all their files."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from runtime.comparison import RECORDED
from runtime.compiled import sources
from runtime.tag import Table, Tag
from runtime.tags import TAGS

ROOT = Path(__file__).parents[2]
LOADED = """
import sys
import blocks.duty
print(*(m.__file__ for name, m in sys.modules.items() if name.startswith(("blocks.", "runtime."))))
"""


class Upper(Table):
    Level = Tag("Level.")


class Lower(Table):
    Flow = Tag("Flow.")


class Whole(Upper, Lower):
    pass


def test_a_table_has_the_tags_of_its_parts_in_their_order() -> None:
    assert [*Whole.tags()] == [Whole.Level, Whole.Flow]
    assert [repr(tag) for tag in Whole.tags()] == ["Whole.Level", "Whole.Flow"]
    assert Whole.tag("Flow") is Lower.Flow


def test_no_two_tags_of_a_table_have_one_name() -> None:
    assert [name for name, times in Counter(map(repr, TAGS)).items() if times > 1] == []


def test_machine_code_of_a_law_goes_by_every_file_that_its_module_loads() -> None:
    command = [sys.executable, "-c", LOADED]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert {Path(file) for file in run.stdout.split()} <= sources("blocks.duty")


def test_recorded_tags_are_whole_numbers_without_sign_as_the_comparison_takes_them() -> None:
    assert {tag.dtype for tag in RECORDED} <= {"?", "u1", "u2", "u4", "u8"}
