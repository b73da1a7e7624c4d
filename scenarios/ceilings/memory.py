"""Memory of the machine, or of the control group that holds the processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.ceilings.met import (
    IN_A_ROW,
    Met,
    errors_in,
    errors_in_words,
    longest_row,
    of_each_process,
    seen,
)
from scenarios.ceilings.readings import Reading

ERRORS = ("ENOMEM", "ENOBUFS")
LEFT = 0.02
"""Below this share the kernel frees memory within the very calls that ask for some, so that every
time measured is its own."""


def memory(readings: Sequence[Reading]) -> Iterator[Met]:
    """Each process that was refused memory, or had hardly any left for IN_A_ROW looks."""
    for own in of_each_process(readings):
        scarce = longest_row(own, lambda r: r.memory_left is not None and r.memory_left < LEFT)
        errors = errors_in(own, ERRORS)
        if errors:
            row: Sequence[Reading] = [r for r in own if errors_in([r], ERRORS)]
            yield seen("memory", row, errors_in_words(errors))
        elif len(scarce) >= IN_A_ROW:
            least = min(r.memory_left for r in scarce if r.memory_left is not None)
            yield seen("memory", scarce, f"{least:.1%} of it was left")
