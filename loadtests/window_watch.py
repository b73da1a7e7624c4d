"""What the processes of a live run did between two moments of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from loadtests.processors import CpuTime, cpu_times
from loadtests.store_work import store_work
from reports.progress import Progress


class Done(msgspec.Struct, frozen=True):
    """Between two looks at `begin` and `end`, in seconds since the run began: processor time, and
    what the lender's store did, by its counters (empty when the lender was not asked, or too busy
    to say)."""

    begin: float
    end: float
    cpu: CpuTime
    store: dict[str, float]

    @property
    def seconds(self) -> float:
        """How far apart the looks are."""
        return self.end - self.begin


class WindowWatch:
    """Looks at the processes at both ends of `window` (seconds since the run began). `lender`: the
    URL of a lender to ask for its store's work too."""

    def __init__(self, window: tuple[float, float], lender: str | None) -> None:
        self._window = window
        self._lender = lender
        self._looks: list[Done] = []

    def following(self, on_progress: Callable[[Progress], None]) -> Callable[[Progress], None]:
        """`on_progress`, with the looks taken on the way."""

        def follow(progress: Progress) -> None:
            on_progress(progress)
            if len(self._looks) < 2 and progress.now >= self._window[len(self._looks)]:
                store = store_work(self._lender) if self._lender else {}
                self._looks.append(Done(0.0, progress.now, cpu_times(), store))

        return follow

    @property
    def done(self) -> Done | None:
        """What was done between both looks; None when everybody had ended before the second."""
        if len(self._looks) < 2:
            return None
        first, last = self._looks
        both = first.store and last.store
        return Done(
            begin=first.end,
            end=last.end,
            cpu=last.cpu.since(first.cpu),
            store={name: last.store[name] - first.store[name] for name in last.store}
            if both
            else {},
        )
