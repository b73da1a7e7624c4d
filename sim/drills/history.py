"""When customers were told that work was done: the acknowledgements that a disaster may undo.

One simulated run of the scenario without a drill gives them; every drill is laid over it at its own
moment. A drill needs of the run only what was acknowledged before the fault, which the fault cannot
have changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from reports.claims import scratch
from reports.recorder import scan_events
from scenarios.contract import State
from scenarios.schema import Scenario
from sim.run import run_sim

WORK = ("register", "documents", "submit", "confirm", "authorise", "test_payment")
"""Steps whose acknowledgement is a promise."""
_OF_BINDING = ("submit", "confirm", "authorise", "test_payment")

Times = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Loss:
    """What a gap in the record holds: the time of its first acknowledgement (None: nobody was told
    anything), and how many bindings were told a state."""

    first: float | None
    bindings: int


class History:
    """Acknowledgements of a run of `until` seconds.

    `told` are the times at which customers had the answer, rising; `subjects` whose binding it was,
    -1 where it was an applicant's; `way` the seconds from the commit to the customer.

    From `steady` to `until` the run is its own continuation: with `endless`, times outside wrap
    into that stretch, so that backups of any age find load before them.
    """

    def __init__(
        self, told: Times, subjects: Numbers, *, until: float, steady: float = 0.0, way: float = 0.0
    ) -> None:
        self.until, self.steady, self.way = until, steady, way
        self._told = told
        self._bindings, self._later = _bindings(told, subjects)
        inside = (told >= steady) & (told < until)
        period = until - steady
        # The stretch before itself: a window of up to one period that ends in it lies in both.
        copies = np.concatenate([told[inside] - period, told[inside]])
        shifted = subjects[inside] + (subjects.max(initial=0) + 1) * (subjects[inside] >= 0)
        self._loop = copies
        self._loop_bindings, self._loop_later = _bindings(
            copies, np.concatenate([shifted, subjects[inside]])
        )
        self._each_period = _begun(told, subjects, steady, until)

    @property
    def period(self) -> float:
        """Seconds of the stretch that repeats."""
        return self.until - self.steady

    def lost(self, since: float, until: float, *, endless: bool) -> Loss:
        """What was committed after `since` and acknowledged by `until`."""
        since += self.way
        if until <= since:
            return Loss(None, 0)
        if not endless:
            first = _first(self._told, since, until)
            return Loss(first, _count(self._bindings, self._later, since, until))
        whole, rest = divmod(until - since, self.period)
        ends = self.steady + (until - self.steady) % self.period
        bindings = _count(self._loop_bindings, self._loop_later, ends - rest, ends)
        found = _first(self._loop, ends - rest, ends)
        if whole and found is None:
            found = _first(self._loop, ends - self.period, ends)
        first = None if found is None else since + (found - (ends - rest)) % self.period
        return Loss(first, bindings + round(whole) * self._each_period)

    def acknowledged(self, since: float, until: float, *, endless: bool) -> float:
        """How many acknowledgements there were from `since` to `until`; of a stretch that repeats,
        the number to be expected."""
        if until <= since:
            return 0.0
        if endless:
            return len(self._loop) / 2 / self.period * (until - since)
        low, high = np.searchsorted(self._told, [since, until], side="right")
        return float(high - low)


def record_history(scenario: Scenario) -> History:
    """Simulate the scenario as it is, its own faults included, and keep what was acknowledged.

    Raises KeyboardInterrupt when it was interrupted.
    """
    with scratch() as folder:
        if run_sim(scenario, folder).state == "interrupted":
            raise KeyboardInterrupt
        events = scan_events(folder).collect()
    told = events.filter(
        (pl.col("kind") == "request")
        & pl.col("step").is_in(WORK)
        & (pl.col("status") >= 200)
        & (pl.col("status") < 300)
        & (pl.col("ended") <= scenario.duration)
    ).sort("ended", "customer", "step")
    subjects = told.select(
        pl.when(pl.col("step").is_in(_OF_BINDING)).then(pl.col("customer")).otherwise(-1)
    ).to_series()
    # Longer than most journeys take, so that as many end as begin.
    journeys = events.filter((pl.col("kind") == "end") & (pl.col("state") == State.ACTIVE.value))
    longest = (journeys["ended"] - journeys["intended"]).quantile(0.95)
    return History(
        told["ended"].to_numpy(),
        subjects.to_numpy().astype(np.int64),
        until=scenario.duration,
        steady=min(longest or 0.0, scenario.duration / 2),
        way=scenario.world.network.p50 / 2,
    )


def _bindings(told: Times, subjects: Numbers) -> tuple[Times, Times]:
    """The times at which bindings were told something, and when each was told the next thing."""
    at, of = told[subjects >= 0], subjects[subjects >= 0]
    later = np.full(len(at), np.inf)
    order = np.lexsort((at, of))
    same = of[order][:-1] == of[order][1:]
    later[order[:-1][same]] = at[order[1:][same]]
    return at, later


def _begun(told: Times, subjects: Numbers, since: float, until: float) -> int:
    """Bindings that were told their first state in a stretch."""
    at, of = told[subjects >= 0], subjects[subjects >= 0]
    _, firsts = np.unique(of, return_index=True)
    return int(np.count_nonzero((at[firsts] >= since) & (at[firsts] < until)))


def _count(at: Times, later: Times, since: float, until: float) -> int:
    low, high = np.searchsorted(at, [since, until], side="right")
    # A binding counts by the last thing that it was told.
    return int(np.count_nonzero(later[low:high] > until))


def _first(told: Times, since: float, until: float) -> float | None:
    place = int(np.searchsorted(told, since, side="right"))
    return float(told[place]) if place < len(told) and told[place] <= until else None
