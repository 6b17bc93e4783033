"""What a session has not been told yet of its browsing: references, by continuation point."""

from __future__ import annotations

import secrets

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.limits import MOST_BROWSES, MOST_REFERENCES
from runtime.servers.opcua.references import References


class Continuations:
    """The rests of one session: each can be continued, or released, once.

    A point that a client never comes back for stays until its session ends; that MOST_BROWSES of
    them may wait is all that one session can cost.
    """

    def __init__(self) -> None:
        self._rests: dict[bytes, tuple[References, int]] = {}

    def begin(self, found: References, asked: int) -> ua.BrowseResult:
        """The first references of a browse: as many as asked for (0: as many as may be)."""
        most = min(asked or MOST_REFERENCES, MOST_REFERENCES)
        if len(found) > most and len(self._rests) >= MOST_BROWSES:
            return refusal(StatusCodes.BadNoContinuationPoints)
        return self._part(found, most)

    def go_on(self, point: bytes | None) -> ua.BrowseResult:
        """The next references of a browse."""
        found, most = self._rests.pop(point or b"", (None, 0))
        if found is None:
            return refusal(StatusCodes.BadContinuationPointInvalid)
        return self._part(found, most)

    def release(self, point: bytes | None) -> ua.BrowseResult:
        """Forget the rest of a browse."""
        if self._rests.pop(point or b"", None) is None:
            return refusal(StatusCodes.BadContinuationPointInvalid)
        return ua.BrowseResult()

    def _part(self, found: References, most: int) -> ua.BrowseResult:
        if len(found) <= most:
            return ua.BrowseResult(References=found)
        point = secrets.token_bytes(16)
        self._rests[point] = found[most:], most
        return ua.BrowseResult(
            ContinuationPoint=ua.ContinuationPoint(point), References=found[:most]
        )


def refusal(status: int) -> ua.BrowseResult:
    return ua.BrowseResult(ua.StatusCode(ua.UInt32(status)))
