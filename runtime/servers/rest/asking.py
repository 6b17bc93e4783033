"""Asks the scan for changes on behalf of all threads, many at a time, through one mirror."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from contextvars import ContextVar
from threading import Thread
from typing import Any, TypeVar

from runtime.servers.mirror import Answer, Asker, Mirror
from runtime.tag import Tag

T = TypeVar("T")
asked: ContextVar[bool] = ContextVar("asked", default=False)
"""Whether the scan was asked for what this thread's HTTP request wants: then that is recorded."""


class Loop:
    """An event loop in a thread of its own, for threads that have to wait with a limit."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Asking:
    """The one place where this server asks. The mirror stays on the loop's thread."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self.refusals = mirror.refusals
        self.notes = mirror.notes
        self._loop = Loop("asking")

    def ask(
        self, tag: Tag, slot: int, value: float, asker: Asker, shown: Tag, reference: int = 0
    ) -> tuple[Answer, int]:
        """Ask, and wait for the scan: its answer and what `shown` then is in the same row.

        Raises MailboxFull if the scan takes no requests.
        """
        asked.set(True)
        return self._loop.submit(self._ask(tag, slot, value, asker, shown, reference)).result()

    def ask_each(
        self, rows: Iterable[tuple[Tag, int]], value: float, asker: Asker
    ) -> list[tuple[Answer, int]]:
        """The same of many rows at once, each shown afterwards."""
        asked.set(True)
        waiting = [
            self._loop.submit(self._ask(tag, slot, value, asker, tag, 0)) for tag, slot in rows
        ]
        return [future.result() for future in waiting]

    async def _ask(
        self, tag: Tag, slot: int, value: float, asker: Asker, shown: Tag, reference: int
    ) -> tuple[Answer, int]:
        answer = await self._mirror.ask_async(tag, slot, value, asker, reference)
        return answer, int(self._mirror.columns[shown][slot])

    def close(self) -> None:
        self._loop.close()
        self._mirror.close()
