"""Bank gateway requests a second of server processor time, against a bare aiohttp handler.

Both servers run alone in a process of their own, on uvloop, and answer the same requests from the
same client; the client's own cost does not count.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from benchmarks.result import report
from mocks.server.options import ServeOptions, write_options
from scenarios.loader import dump, load_scenario
from scenarios.population import Population

REQUESTS = 6_000
WARM_UP = 500
CONNECTIONS = 32

BARE = """
import asyncio, json, uvloop
from aiohttp import web

async def handle(request):
    asked = await request.json()
    return web.json_response({"order_no": asked["order_no"], "respCode": "00", "respMsg": "ok"})

async def main():
    app = web.Application()
    app.router.add_post("/v1/open", handle)
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


def payloads() -> list[dict[str, Any]]:
    """A different customer's card in every request."""
    scenario = load_scenario("baseline")
    population = Population(scenario.population, scenario.seed)
    found = []
    for number in range(WARM_UP + REQUESTS):
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


async def drive(url: str, asked: list[dict[str, Any]]) -> None:
    """Send every payload once, CONNECTIONS at a time."""
    left = iter(asked)

    async def connection(session: aiohttp.ClientSession) -> None:
        for payload in left:
            async with session.post(f"{url}/v1/open", json=payload) as answer:
                answer.raise_for_status()
                await answer.read()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(connection(session) for _ in range(CONNECTIONS)))


def requests_per_cpu_second(command: list[str], asked: list[dict[str, Any]]) -> float:
    """Start the server, warm it up, and measure what REQUESTS requests cost it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["ready"]["bank"]
            asyncio.run(drive(url, asked[:WARM_UP]))
            process = psutil.Process(server.pid)
            before = process.cpu_times()
            asyncio.run(drive(url, asked[WARM_UP:]))
            after = process.cpu_times()
        finally:
            server.terminate()
    seconds = (after.user - before.user) + (after.system - before.system)
    return REQUESTS / seconds


def main() -> int:
    """Print the ratio."""
    asked = payloads()
    scenario = load_scenario("baseline")
    bank = scenario.world.bank.model_copy(update={"latency": {}})
    world = scenario.world.model_copy(update={"bank": bank})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scenario.yaml"
        file.write_text(dump(scenario.model_copy(update={"world": world})))
        ours = {}
        for journal in (1000, 0):
            options = Path(folder) / f"options-{journal}.json"
            write_options(
                ServeOptions(ports={"bank": 0}, scenario=str(file), journal=journal), options
            )
            ours[journal] = requests_per_cpu_second(
                [sys.executable, "-m", "mocks.server", "--options", str(options)], asked
            )
    bare = requests_per_cpu_second([sys.executable, "-c", BARE], asked)
    for journal, name in ((1000, "with_journal"), (0, "without_journal")):
        report(
            f"bank_requests_per_cpu_second_{name}_against_bare_aiohttp",
            ours[journal] / bare,
            ours_per_cpu_second=round(ours[journal]),
            bare_per_cpu_second=round(bare),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
