"""The fence against split brain: which timelines may not serve any more, kept outside all servers.

Before a standby is promoted, everything up to the timeline it has followed is closed, once and for
all, and whoever watches is told at once: running primaries of closed timelines are killed (power
fencing), endpoints cut their connections. Only then does the promotion, which begins a newer
timeline, take place. A server on a closed timeline is started without an entrance, and an endpoint
never forwards to it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from loadtests.process import StackProblem


class Fenced(StackProblem):
    """A server on a closed timeline was asked to serve or to be promoted."""


class _Closed(msgspec.Struct, frozen=True):
    """Up to `timeline`, on behalf of the promotion of `holder`."""

    timeline: int = 0
    holder: str = ""


class Fence:
    """The closed timelines of one replicated database, in a small file that survives crashes.

    `file`: where; it is created at the first promotion. All processes that share the file share the
    fence; those that watch are told only of what their own process closes.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._watchers: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @property
    def closed(self) -> int:
        """The newest closed timeline; 0 before the first promotion. Raises StackProblem when the
        file cannot be read: who cannot ask may not serve."""
        return self._read().timeline

    def admits(self, timeline: int) -> bool:
        """Whether a primary on `timeline` may serve."""
        return timeline > self.closed

    def close(self, timeline: int, holder: str) -> None:
        """Close all up to `timeline` for the promotion of `holder`, and tell the watchers. Raises
        Fenced when somebody else's promotion has closed it already."""
        with self._lock:
            there = self._read()
            if timeline <= there.timeline and holder != there.holder:
                raise Fenced(
                    f"{holder} is on timeline {timeline}, and {there.holder} was promoted from"
                    f" timeline {there.timeline}: rewind {holder} first"
                )
            if timeline > there.timeline:
                self._write(_Closed(timeline, holder))
        self._tell()

    def watch(self, told: Callable[[], None]) -> Callable[[], None]:
        """Call `told` after each closing, before the promotion that it is for; what it raises keeps
        the promotion from going on. Returns what ends this."""
        self._watchers.append(told)

        def end() -> None:
            if told in self._watchers:
                self._watchers.remove(told)

        return end

    def _tell(self) -> None:
        """All of them, also when one cannot do its part."""
        failed: StackProblem | None = None
        for told in tuple(self._watchers):
            try:
                told()
            except StackProblem as problem:
                failed = failed or problem
        if failed is not None:
            raise failed

    def _read(self) -> _Closed:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Closed)
        except FileNotFoundError:
            return _Closed()
        except (OSError, msgspec.MsgspecError) as error:
            raise StackProblem(f"the fence {self._file} cannot be read: {error}") from None

    def _write(self, closed: _Closed) -> None:
        part = self._file.with_suffix(".part")
        with part.open("wb") as stream:
            stream.write(msgspec.json.encode(closed))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
