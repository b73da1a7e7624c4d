"""Requests a second of the load generator's processor time: open arrivals against Locust's users.

    python -m benchmarks.load_generators            # prints the ratios
    python -m benchmarks.load_generators KIND URL   # one load generator: what is measured

Each plays the same small JSON request in a process of its own, against a bare aiohttp server, and
counts it in Locust's statistics, at the same rate, which none is too slow for. Locust's 32 users
each wait for their turn (`constant_throughput`), which comes for all at once; ours is open: every
request is an arrival, in a greenlet of its own as in a live run, and 32 arrive at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from time import process_time
from typing import Any

from scenarios.child_environment import child_environment

REQUESTS = 2_500
ROUNDS = 2
WARM_UP = 500
USERS = 32
RATE = 500.0
"""Requests a second."""
BODY = {"order_no": "bench", "id_number": "x" * 18, "phone": "y" * 11}
TIMEOUT = 60.0


def locust_user(kind: str, url: str) -> float:
    """Processor seconds of REQUESTS by Locust's user class `kind`."""
    from locust import FastHttpUser, HttpUser, constant_throughput, task
    from locust.env import Environment
    from locust.exception import StopUser

    base: Any = {"HttpUser": HttpUser, "FastHttpUser": FastHttpUser}[kind]
    count = {"left": WARM_UP}

    class Caller(base):  # type: ignore[misc]
        host = url
        wait_time = constant_throughput(RATE / USERS)

        @task
        def call(self) -> None:
            if count["left"] <= 0:
                raise StopUser
            count["left"] -= 1
            self.client.post("/v1/open", json=BODY)

    environment = Environment(user_classes=[Caller])
    runner: Any = environment.create_local_runner()

    def play(requests: int) -> None:
        count["left"] = requests
        runner.start(USERS, spawn_rate=USERS)
        runner.spawning_greenlet.join()
        runner.user_greenlets.join()
        runner.stop()

    return measured(play, environment)


def open_arrivals(url: str) -> float:
    """Processor seconds of REQUESTS arrivals, each played once through our client."""
    from locust.env import Environment

    from loadtests.client import Client
    from loadtests.clock import RunClock
    from loadtests.crowd import Crowd
    from scenarios.directives import Ending

    environment = Environment(user_classes=[])
    environment.create_local_runner()
    fire: Any = environment.events.request.fire
    client = Client(url)
    ending = Ending("ACTIVE", "ok")

    def play(requests: int) -> None:
        clock = RunClock(time.time())

        def one(number: int, planned: float) -> Ending:
            body = json.dumps(BODY).encode()
            headers = {"Content-Type": "application/json"}
            status, answer = client.exchange("POST", "/v1/open", TIMEOUT, body, headers)
            assert status == 200
            fire(
                request_type="POST",
                name="/v1/open",
                response_time=(clock.now() - planned) * 1000,
                response_length=len(answer),
                exception=None,
                context={},
            )
            return ending

        plan = ((number, number // USERS * USERS / RATE) for number in range(requests))
        Crowd(plan, one, clock, lambda state, seconds: None).issue()

    return measured(play, environment)


def measured(play: Any, environment: Any) -> float:
    """Processor seconds of `play(REQUESTS)` after a warm-up; every request must have succeeded."""
    play(WARM_UP)
    environment.stats.reset_all()
    began = process_time()
    play(REQUESTS)
    seconds = process_time() - began
    total = environment.stats.total
    assert (total.num_requests, total.num_failures) == (REQUESTS, 0), total
    return seconds


def main() -> int:
    """Measure all three, or be one of them."""
    if len(sys.argv) == 3:
        kind, url = sys.argv[1:]
        print(open_arrivals(url) if kind == "open" else locust_user(kind, url))
        return 0
    from benchmarks.result import report
    from benchmarks.servers import BARE, announced

    kinds = ("open", "FastHttpUser", "HttpUser")
    seconds = dict.fromkeys(kinds, 0.0)
    with announced([sys.executable, "-c", BARE]) as (url, _):
        for kind in kinds * ROUNDS:  # in turns: whatever else the machine does is shared by all
            command = [sys.executable, "-m", "benchmarks.load_generators", kind, url]
            done = subprocess.run(
                command,
                env=child_environment(),
                check=True,
                stdout=subprocess.PIPE,
                timeout=3 * TIMEOUT,
            )
            seconds[kind] += float(done.stdout.split()[-1])
    rates = {kind: ROUNDS * REQUESTS / used for kind, used in seconds.items()}
    for kind in ("HttpUser", "FastHttpUser"):
        report(
            f"load_generator_requests_per_cpu_second_against_locust_{kind}",
            rates["open"] / rates[kind],
            ours_per_cpu_second=round(rates["open"]),
            locust_per_cpu_second=round(rates[kind]),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
