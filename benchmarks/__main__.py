"""`python -m benchmarks`: every benchmark, a JSON line each.

python -m benchmarks                    # all
python -m benchmarks start_up ...       # some
python -m benchmarks --write            # all, and the table in docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from benchmarks.table import machine, written

BENCHMARKS = (
    "start_up",
    "population",
    "queue_mm10",
    "tandem_reneging",
    "simulated_events",
    "replications",
    "report_events",
    "bank_gateway",
    "node_mock",
    "load_generators",
    "live_bindings",
)
MOST_SECONDS = 300.0
"""For one benchmark; all together take some minutes."""
GRACE = 20.0
"""Seconds from SIGTERM to SIGKILL."""
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> int:
    """Run each in a process of its own, so that none warms up another; 1 when one fails."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Ratios, one JSON line each.")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME")
    parser.add_argument("--write", action="store_true", help=f"write the table in docs/{PAGE.name}")
    asked = parser.parse_args()
    failed = False
    lines: list[dict[str, Any]] = []
    for name in asked.names or BENCHMARKS:
        found, fine = results_of(name)
        lines += found
        failed |= not fine
    if asked.write and not failed:
        PAGE.write_text(
            written(PAGE.read_text(encoding="utf-8"), lines, machine()), encoding="utf-8"
        )
    return int(failed)


def results_of(name: str) -> tuple[list[dict[str, Any]], bool]:
    """Run one benchmark and pass its lines on; they, and whether it went well."""
    lines: list[dict[str, Any]] = []
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        too_late = threading.Timer(MOST_SECONDS, _end, (process,))
        too_late.start()
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                if line.startswith("{"):
                    lines.append(json.loads(line))
            process.wait()
        finally:
            too_late.cancel()
            _end(process)
    fine = process.returncode == 0 and bool(lines)
    if not fine:
        print(f"benchmarks.{name} failed, with code {process.returncode}", file=sys.stderr)
    return lines, fine


def _end(process: subprocess.Popen[str]) -> None:
    """Ask it and what it started to end, and make sure of it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    sys.exit(main())
