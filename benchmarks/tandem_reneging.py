"""Three stations in tandem with impatient customers, against Ciw and salabim.

Poisson arrivals, exponential services and patience; who waits longer than their patience leaves for
good. All three simulators get gaps, services and patience from the same distributions. The first
station is M/M/c+M, whose share of customers who leave is known exactly (Palm 1957, a birth-death
chain): ours must hold it within its 99 % interval, and the peers must agree with it roughly, or
the benchmark fails.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Generator, Sequence

import ciw
import numpy as np
import salabim
from scipy import stats
from simpy import Environment, Event

from benchmarks.result import report
from sim.clock import after, start, wait

RATE = 7.6
"""Arrivals a second."""
SERVERS = (8, 7, 7)
SERVICE = 1.0  # mean seconds
PATIENCE = 2.0  # mean seconds
CUSTOMERS = 20_000
REPLICATIONS = 10

Draws = tuple[list[float], list[list[float]], list[list[float]]]
"""Gaps, then services and patience of each station, by customer."""


def drawn(seed: int) -> Draws:
    """The draws of one replication."""
    rng = np.random.default_rng(seed)
    return (
        rng.exponential(1 / RATE, CUSTOMERS).tolist(),
        [rng.exponential(SERVICE, CUSTOMERS).tolist() for _ in SERVERS],
        [rng.exponential(PATIENCE, CUSTOMERS).tolist() for _ in SERVERS],
    )


class Station:
    """Places, and a line that customers leave when their patience ends."""

    def __init__(self, env: Environment, places: int) -> None:
        self._env = env
        self._free = places
        self._line: deque[Event] = deque()
        self.left = 0

    async def enter(self, patience: float) -> bool:
        """Whether the customer got a place."""
        if self._free:
            self._free -= 1
            return True
        turn = self._env.event()
        self._line.append(turn)
        after(self._env, patience, lambda: None if turn.triggered else turn.succeed(False))
        return bool(await wait(turn))

    def leave(self) -> None:
        """The place goes to the first who still waits."""
        while self._line:
            turn = self._line.popleft()
            if not turn.triggered:
                turn.succeed(True)
                return
        self._free += 1


def ours(draws: Draws) -> list[int]:
    """How many left each station, on the simulator's own coroutine processes."""
    gaps, services, patience = draws
    env = Environment()
    stations = [Station(env, places) for places in SERVERS]

    async def customer(number: int) -> None:
        for position, station in enumerate(stations):
            if not await station.enter(patience[position][number]):
                station.left += 1
                return
            await wait(env.timeout(services[position][number]))
            station.leave()

    def arrivals() -> Generator[Event, None, None]:
        for number, gap in enumerate(gaps):
            yield env.timeout(gap)
            start(customer(number))

    env.process(arrivals())
    env.run()
    return [station.left for station in stations]


def with_ciw(draws: Draws) -> list[int]:
    """The same in Ciw."""
    gaps, services, patience = draws
    nobody = [None] * (len(SERVERS) - 1)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([*gaps, float("inf")]), *nobody],
        service_distributions=[ciw.dists.Sequential(each) for each in services],
        reneging_time_distributions=[ciw.dists.Sequential(each) for each in patience],
        number_of_servers=list(SERVERS),
        routing=[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(sum(gaps) + 1000)
    left = [0] * len(SERVERS)
    for record in simulation.get_all_records(only=["renege"]):
        left[record.node - 1] += 1
    return left


def with_salabim(draws: Draws) -> list[int]:
    """The same in salabim, with generators and without its monitors."""
    gaps, services, patience = draws
    env = salabim.Environment(trace=False, yieldless=False)
    stations = [salabim.Resource(capacity=places, monitor=False, env=env) for places in SERVERS]
    left = [0] * len(SERVERS)

    class Customer(salabim.Component):  # type: ignore[misc]
        def setup(self, number: int) -> None:
            self.number = number

        def process(self) -> Generator[object, None, None]:
            for position, station in enumerate(stations):
                yield self.request(station, fail_delay=patience[position][self.number])
                if self.failed():
                    left[position] += 1
                    return
                yield self.hold(services[position][self.number])
                self.release(station)

    class Arrivals(salabim.Component):  # type: ignore[misc]
        def process(self) -> Generator[object, None, None]:
            for number, gap in enumerate(gaps):
                yield self.hold(gap)
                Customer(number=number, env=env)

    Arrivals(env=env)
    env.run()
    return left


def exact_share_left() -> float:
    """The share of customers who leave the first station: the rate at which those in line lose
    patience over the rate of arrivals, from the chain's stationary distribution."""
    weights, states = [1.0], 400
    for number in range(1, states):
        waiting = max(0, number - SERVERS[0])
        deaths = min(number, SERVERS[0]) / SERVICE + waiting / PATIENCE
        weights.append(weights[-1] * RATE / deaths)
    total = sum(weights)
    in_line = sum(max(0, n - SERVERS[0]) * weight for n, weight in enumerate(weights)) / total
    return in_line / PATIENCE / RATE


def shares(left: Sequence[int]) -> list[float]:
    """Of all customers, rounded for people."""
    return [round(count / CUSTOMERS, 4) for count in left]


def main() -> int:
    """Print the ratios; 1 when a figure is not what it must be."""
    first: list[float] = []
    ours_seconds = 0.0
    left: dict[str, list[int]] = {}
    seconds: dict[str, float] = {}
    for replication in range(REPLICATIONS):
        draws = drawn(replication)
        began = time.process_time()
        found = ours(draws)
        ours_seconds += time.process_time() - began
        first.append(found[0] / CUSTOMERS)
        if replication == 0:
            left["ours"] = found
            for name, peer in (("ciw", with_ciw), ("salabim", with_salabim)):
                began = time.process_time()
                left[name] = peer(draws)
                seconds[name] = time.process_time() - began
    exact = exact_share_left()
    half = float(stats.t.ppf(0.995, REPLICATIONS - 1) * np.std(first, ddof=1) / REPLICATIONS**0.5)
    inside = abs(float(np.mean(first)) - exact) <= half
    agree = all(abs(counts[0] / CUSTOMERS - exact) < 0.015 for counts in left.values())
    ours_rate = CUSTOMERS * REPLICATIONS / ours_seconds
    for name in ("ciw", "salabim"):
        rate = CUSTOMERS / seconds[name]
        report(
            f"tandem_with_reneging_customers_per_second_against_{name}",
            ours_rate / rate,
            ours_per_second=round(ours_rate),
            peer_per_second=round(rate),
            left_first_station=round(float(np.mean(first)), 5),
            left_99_half_width=round(half, 5),
            left_exact=round(exact, 5),
            exact_within_interval=inside,
            left_by_station=shares(left["ours"]),
            left_by_station_peer=shares(left[name]),
        )
    return 0 if inside and agree else 1


if __name__ == "__main__":
    sys.exit(main())
