"""Writes docs/modbus-map.md: `python -m tools.modbus_map`."""

from __future__ import annotations

from pathlib import Path

from tools.modbus_map.page import page

PAGE = Path(__file__).parents[2] / "docs" / "modbus-map.md"


def main() -> None:
    PAGE.write_text(page())
    print(f"{PAGE}: written")


if __name__ == "__main__":
    main()
