"""The bank's verify call a second of server processor time, against mountebank on node.

mountebank answers from one stub that looks at method, path and a field, and copies the order number
of the request into the answer; ours decides by the card, keeps state and counts. Requests are
recorded as each does by default: by ours, and not by mountebank.

mountebank is installed by npm into the user's cache folder the first time; without node and npm the
benchmark is left out, which is one line and no failure.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bank_gateway import quick_bank
from benchmarks.result import left_out, report
from benchmarks.servers import (
    announced,
    payloads,
    requests_per_cpu_second,
    wait_until_it_listens,
)

NAME = "verify_calls_per_cpu_second_against_mountebank_on_node"
MOUNTEBANK = "2.9.1"
INSTALL_TIMEOUT = 240.0
REQUESTS = 12_000
WARM_UP = 1_000


def cache_folder() -> Path:
    """Where downloads of the benchmarks stay."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bindrill" / f"mountebank-{MOUNTEBANK}"


def installed_mountebank() -> Path | str:
    """The program, installed if need be; or why there is none."""
    if shutil.which("node") is None:
        return "there is no node on this machine"
    program = cache_folder() / "node_modules" / "mountebank" / "bin" / "mb"
    if not program.exists():
        npm = shutil.which("npm")
        if npm is None:
            return "there is no npm to install mountebank with"
        cache_folder().mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]
        command += [str(cache_folder()), f"mountebank@{MOUNTEBANK}"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_TIMEOUT)
        except (subprocess.SubprocessError, OSError) as error:
            return f"npm could not install mountebank: {error}"
    return program


def imposter(port: int) -> dict[str, Any]:
    """What mountebank answers with."""
    return {
        "port": port,
        "protocol": "http",
        "host": "127.0.0.1",
        "stubs": [
            {
                "predicates": [
                    {"equals": {"method": "POST", "path": "/v1/verify"}},
                    {"exists": {"body": {"card_number": True}}},
                ],
                "responses": [
                    {
                        "is": {
                            "statusCode": 200,
                            "headers": {
                                "Content-Type": "application/json",
                                "Connection": "keep-alive",
                            },
                            "body": {"order_no": "${order}", "respCode": "00", "respMsg": "ok"},
                        },
                        "behaviors": [
                            {
                                "copy": {
                                    "from": "body",
                                    "into": "${order}",
                                    "using": {"method": "jsonpath", "selector": "$.order_no"},
                                }
                            }
                        ],
                    }
                ],
            }
        ],
    }


@contextmanager
def mountebank(program: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """A running mountebank: the imposter's URL, and the process."""
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    config = folder / "imposters.json"
    config.write_text(json.dumps({"imposters": [imposter(ports[1])]}))
    command = ["node", str(program), "start", "--host", "127.0.0.1", "--port", str(ports[0])]
    command += ["--configfile", str(config), "--nologfile", "--loglevel", "error"]
    command += ["--pidfile", str(folder / "mb.pid")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder) as server:
        try:
            url = f"http://127.0.0.1:{ports[1]}"
            wait_until_it_listens(ports[1], server)
            yield url, server.pid
        finally:
            server.terminate()


def main() -> int:
    """Print the ratio, or why there is none."""
    program = installed_mountebank()
    if isinstance(program, str):
        left_out(NAME, program)
        return 0
    asked = payloads(WARM_UP + REQUESTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            announced(quick_bank(folder, 1000)) as (our_url, our_pid),
            mountebank(program, folder) as (url, pid),
        ):
            found = requests_per_cpu_second(
                {
                    "ours": (f"{our_url}/v1/verify", our_pid),
                    "mountebank": (f"{url}/v1/verify", pid),
                },
                asked,
                WARM_UP,
            )
    report(
        NAME,
        found["ours"] / found["mountebank"],
        ours_per_cpu_second=round(found["ours"]),
        mountebank_per_cpu_second=round(found["mountebank"]),
        mountebank=MOUNTEBANK,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
