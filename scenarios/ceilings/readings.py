"""What a process saw of itself in a second, and the files that keep it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

FOLDER = "ceilings"

Role = Literal["load generator", "gateways", "lender", "bindrill"]
"""`lender` is the system under test, also where it shares its process with gateways; `bindrill` is
the process that steers a run, and Locust's master."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look, `at` seconds since the epoch, at the `seconds` before it.

    `file_limit`, `port_limit`, `memory_left` are None where there is none, or the system does not
    tell. `ports`: of this machine, in use towards the address that has most of them. `loop`: the
    share of the time in which the event loop's thread had a processor; `processor`: cores that the
    whole process used, of `cores` that it may use. `memory_left`: share of the memory that is still
    to be had. `lag`: how late the loop woke up on average, in seconds. `lateness`: how late the
    most punctual arrival was issued, in seconds; None without arrivals. `origin`: when the schedule
    began, in epoch seconds, where the process knows. `errors`:
    `scenarios.ceilings.exhaustion` of the time.
    """

    process: str
    role: Role
    host: str
    at: float
    seconds: float
    open_files: int
    file_limit: int | None = None
    ports: int = 0
    port_limit: int | None = None
    loop: float = 0.0
    processor: float = 0.0
    cores: float = 1.0
    memory_left: float | None = None
    lag: float = 0.0
    lateness: float | None = None
    origin: float | None = None
    errors: dict[str, int] = {}


class ReadingsFile:
    """Appends readings, a line of JSON each, to a file that stays open: a process whose files are
    used up must be able to say so."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def add(self, reading: Reading) -> None:
        """Write one reading at once."""
        self._file.write(msgspec.json.encode(reading) + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def readings_path(clock_folder: Path, process: str) -> Path:
    """Where the readings of `process` go in a live run's folder."""
    return clock_folder / FOLDER / f"{process.replace(' ', '-')}.jsonl"


def read_readings(clock_folder: Path) -> list[Reading]:
    """All readings below `clock_folder`, in order of time. What a kill or a full disk left of a
    line is passed over."""
    decode = msgspec.json.Decoder(Reading).decode
    found: list[Reading] = []
    for path in sorted((clock_folder / FOLDER).glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                found.append(decode(line))
            except msgspec.MsgspecError:
                continue
    return sorted(found, key=lambda reading: reading.at)
