import numpy as np
import pytest
from scipy import stats
from simpy import Environment

from reports.queueing import erlang_c, erlang_c_wait
from sim.clock import start, wait
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


def test_limits_queue_as_erlang_c_says():
    means = [simulated_wait(seed, 3, 2.1) for seed in range(8)]
    half = stats.t.ppf(0.995, len(means) - 1) * np.std(means, ddof=1) / np.sqrt(len(means))
    assert abs(np.mean(means) - erlang_c_wait(2.1, 1.0, 3)) <= half
