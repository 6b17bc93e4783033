"""Alerts at work: it looks at the image, keeps the outbox, and has the channels deliver."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping

import structlog
from pydantic import SecretStr

from config import Config
from runtime import spoolfile
from runtime.alerts import wording
from runtime.alerts.announcements import Announcements, Mark
from runtime.alerts.channel import Channel, heartbeats
from runtime.alerts.dispatch import Dispatch
from runtime.alerts.evidence import seen
from runtime.alerts.occurrences import Occurrence, passed, standing, standstill
from runtime.alerts.outbox import Claim, Outbox
from runtime.alerts.tidying import forget
from runtime.alerts.wording import Account
from runtime.ending import Ending
from runtime.layout import Capacity
from runtime.places import Places
from runtime.progress import Progress, State
from runtime.servers.mirror import View
from runtime.tags import System

POLL = 0.05  # s between looks at the image
STEP = 0.5  # s between looks at the clock, when no alarm comes or goes
TIDY = 3600.0  # s between clearings of what is old
EDGES = 10_000  # that are followed at most before it is written down how far
KEPT = 30 * 86_400.0  # s that the outbox remembers what has ended
RETRY = 0.5  # s between attempts on a disk that doesn't write
END = 0.6  # s for the channels to end; an attempt in progress comes again after the next start

logger = structlog.get_logger()


class Service:
    """Does in each `step` what there is to do."""

    def __init__(self, config: Config, places: Places, urls: Mapping[str, SecretStr]) -> None:
        self._config = config
        self._settings = config.alerts
        self._path = places.outbox
        self._view = View(places, Capacity.of(config.capacity))
        self._announcements = Announcements(places, self._view.layout)
        self._mark: Mark | None = None
        self._found: dict[str, Occurrence] = {}
        self._outbox: Outbox | None = None
        self._dispatch: Dispatch | None = None
        self._stepped = self._tidied = self._retry = 0.0
        self.problem = ""
        self.channels = [
            Channel(name, urls[name].get_secret_value(), settings.timeout, places.outbox)
            for name, settings in self._settings.channels.items()
        ]
        for channel in self.channels:
            if channel.channel == self._settings.heartbeat.channel:
                channel.beat_with(self._heartbeats())

    def start(self) -> None:
        """Free what an earlier life of this process was attempting, and begin to deliver."""
        try:
            self._open()
            assert self._outbox is not None
            self._outbox.release()
        except (sqlite3.Error, OSError) as error:
            self._fail(error, time.monotonic())
        for channel in self.channels:
            channel.start()

    def step(self) -> None:
        """Look at the image, and have told what is to be told."""
        now = time.monotonic()
        if now < self._retry:
            return
        fresh = self._view.refresh()
        if not self._view.sequence:
            return
        try:
            changed = self._take(fresh, now)
        except (sqlite3.Error, OSError) as error:
            self._fail(error, now)
        else:
            self.problem = ""
            if changed:
                for channel in self.channels:
                    channel.wake.set()

    def _take(self, fresh: bool, now: float) -> bool:
        """Dispatch what stands, and what has passed since the last look; whether that is news."""
        dispatch = self._open()
        found = self._look(dispatch) if fresh or self._view.stale else self._found
        scan = int(self._view.columns[System.Scan][0])
        announced, mark = self._announcements.take(self._mark or dispatch.mark, scan)
        changed = found.keys() != self._found.keys() or found != self._found or bool(announced)
        if not changed and now - self._stepped < STEP:
            return False
        utc = time.time()
        stand = {one.thing: one for one in found.values()}
        stood = {one.thing: one for one in self._found.values()}
        over = passed(announced, self._view, stand, stood, utc)
        kept = None if _is_far(dispatch.mark, mark) or announced else dispatch.mark
        dispatch.step(found.values(), self._describe, utc, over, kept or mark)
        self._mark, self._found, self._stepped = mark, found, now
        self._tidy(now)
        return changed

    def require_all(self) -> None:
        """A thread that died of an error takes the process along: the supervisor starts it anew."""
        for channel in self.channels:
            if not channel.is_alive():
                raise RuntimeError(f"the thread of channel {channel.channel} ended with an error")

    def stop(self) -> None:
        for channel in self.channels:
            channel.stop()
        for channel in self.channels:
            channel.join(END / len(self.channels))
        if self._outbox is not None:
            self._outbox.close()

    @property
    def health(self) -> tuple[State, str]:
        """How the process is, in one line."""
        broken = [f"{one.channel}: {one.problem}" for one in self.channels if one.problem]
        alarms = self._dispatch.standing if self._dispatch else 0
        flood = "; FLOOD: digests" if self._dispatch and self._dispatch.flood else ""
        said = f"channels: {len(self.channels)}, standing alarms: {alarms}{flood}"
        if self.problem:
            return State.DEGRADED, f"outbox: {self.problem}; {said}"
        if not self._view.sequence:
            return State.DEGRADED, f"{said}; there is no image yet"
        if broken:
            return State.DEGRADED, "; ".join([*broken, said])
        return State.GOOD, said

    def _look(self, dispatch: Dispatch) -> dict[str, Occurrence]:
        """What stands; while the scan stands still, what stood last, and that."""
        still = standstill(self._view)
        stands = standing(self._view, dispatch.known)
        return {one.key: one for one in (*stands, *([still] if still else []))}

    def _describe(self, found: Occurrence) -> Account:
        """What there is to say; how the values were when an alarm passed, nobody saw."""
        values: tuple[list[str], list[str]] = [], []
        if found.ended is None:
            values = seen(self._view.columns, self._config, found.tag, found.slot)
        return wording.account(found, self._view.equipment, values)

    def _heartbeats(self) -> Callable[[], Claim | None]:
        zone = self._settings.timezone
        return heartbeats(
            self._settings.heartbeat.every,
            lambda: not self.problem and not self._view.stale,
            lambda at: wording.heartbeat(zone, at),
        )

    def _open(self) -> Dispatch:
        if self._outbox is None or self._dispatch is None:
            self._outbox = self._outbox or Outbox(self._path)
            self._dispatch = Dispatch(self._outbox, self._settings)
        return self._dispatch

    def _tidy(self, now: float) -> None:
        assert self._outbox is not None
        self._outbox.expire(time.time())
        if not self._tidied or now - self._tidied > TIDY:
            forget(self._outbox.connection, time.time() - KEPT)
            self._tidied = now

    def _fail(self, error: Exception, now: float) -> None:
        """Nothing is forgotten: what stands is found again with the next look."""
        if str(error) != self.problem:
            logger.error("the outbox can not be written", reason=str(error))
        self.problem = str(error)
        self._retry = now + RETRY
        if self._outbox is not None:
            self._outbox.close()
        self._outbox = self._dispatch = self._mark = None
        if spoolfile.is_broken(error):
            spoolfile.set_aside(self._path)


def _is_far(written: Mark | None, mark: Mark | None) -> bool:
    """Whether a mark is so far from the one that is written down that it has to be, too."""
    if written is None or mark is None or written.ring != mark.ring:
        return True
    return mark.position - written.position > EDGES


def serve(
    config: Config,
    places: Places,
    urls: Mapping[str, SecretStr],
    ending: Ending,
    progress: Progress,
) -> None:
    """Deliver until told to end."""
    service = Service(config, places, urls)
    service.start()
    try:
        while not ending.asked:
            service.step()
            service.require_all()
            progress.say(*service.health)
            progress.beat()
            time.sleep(POLL)
    finally:
        service.stop()
