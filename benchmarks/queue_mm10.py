"""M/M/10 customers a second against Ciw and salabim on the same arrivals; our Wq against Erlang C.

All play the same exponential gaps and services. The mean wait in line over independent
replications must hold Erlang's value within its 99 % interval, or the benchmark fails.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator

import ciw
import numpy as np
import salabim
from scipy import stats
from simpy import Environment, Event

from benchmarks.result import report
from reports.queueing import erlang_c_wait
from sim.clock import start, wait
from sim.limits import Limit

SERVERS = 10
SERVICE = 1.0  # mean seconds
LOAD = 0.8
CUSTOMERS = 20_000
WARM_UP = 2_000
REPLICATIONS = 12


def ours(gaps: list[float], services: list[float]) -> list[float]:
    """Waits in line, in seconds, on the simulator's own limit and coroutine processes."""
    env = Environment()
    limit = Limit(env, SERVERS)
    waits = [0.0] * len(gaps)

    async def customer(number: int) -> None:
        arrived = env.now
        async with limit:
            waits[number] = env.now - arrived
            await wait(env.timeout(services[number]))

    def arrivals() -> Generator[Event, None, None]:
        for number, gap in enumerate(gaps):
            yield env.timeout(gap)
            start(customer(number))

    env.process(arrivals())
    env.run()
    return waits


def with_ciw(gaps: list[float], services: list[float]) -> None:
    """The same queue in Ciw."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential(gaps)],
        service_distributions=[ciw.dists.Sequential(services)],
        number_of_servers=[SERVERS],
    )
    ciw.Simulation(network).simulate_until_max_customers(len(gaps), method="Finish")


def with_salabim(gaps: list[float], services: list[float]) -> None:
    """The same queue in salabim, with generators and without its monitors."""
    env = salabim.Environment(trace=False, yieldless=False)
    servers = salabim.Resource(capacity=SERVERS, monitor=False, env=env)

    class Customer(salabim.Component):  # type: ignore[misc]
        def setup(self, service: float) -> None:
            self.service = service

        def process(self) -> Generator[object, None, None]:
            yield self.request(servers)
            yield self.hold(self.service)
            self.release(servers)

    class Arrivals(salabim.Component):  # type: ignore[misc]
        def process(self) -> Generator[object, None, None]:
            for gap, service in zip(gaps, services, strict=True):
                yield self.hold(gap)
                Customer(service=service, env=env)

    Arrivals(env=env)
    env.run()


def main() -> int:
    """Print the ratio; returns 1 when Erlang's value lies outside our interval."""
    rng = np.random.default_rng(7)
    rate = LOAD * SERVERS / SERVICE
    means, ours_seconds = [], 0.0
    peer_seconds: dict[str, float] = {}
    for replication in range(REPLICATIONS):
        gaps = rng.exponential(1 / rate, CUSTOMERS).tolist()
        services = rng.exponential(SERVICE, CUSTOMERS).tolist()
        began = time.process_time()
        waits = ours(gaps, services)
        ours_seconds += time.process_time() - began
        means.append(float(np.mean(waits[WARM_UP:])))
        if replication == 0:
            for name, peer in (("ciw", with_ciw), ("salabim", with_salabim)):
                began = time.process_time()
                peer(gaps, services)
                peer_seconds[name] = time.process_time() - began
    mean = float(np.mean(means))
    half = float(stats.t.ppf(0.995, REPLICATIONS - 1) * np.std(means, ddof=1) / REPLICATIONS**0.5)
    exact = erlang_c_wait(rate, 1 / SERVICE, SERVERS)
    inside = abs(mean - exact) <= half
    ours_rate = CUSTOMERS * REPLICATIONS / ours_seconds
    for name, seconds in peer_seconds.items():
        report(
            f"mm10_customers_per_second_against_{name}",
            ours_rate * seconds / CUSTOMERS,
            ours_per_second=round(ours_rate),
            peer_per_second=round(CUSTOMERS / seconds),
            wq_seconds=round(mean, 5),
            wq_99_half_width=round(half, 5),
            wq_erlang_c=round(exact, 5),
            erlang_c_within_interval=inside,
        )
    return 0 if inside else 1


if __name__ == "__main__":
    sys.exit(main())
