"""Files, which connections are too, that a process has open at once (`RLIMIT_NOFILE`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.ceilings.met import Met, errors_in, errors_in_words, of_each_process, seen
from scenarios.ceilings.readings import Reading

ERRORS = ("EMFILE", "ENFILE")
SPARE = 0.01
LEAST_SPARE = 8
"""A process with less than SPARE of its files free, or than LEAST_SPARE, has met its limit: between
two looks a burst takes the rest, and libuv, below our servers, then hangs up on clients without an
error that anybody could count."""


def open_files(readings: Sequence[Reading]) -> Iterator[Met]:
    """Each process that was refused a file, or had hardly one left."""
    for own in of_each_process(readings):
        full = [reading for reading in own if _full(reading)]
        refused = [reading for reading in own if errors_in([reading], ERRORS)]
        row = sorted({reading.at: reading for reading in (*full, *refused)}.values(), key=_at)
        if row:
            most = max(own, key=lambda reading: reading.open_files)
            limit = "no limit" if most.file_limit is None else f"{most.file_limit:,}"
            errors = errors_in_words(errors_in(own, ERRORS))
            detail = f"{most.open_files:,} of {limit} were open{errors and f', {errors}'}"
            yield seen("open files", row, detail)


def _full(reading: Reading) -> bool:
    if reading.file_limit is None:
        return False
    spare = max(LEAST_SPARE, SPARE * reading.file_limit)
    return reading.file_limit - reading.open_files < spare


def _at(reading: Reading) -> float:
    return reading.at
