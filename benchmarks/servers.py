"""Servers under measurement: each alone in a process of its own, asked by the same client."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import aiohttp
import psutil

from scenarios.child_environment import child_environment
from scenarios.loader import load_scenario
from scenarios.population import Population

CONNECTIONS = 32
ROUNDS = 6
START_TIMEOUT = 60.0

BARE = """
import asyncio, json, uvloop
from aiohttp import web

async def handle(request):
    asked = await request.json()
    return web.json_response(
        {"order_no": asked.get("order_no"), "respCode": "00", "respMsg": "ok"}
    )

async def main():
    app = web.Application()
    app.router.add_post("/{anything:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    print(json.dumps({"ready": {"bank": f"http://127.0.0.1:{port}"}}), flush=True)
    await asyncio.Event().wait()

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""
"""A bare aiohttp handler on uvloop, which answers as the bank does and does nothing else."""


def payloads(count: int) -> list[dict[str, Any]]:
    """Calls to the bank, a different customer's card in each."""
    scenario = load_scenario("baseline")
    population = Population(scenario.population, scenario.seed)
    found = []
    for number in range(count):
        customer = population.customer(number)
        found.append(
            {
                "order_no": f"bench-{number}",
                "card_number": customer.card_number,
                "holder": customer.name,
                "id_number": customer.id_number,
                "phone": customer.phone,
            }
        )
    return found


@contextmanager
def announced(command: Sequence[str]) -> Iterator[tuple[str, int]]:
    """A server that prints `{"ready": {"bank": URL}}`: its URL and process id."""
    with subprocess.Popen(
        command, env=child_environment(), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())["ready"]["bank"], server.pid
        finally:
            server.terminate()


def wait_until_it_listens(port: int, server: subprocess.Popen[Any]) -> None:
    """Until loopback's `port` accepts. Raises RuntimeError when the server ends or stays silent."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


async def drive(url: str, asked: Sequence[dict[str, Any]]) -> None:
    """Send every payload once to `url`, CONNECTIONS at a time; answers must tell their order."""
    left = iter(asked)

    async def connection(session: aiohttp.ClientSession) -> None:
        for payload in left:
            async with session.post(url, json=payload) as answer:
                answer.raise_for_status()
                body = await answer.read()
                assert payload["order_no"].encode() in body, body

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(connection(session) for _ in range(CONNECTIONS)))


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its children have used."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


def requests_per_cpu_second(
    servers: Mapping[str, tuple[str, int]], asked: Sequence[dict[str, Any]], warm_up: int
) -> dict[str, float]:
    """What the payloads after the first `warm_up` cost each server (URL and process id), by name;
    the client does not count.

    The servers take turns, so that whatever else the machine does is shared by all.
    """
    for url, _ in servers.values():
        asyncio.run(drive(url, asked[:warm_up]))
    seconds = dict.fromkeys(servers, 0.0)
    size = -(-(len(asked) - warm_up) // ROUNDS)
    for first in range(warm_up, len(asked), size):
        for name, (url, pid) in servers.items():
            before = cpu_seconds(pid)
            asyncio.run(drive(url, asked[first : first + size]))
            seconds[name] += cpu_seconds(pid) - before
    return {name: (len(asked) - warm_up) / used for name, used in seconds.items()}
