"""Bank gateway requests a second of server processor time, against a bare aiohttp handler.

Each server runs in a process of its own, on uvloop, and answers the same requests from the same
client, in turns; the client's own cost does not count.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.result import report
from benchmarks.servers import BARE, announced, payloads, requests_per_cpu_second
from mocks.server.options import ServeOptions, write_options
from scenarios.loader import dump, load_scenario

REQUESTS = 12_000
WARM_UP = 500


def quick_bank(folder: Path, journal: int) -> list[str]:
    """The command of a bank gateway without latency, and with so many requests in its journal."""
    scenario = load_scenario("baseline")
    bank = scenario.world.bank.model_copy(update={"latency": {}})
    world = scenario.world.model_copy(update={"bank": bank})
    file = folder / "scenario.yaml"
    file.write_text(dump(scenario.model_copy(update={"world": world})))
    options = folder / f"options-{journal}.json"
    write_options(ServeOptions(ports={"bank": 0}, scenario=str(file), journal=journal), options)
    return [sys.executable, "-m", "mocks.server", "--options", str(options)]


def main() -> int:
    """Print the ratios."""
    asked = payloads(WARM_UP + REQUESTS)
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "with_journal": quick_bank(Path(folder), 1000),
            "without_journal": quick_bank(Path(folder), 0),
            "bare": [sys.executable, "-c", BARE],
        }
        with ExitStack() as running:
            servers = {}
            for name, command in commands.items():
                url, pid = running.enter_context(announced(command))
                servers[name] = (f"{url}/v1/open", pid)
            found = requests_per_cpu_second(servers, asked, WARM_UP)
    for name in ("with_journal", "without_journal"):
        report(
            f"bank_requests_per_cpu_second_{name}_against_bare_aiohttp",
            found[name] / found["bare"],
            ours_per_cpu_second=round(found[name]),
            bare_per_cpu_second=round(found["bare"]),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
