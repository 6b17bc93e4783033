"""Logs: one JSON object a line, on stderr or in files; colours when a person looks at a terminal.

Every line says which process wrote it. `correlated` binds the identity of a request, so that the
lines it causes can be found by it. The scan logs only outside of its cycle.

The level can be changed while a process runs: a word in the file that it looks at before each line.
"""

from __future__ import annotations

import logging
import os
import select
import sys
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import orjson
import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from config import LogFiles
from runtime.logfile import LogFile

LEVELS = logging.getLevelNamesMapping()
STDERR = 2
PATIENCE = 0.05  # s that a line waits to be taken; then it is dropped
METHODS = {"warn": "WARNING", "exception": "ERROR", "fatal": "CRITICAL"}
LIBRARIES = logging.WARNING  # libraries tell less: what is normal for them is not news here


class _Level:
    """The least level of what is logged: as configured, unless the file says another."""

    def __init__(self) -> None:
        self.configured = logging.INFO
        self._path: Path | None = None
        self._seen = 0  # when the file was written that `_asked` is from
        self._asked: int | None = None

    def configure(self, level: str, path: Path | None) -> None:
        self.configured, self._path = LEVELS[level.upper()], path
        self._seen, self._asked = 0, None

    @property
    def threshold(self) -> int:
        if self._path is not None:
            self._look(self._path)
        return self.configured if self._asked is None else self._asked

    def _look(self, path: Path) -> None:
        try:
            written = os.stat(path).st_mtime_ns
            if written != self._seen:
                self._seen = written
                self._asked = LEVELS.get(path.read_text().strip().upper())
        except OSError:
            self._seen, self._asked = 0, None


_level = _Level()


def configure(
    process: str, level: str, level_file: Path | None = None, files: LogFiles | None = None
) -> None:
    """Send the logs of this process, libraries included, to where they belong, from `level` on.

    A level in `level_file` counts instead. With a directory in `files` the lines go there; a
    terminal shows them too.
    """
    _level.configure(level, level_file)
    terminal = os.isatty(STDERR)
    to_file = _file(process, files)
    processors: list[Processor] = [
        _at_or_above_threshold,
        merge_contextvars,
        partial(_named, process),
        structlog.processors.add_log_level,
    ]
    if terminal and to_file:
        processors.append(_Shown())
    processors += _TERMINAL if terminal and not to_file else _JSON
    structlog.configure(
        processors,
        logger_factory=structlog.BytesLoggerFactory(to_file or cast(BinaryIO, _Stderr())),
    )
    logging.basicConfig(handlers=[_Forward()], level=LIBRARIES, force=True)
    logging.captureWarnings(capture=True)


def beside_reports() -> None:
    """Send what a command logs to stderr: its report is on stdout, and may go on to a program."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def _file(process: str, files: LogFiles | None) -> BinaryIO | None:
    if files is None or files.directory is None:
        return None
    return cast(BinaryIO, _File(LogFile(files.directory, process, files.size, files.keep)))


def correlated(identity: object) -> AbstractContextManager[None]:
    """Give all lines written inside the block the correlation id of a request."""
    return bound_contextvars(correlation=str(identity))


def _at_or_above_threshold(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A processor rather than a filtering logger, which a later change of level wouldn't reach."""
    if LEVELS[METHODS.get(method, method.upper())] < _level.threshold:
        raise structlog.DropEvent
    return event


def _named(process: str, _: WrappedLogger, method: str, event: EventDict) -> EventDict:
    event["process"] = process
    return event


def _encoded(_: WrappedLogger, method: str, line: EventDict | str) -> bytes:
    return str(line).encode()


_TERMINAL: tuple[Processor, ...] = (
    structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    structlog.dev.ConsoleRenderer(),
    _encoded,
)
_JSON: tuple[Processor, ...] = (
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(serializer=orjson.dumps),
)


class _Shown:
    """Shows a line on the terminal on its way into the file."""

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        shown: EventDict = dict(event)
        for processor in _TERMINAL:
            shown = cast(EventDict, processor(logger, method, shown))
        _Stderr().write(cast(bytes, shown) + b"\n")
        return event


class _File:
    """Where the lines go: the file, and stderr while the disk doesn't take them."""

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._otherwise = _Stderr()

    def write(self, line: bytes) -> None:
        try:
            self._file.write(line)
        except OSError:
            self._otherwise.write(line)

    def flush(self) -> None:
        """Nothing is held back."""


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
