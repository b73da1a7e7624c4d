"""A service's request counters, read from its `/metrics`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from loadtests.admin import AdminProblem, fetch


class Answered(msgspec.Struct, frozen=True):
    """A kind of request: its operation, and the HTTP status (0: no answer went out)."""

    op: str
    status: int


def count(exposition: str) -> Counter[Answered]:
    """Requests so far by kind, of a `/metrics` text."""
    found: Counter[Answered] = Counter()
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if sample.name == "http_requests_total":
                kind = Answered(sample.labels["op"], int(sample.labels["status"]))
                found[kind] += int(sample.value)
    return found


def observe(url: str, seconds: float, services: Collection[str]) -> tuple[Counter[Answered], float]:
    """Watch the service at `url`, which should be one of `services`, for `seconds`: its requests in
    that time, and how long it was.

    Raises ValueError for no time at all, AdminProblem when the service does not answer, or is
    another one.
    """
    if seconds <= 0:
        raise ValueError(f"seconds is {seconds}; write more than 0")
    began, before = time.monotonic(), _read(url, services)
    time.sleep(seconds)
    after, ended = _read(url, services), time.monotonic()
    return after - before, ended - began


def _read(url: str, services: Collection[str]) -> Counter[Answered]:
    status, content = fetch(f"{url.rstrip('/')}/metrics")
    if status != 200:
        raise AdminProblem(f"{url} has no /metrics ({status})")
    exposition = content.decode()
    if not any(f'service="{service}"' in exposition for service in services):
        raise AdminProblem(f"{url} is not {' or '.join(services)}; give that one's root")
    return count(exposition)
