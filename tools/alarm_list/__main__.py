"""Writes docs/alarms.md: `python -m tools.alarm_list`."""

from __future__ import annotations

from pathlib import Path

from runtime.tags import ALARMS
from tools.alarm_list.page import page

PAGE = Path(__file__).parents[2] / "docs" / "alarms.md"


def main() -> None:
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
    print(f"{PAGE}: {len(ALARMS)} alarms")


if __name__ == "__main__":
    main()
