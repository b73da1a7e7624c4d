"""The customers of one load-generator process, on an open schedule."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import gevent
from gevent.pool import Group

from loadtests.clock import RunClock
from loadtests.player import described, sleep_until
from loadtests.tally import Tally
from scenarios.ceilings.exhaustion import note_exhaustion
from scenarios.directives import Ending

logger = logging.getLogger(__name__)


class Crowd:
    """Issues arrivals at their planned times, whatever became of earlier ones: every customer has
    a greenlet of their own, and nothing here waits for a reply.

    `arrivals` gives the customers' numbers and planned times in seconds, in order of time; `play`
    plays one of them and blocks.
    """

    def __init__(
        self,
        arrivals: Iterable[tuple[int, float]],
        play: Callable[[int, float], Ending],
        clock: RunClock,
        on_ending: Callable[[str, float], None],
    ) -> None:
        self.tally = Tally()
        self._arrivals = arrivals
        self._play = play
        self._clock = clock
        self._on_ending = on_ending
        self._customers = Group()
        self._least_late: float | None = None

    def issue(self) -> None:
        """Issue every arrival, then wait until every journey has ended."""
        for number, planned in self._arrivals:
            if self._clock.now() < planned:
                sleep_until(planned, self._clock)
            else:
                gevent.sleep(0)  # behind the plan: still let earlier customers have their turn
            late = self._clock.now() - planned
            if self._least_late is None or late < self._least_late:
                self._least_late = late
            self.tally.arrivals += 1
            self._customers.add(gevent.spawn(self._one, number, planned))
        self.tally.all_issued = True
        self._customers.join()

    def take_lateness(self) -> float | None:
        """How many seconds late the most punctual arrival since the last time was issued; None
        without one."""
        taken, self._least_late = self._least_late, None
        return taken

    def stop(self) -> None:
        """Stop the journeys that are under way; they get no end."""
        self._customers.kill()

    def _one(self, number: int, planned: float) -> None:
        try:
            ending = self._play(number, planned)
        except Exception as error:
            self._crash(error)
            return
        self.tally.ended += 1
        self.tally.active += ending.state == "ACTIVE"
        self._on_ending(ending.state, self._clock.now() - planned)

    def _crash(self, error: Exception) -> None:
        """Say once what broke."""
        note_exhaustion(error)
        self.tally.crashed += 1
        if not self.tally.crash:
            self.tally.crash = described(error)
            logger.error("a journey broke off: %s", self.tally.crash)
