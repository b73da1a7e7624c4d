"""`python -m benchmarks`: every benchmark, a JSON line each."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    "population",
    "queue_mm10",
    "simulated_events",
    "replications",
    "bank_gateway",
    "live_bindings",
)


def main() -> int:
    """Run each in a process of its own, so that none warms up another; 1 when one fails."""
    failed = False
    for name in BENCHMARKS:
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
