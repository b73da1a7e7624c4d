"""Structured logs: one JSON line an event, with no personal data in it."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any, TextIO, cast

import msgspec
import structlog

from mocks.masking import mask_payload

Log = structlog.typing.FilteringBoundLogger

_STDERR = 2


class LogStream:
    """Appends to a file, or to stderr. A line that finds no room is lost, and told of when there is
    room again: nothing that is logged may fail for it. Raises OSError when it cannot be opened."""

    def __init__(self, path: Path | None) -> None:
        where = _STDERR if path is None else path
        self._file = open(where, "ab", buffering=0, closefd=path is not None)  # noqa: SIM115
        self._lost = 0

    def write(self, text: str) -> None:
        """Write a line, all of it or nothing that counts."""
        line = text.encode(errors="replace")
        if self._lost:
            line = (
                b'\n{"event":"log_lines_lost","count":%d,"level":"warning"}\n' % self._lost + line
            )
        try:
            while line:
                line = line[self._file.write(line) :]
        except (OSError, ValueError):  # no room, nobody reads it, or closed
            self._lost += 1
        else:
            self._lost = 0

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Write no more."""
        self._file.close()


def open_log(path: Path | None) -> tuple[Log, LogStream]:
    """A logger that appends to `path`, or writes to stderr, and the stream behind it. Raises
    OSError."""
    stream = LogStream(path)
    return make_log(stream), stream


def make_log(stream: LogStream) -> Log:
    """A logger that writes JSON lines to `stream`."""
    log: Log = structlog.wrap_logger(
        structlog.WriteLogger(cast(TextIO, stream)),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _masked,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return log


def failure(error: BaseException) -> dict[str, Any]:
    """What may be logged of an exception: its type and where it was raised. Never its message,
    which can quote what a customer sent."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return {
        "error": type(error).__name__,
        "where": [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames],
    }


def quiet_stdlib(log: Log) -> logging.Logger:
    """A standard-library logger for aiohttp whose records arrive in `log` without their messages'
    arguments, which can hold what a client sent."""
    logger = logging.Logger("bindrill.http", logging.WARNING)
    logger.addHandler(_Forward(log))
    return logger


class _Forward(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._log.warning("http_error", **(failure(error) if error else {"at": record.module}))


def _masked(_: Any, __: str, event: Any) -> Any:
    return mask_payload(dict(event))


def _dumps(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
