"""What a server says of its health: as good as the snapshot that it shows."""

from __future__ import annotations

from runtime.progress import State
from runtime.servers.mirror import View


def health(view: View, words: str) -> tuple[State, str]:
    """The state, and what the server says of itself with what is wrong with the snapshot."""
    if not view.sequence:
        return State.DEGRADED, f"{words}; the scan has not published yet"
    if view.stale:
        return State.DEGRADED, f"{words}; the scan has stood still for {view.age:.0f} s"
    return State.GOOD, words
