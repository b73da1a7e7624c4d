"""Readings of processes that never ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scenarios.ceilings.readings import Reading, ReadingsFile, readings_path

ORIGIN = 1_000_000.0


def reading(second: float = 0.0, **changes: Any) -> Reading:
    """A calm load generator's look at the second that ends `second + 1` into the run."""
    calm: dict[str, Any] = {
        "process": "load generator",
        "role": "load generator",
        "host": "here",
        "at": ORIGIN + second + 1.0,
        "seconds": 1.0,
        "open_files": 40,
        "file_limit": 1024,
        "port_limit": 28232,
        "loop": 0.3,
        "processor": 0.3,
        "cores": 2.0,
        "memory_left": 0.5,
        "lag": 0.001,
        "lateness": 0.0,
        "origin": ORIGIN,
    }
    return Reading(**{**calm, **changes})


def looks(count: int, start: int = 0, **changes: Any) -> list[Reading]:
    """So many looks alike, one after the other."""
    return [reading(start + number, **changes) for number in range(count)]


def write(clock_folder: Path, readings: list[Reading]) -> None:
    """As the processes of a live run do."""
    for process in {each.process for each in readings}:
        file = ReadingsFile(readings_path(clock_folder, process))
        for each in readings:
            if each.process == process:
                file.add(each)
        file.close()
