"""`python -m mocks.server --options FILE.json`: what a process stack starts.

Prints one JSON line, `{"ready": {"bank": "http://127.0.0.1:8081", ...}, "admin": "http://..."}`,
when all services answer.
Exit codes: 0 after SIGTERM, SIGINT or SIGHUP, 2 when the servers cannot start (one line on stderr
says why).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

import uvloop

from mocks.server.options import read_options
from mocks.server.problems import StartProblem
from mocks.server.serve import run
from scenarios.addresses import AddressProblem
from scenarios.ceilings.soft_limits import raise_soft_limits
from scenarios.printed_text import printed_text


def _ready(urls: dict[str, str], admin: str) -> None:
    print(json.dumps({"ready": urls, "admin": admin}), flush=True)


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="mocks.server", description="Serve gateways and lender.")
    parser.add_argument("--options", type=Path, required=True, help="a JSON file of ServeOptions")
    path: Path = parser.parse_args().options
    raise_soft_limits()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(read_options(path), announce=_ready))
    except (AddressProblem, StartProblem) as problem:
        print(printed_text(str(problem)), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
