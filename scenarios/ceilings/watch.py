"""A process that watches its own ceilings."""

from __future__ import annotations

import platform
import time
from collections import deque
from collections.abc import Callable, Iterator

from scenarios.ceilings.exhaustion import taken_exhaustion
from scenarios.ceilings.judge import met_in
from scenarios.ceilings.met import IN_A_ROW, Met
from scenarios.ceilings.own_process import (
    Allowance,
    most_ports_to_one_address,
    open_files,
    port_limit,
)
from scenarios.ceilings.readings import Reading, Role
from scenarios.ceilings.soft_limits import file_limit

BEAT = 0.1
"""Seconds between the moments at which a loop should wake up."""
BEATS_A_LOOK = 10


class Watch:
    """Looks at this process from the thread of its event loop; `keep` gets each reading.

    `met` gets each ceiling the first time that it is met, for a log. `lateness` gives how late the
    most punctual arrival since the last look was; `origin` is when the schedule began.
    """

    def __init__(
        self,
        role: Role,
        process: str,
        keep: Callable[[Reading], None],
        *,
        met: Callable[[Met], None] = lambda met: None,
        lateness: Callable[[], float | None] = lambda: None,
        origin: float | None = None,
    ) -> None:
        self._role = role
        self._process = process
        self._keep = keep
        self._met = met
        self._lateness = lateness
        self._origin = origin
        self._host = platform.node()
        self._allowance = Allowance()
        self._ports = port_limit()
        self._recent: deque[Reading] = deque(maxlen=IN_A_ROW)
        self._said: set[str] = set()
        self._late = self._woken = 0.0
        self._wall = time.monotonic()
        self._thread = time.thread_time()
        self._all = time.process_time()

    def beats(self) -> Iterator[float]:
        """Seconds to sleep, again and again without an end; every second there is a look."""
        while True:
            for _ in range(BEATS_A_LOOK):
                due = time.monotonic() + BEAT
                yield BEAT
                self._late += max(0.0, time.monotonic() - due)
                self._woken += 1
            self.look()

    def look(self) -> None:
        """Take a reading now."""
        wall, thread, together = time.monotonic(), time.thread_time(), time.process_time()
        seconds = max(1e-6, wall - self._wall)
        files = open_files()
        # The table of connections is long where it matters, and need not be read where it is not.
        many = self._ports is not None and files >= self._ports / 2
        reading = Reading(
            process=self._process,
            role=self._role,
            host=self._host,
            at=round(time.time(), 3),
            seconds=round(seconds, 3),
            open_files=files,
            file_limit=file_limit(),
            ports=most_ports_to_one_address() if many else 0,
            port_limit=self._ports,
            loop=round((thread - self._thread) / seconds, 3),
            processor=round((together - self._all) / seconds, 3),
            cores=self._allowance.cores,
            memory_left=self._allowance.memory_left(),
            lag=round(self._late / self._woken, 4) if self._woken else 0.0,
            lateness=self._lateness(),
            origin=self._origin,
            errors=taken_exhaustion(),
        )
        self._wall, self._thread, self._all = wall, thread, together
        self._late = self._woken = 0.0
        self._keep(reading)
        self._recent.append(reading)
        for met in met_in(tuple(self._recent)):
            if met.ceiling not in self._said:
                self._said.add(met.ceiling)
                self._met(met)
