"""Local ports for connections to one address (`ip_local_port_range`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenarios.ceilings.met import Met, errors_in, errors_in_words, of_each_process, seen
from scenarios.ceilings.readings import Reading

ERRORS = ("EADDRNOTAVAIL",)
NEARLY = 0.95
"""The share of the ports in use from which the kernel searches long for a free one."""


def ports(readings: Sequence[Reading]) -> Iterator[Met]:
    """Each process that found no port to connect from, or hardly one."""
    for own in of_each_process(readings):
        row = [
            reading
            for reading in own
            if errors_in([reading], ERRORS)
            or (reading.port_limit and reading.ports >= NEARLY * reading.port_limit)
        ]
        if row:
            most = max(own, key=lambda reading: reading.ports)
            used = f"{most.ports:,} of {most.port_limit:,} were in use" if most.ports else ""
            errors = errors_in_words(errors_in(own, ERRORS))
            detail = ", ".join(part for part in (used, errors) if part)
            yield seen("ports to one address", row, detail)
