"""The tests that the security page names are there: it shows no hole closed that nobody tries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"


def named() -> list[tuple[Path, str]]:
    """File and test of every test that the tables name."""
    found = []
    for protocol, section in (("opcua", "OPC UA"), ("modbus", "Modbus")):
        tables = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
        for row in re.findall(r"^\| .* \|$", tables, re.MULTILINE):
            file = Path()
            for word in re.findall(r"`test_\w+\.py`|\btest_\w+", row.rpartition(" | ")[2]):
                if word.startswith("`"):
                    file = ROOT / "tests" / "servers" / protocol / word.strip("`")
                elif f"`{word}.py`" not in row:
                    found.append((file, word))
    return found


def test_every_hole_of_the_page_has_a_test() -> None:
    rows = re.findall(r"^\| (?!hole|---).* \|$", PAGE.read_text(), re.MULTILINE)
    assert len(rows) > 40
    assert all(re.search(r"`test_\w+\.py` test_\w+ ?", row) for row in rows)


@pytest.mark.parametrize(("file", "test"), named())
def test_every_test_of_the_page_is_there(file: Path, test: str) -> None:
    assert re.search(rf"^def {test}\(", file.read_text(), re.MULTILINE)
