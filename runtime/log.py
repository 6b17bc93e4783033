"""Logs: one JSON object a line on stderr, or colours when a person looks at a terminal.

Every line says which process wrote it. `correlated` binds the identity of a request, so that the
lines it causes can be found by it. The scan logs only outside of its cycle.
"""

from __future__ import annotations

import logging
import os
import select
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import BinaryIO, cast

import orjson
import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = logging.getLevelNamesMapping()
STDERR = 2
PATIENCE = 0.05  # s that a line waits to be taken; then it is dropped
METHODS = {"warn": "WARNING", "exception": "ERROR", "fatal": "CRITICAL"}
LIBRARIES = logging.WARNING  # libraries tell less: what is normal for them is not news here

_threshold = logging.INFO


def configure(process: str, level: str) -> None:
    """Send the logs of this process, libraries included, to stderr from `level` on."""
    set_level(level)
    shared: list[Processor] = [
        _at_or_above_threshold,
        merge_contextvars,
        partial(_named, process),
        structlog.processors.add_log_level,
    ]
    if os.isatty(STDERR):
        looks: list[Processor] = [
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(),
            _encoded,
        ]
    else:
        looks = [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ]
    structlog.configure(
        [*shared, *looks],
        logger_factory=structlog.BytesLoggerFactory(cast(BinaryIO, _Stderr())),
    )
    logging.basicConfig(handlers=[_Forward()], level=LIBRARIES, force=True)
    logging.captureWarnings(capture=True)


def set_level(level: str) -> None:
    """Change the level of this process, of loggers in use too."""
    global _threshold
    _threshold = LEVELS[level.upper()]


def correlated(identity: object) -> AbstractContextManager[None]:
    """Give all lines written inside the block the correlation id of a request."""
    return bound_contextvars(correlation=str(identity))


def _at_or_above_threshold(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A processor rather than a filtering logger, which a later change of level wouldn't reach."""
    if LEVELS[METHODS.get(method, method.upper())] < _threshold:
        raise structlog.DropEvent
    return event


def _named(process: str, _: WrappedLogger, method: str, event: EventDict) -> EventDict:
    event["process"] = process
    return event


def _encoded(_: WrappedLogger, method: str, line: EventDict | str) -> bytes:
    return str(line).encode()


class _Stderr:
    """Where the lines go, each whole. When nobody reads them any longer, the process works on.

    That is so, too, when whoever should read them holds them up: a stopped terminal, a full pipe.
    """

    def write(self, line: bytes) -> None:
        with suppress(OSError):
            if select.select((), (STDERR,), (), PATIENCE)[1]:
                os.write(STDERR, line)

    def flush(self) -> None:
        """Nothing is held back."""


class _Forward(logging.Handler):
    """Takes what libraries log with the standard library's logging."""

    def emit(self, record: logging.LogRecord) -> None:
        level = min(record.levelno // 10 * 10, logging.CRITICAL)
        method = logging.getLevelName(max(level, logging.DEBUG)).lower()
        logger = structlog.get_logger(record.name)
        getattr(logger, method)(
            record.getMessage(), logger=record.name, exc_info=record.exc_info or None
        )
