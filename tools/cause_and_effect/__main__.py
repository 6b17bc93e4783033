"""Writes docs/cause-and-effect.md: `python -m tools.cause_and_effect`."""

from __future__ import annotations

from pathlib import Path

from tools.cause_and_effect.page import page, rows

PAGE = Path(__file__).parents[2] / "docs" / "cause-and-effect.md"


def main() -> None:
    table = rows()
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(table))
    print(f"{PAGE}: {len(table)} rows")


if __name__ == "__main__":
    main()
