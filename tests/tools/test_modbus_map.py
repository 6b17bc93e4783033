"""The page of the Modbus map is what the program declares."""

from __future__ import annotations

from runtime.registers import points
from runtime.tag import Space
from runtime.tags import SHOWN
from tools.modbus_map.__main__ import PAGE
from tools.modbus_map.page import page


def test_the_page_in_the_documentation_is_what_is_declared() -> None:
    assert page() == PAGE.read_text(), "run `python -m tools.modbus_map`"


def test_every_register_stands_on_the_page() -> None:
    text = PAGE.read_text()
    for table in SHOWN:
        of_table = text.partition(f"## Registers of {'the' if table is SHOWN[0] else 'a'} ")[2]
        assert of_table
        for space in Space:
            for point in points(table, space):
                assert f"| {point.tag.name} |" in text
                assert f"| {point.offset} |" in text
