"""The oracle on staging."""

from __future__ import annotations

from types import SimpleNamespace as Row


def stage(station: Row, pumps: list[tuple[int, Row]], elapsed: float, settings: Row) -> None: ...
