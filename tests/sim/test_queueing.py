import numpy as np
import pytest
from scipy import stats
from simpy import Environment

from mocks.capacity import ServerPool
from mocks.lender.policies.decisions import Decisions
from mocks.lender.policies.front_queue import FrontQueue
from reports.queueing import blocking, erlang_c, erlang_c_wait, tandem_time
from sim.clock import call_at, pause, start, wait
from sim.limits import Limit


def test_erlang_c_of_one_server_is_its_utilisation():
    assert erlang_c(0.7, 1) == pytest.approx(0.7)


def test_erlang_c_of_a_textbook_case():
    # 2 servers, load 1: C = 1/3.
    assert erlang_c(1.0, 2) == pytest.approx(1 / 3)


def test_an_overloaded_queue_has_no_wait():
    with pytest.raises(ValueError, match="grows without bound"):
        erlang_c_wait(10, 1, 10)


def simulated_wait(seed, servers, rate, customers=8000, warm_up=1000):
    rng = np.random.default_rng(seed)
    env = Environment()
    limit = Limit(env, servers)
    waits = []

    async def customer(service):
        arrived = env.now
        async with limit:
            waits.append(env.now - arrived)
            await wait(env.timeout(service))

    def arrivals():
        gaps, services = rng.exponential(1 / rate, customers), rng.exponential(1.0, customers)
        for gap, service in zip(gaps, services, strict=True):
            yield env.timeout(gap)
            start(customer(service))

    env.process(arrivals())
    env.run()
    return np.mean(waits[warm_up:])


def within_99_percent(values, expected):
    half = stats.t.ppf(0.995, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return half < 0.15 * expected and abs(np.mean(values) - expected) <= half


def test_limits_queue_as_erlang_c_says():
    waits = [simulated_wait(seed, 3, 2.1) for seed in range(8)]
    assert within_99_percent(waits, erlang_c_wait(2.1, 1.0, 3))


def test_the_closed_forms_of_textbook_cases():
    assert blocking(1.0, 1.0, 4) == pytest.approx(1 / 5)
    assert blocking(0.5, 1.0, 1) == pytest.approx(1 / 3)  # Erlang B of one server
    # Three M/M/1 stations: each 1 / (mu - lambda).
    assert tandem_time(1.0, [(2.0, 1), (3.0, 1), (1.5, 1)]) == pytest.approx(1 + 0.5 + 2)


def poisson(env, rng, rate, customers, arrive):
    at = 0.0
    for gap in rng.exponential(1 / rate, customers):
        at += gap
        call_at(env, at, lambda _: arrive())
    return at


def simulated_blocking(seed, rate, places, customers=6000):
    """The lender's bounded line before one worker: who is turned away."""
    rng = np.random.default_rng(seed)
    env = Environment()
    front, worker = FrontQueue(1, places - 1, Decisions()), Limit(env, 1)
    services = iter(rng.exponential(1.0, customers).tolist())
    refused = []

    async def served(service):
        async with worker:
            await pause(env, service)
        front.leave()

    def arrive():
        refused.append(not front.enter())
        if not refused[-1]:
            start(served(next(services)))

    poisson(env, rng, rate, customers, arrive)
    env.run()
    return np.mean(refused[500:])


@pytest.mark.parametrize("rate", [0.8, 1.0, 1.5])
def test_the_lenders_front_turns_away_as_many_as_m_m_1_k(rate):
    shares = [simulated_blocking(seed, rate, 5) for seed in range(8)]
    assert within_99_percent(shares, blocking(rate, 1.0, 5))


def simulated_tandem(seed, rate, stations, customers=8000, warm_up=1500):
    """Workers, then a gateway's servers, then connections: one after another."""
    rng = np.random.default_rng(seed)
    env = Environment()
    workers, servers, connections = (places for _, places in stations)
    first, pool, last = Limit(env, workers), ServerPool(servers), Limit(env, connections)
    draws = zip(*(rng.exponential(1 / mu, customers).tolist() for mu, _ in stations), strict=True)
    times = []

    async def customer(services):
        arrived = env.now
        async with first:
            await pause(env, services[0])
        await pause(env, pool.admit(env.now, services[1]) + services[1])
        async with last:
            await pause(env, services[2])
        times.append(env.now - arrived)

    poisson(env, rng, rate, customers, lambda: start(customer(next(draws))))
    env.run()
    return np.mean(times[warm_up:])


def test_three_stations_of_our_own_parts_in_tandem_take_as_long_as_burke_says():
    stations = [(1.0, 3), (0.8, 3), (2.4, 1)]
    times = [simulated_tandem(seed, 1.8, stations) for seed in range(100, 112)]
    assert within_99_percent(times, tandem_time(1.8, stations))
