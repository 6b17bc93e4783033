"""When the server looks at the image: as often as somebody looks at the server.

Taking a snapshot of 10,000 pumps copies 11 MB. While nothing is monitored, nobody needs ten of them
a second: a read takes the newest one first, and the server itself looks once a second, at what
stations and pumps there are and how well the scan does. That the scan stands still is seen at
once, whenever the last snapshot was taken.
"""

from __future__ import annotations

import time

from runtime.servers.mirror import Mirror

READ = 0.02  # s: reads within that time are of one snapshot, however many clients there are
IDLE = 1.0  # s between looks while nothing is monitored


class Freshness:
    """Takes snapshots."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._looked = 0.0

    def look(self, interval: float = READ) -> None:
        """Take the newest snapshot, unless that was done within the interval, in s."""
        now = time.monotonic()
        if now - self._looked >= interval:
            self._looked = now
            self._mirror.refresh()
