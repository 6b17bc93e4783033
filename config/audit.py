"""The audit log: how long it is kept, and where its anchors go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.notation import Directory
from config.quantity import Duration
from config.settings import Settings


class Audit(Settings):
    """The audit log in PostgreSQL."""

    keep: Annotated[float, Duration("30 d", "36500 d")] = Field(
        default=3660 * 86400.0,
        description="How long entries are kept; whole months go, the oldest first.",
    )
    anchors: Annotated[Path | None, Directory()] = Field(
        default=None,
        description="A second directory for the signed anchors, best on another machine: without "
        "one, whoever may write to database and state directory can cut the log unnoticed.",
    )
