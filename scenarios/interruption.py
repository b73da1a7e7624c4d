"""How a command is ended from outside: Ctrl-C, SIGTERM and SIGHUP are one and the same."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A key, `docker stop` or a cancelled job, and a terminal that was closed."""
PATIENCE = 60.0
"""Seconds in which the signals after the first are not heeded. They come in twos (a terminal's and
the shell's, `make`'s after the key's), and the second must not break the tidying after the first;
later ones may be meant for a process that lost the first."""


def heeded() -> tuple[signal.Signals, ...]:
    """The endings that this process was not started deaf to, as `nohup` makes it to SIGHUP."""
    return tuple(each for each in ENDINGS if signal.getsignal(each) is not signal.SIG_IGN)


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Every ending raises KeyboardInterrupt while this lasts."""
    last = -PATIENCE

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PATIENCE:
            last = now
            raise KeyboardInterrupt

    with _handled(interrupt):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """Endings have to wait: a second one must not interrupt the tidying after the first."""
    with _handled(_not_now):
        yield


def leave_to_parent() -> None:
    """This process ignores endings: they reach its whole group, and the process that gave out the
    work decides."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)


def _not_now(number: int, frame: FrameType | None) -> None:
    """Not SIG_IGN, which processes that are started meanwhile would inherit."""


@contextmanager
def _handled(handler: Any) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    before = {number: signal.signal(number, handler) for number in heeded()}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, signal.SIG_DFL if earlier is None else earlier)
