"""Which alarms are shelved until they end, kept in a file.

The image knows that an alarm is shelved, and until when at the latest; that it comes back before,
as soon as it ends, is a matter between the clients of OPC UA and this process. A file that can't be
read, or is lost, costs no more than that: what it named comes back after its time.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

logger = structlog.get_logger()


@dataclass(frozen=True)
class OneShot:
    """A condition by its path, the ControlTime (s) until which it is shelved, and by whom."""

    path: str
    until: int
    user: str


class OneShots:
    """The file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> frozenset[OneShot]:
        """What was kept last; nothing if that can't be read."""
        try:
            found = json.loads(self._path.read_bytes())
            return frozenset(
                OneShot(str(one["path"]), int(one["until"]), str(one["user"])) for one in found
            )
        except FileNotFoundError:
            return frozenset()
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("one-shot shelving forgotten", file=str(self._path), reason=str(error))
            return frozenset()

    def keep(self, found: frozenset[OneShot]) -> None:
        """Have it on disk; an older content stays if that fails."""
        partial = self._path.with_suffix(".partial")
        try:
            with partial.open("w") as file:
                json.dump([asdict(one) for one in sorted(found, key=lambda one: one.path)], file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
        except OSError as error:
            logger.warning("one-shot shelving not kept", file=str(self._path), reason=str(error))
