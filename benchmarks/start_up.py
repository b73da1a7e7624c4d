"""Wall time of `bindrill --help` against an interpreter that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.result import report

ROUNDS = 11
WANTED = 0.3  # seconds

COMMANDS = {
    "help": [sys.executable, "-m", "bindrill", "--help"],
    "nothing": [sys.executable, "-c", "pass"],
}


def seconds(command: list[str]) -> float:
    """Wall time of one run of `command`."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> int:
    """Print the ratio of the medians of interleaved rounds."""
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            found[name].append(seconds(command))
    help_seconds, nothing = median(found["help"]), median(found["nothing"])
    report(
        "start_up_of_help_against_bare_python",
        help_seconds / nothing,
        help_seconds=round(help_seconds, 3),
        bare_python_seconds=round(nothing, 3),
        wanted_seconds=WANTED,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
