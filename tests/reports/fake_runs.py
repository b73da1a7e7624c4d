"""A small run of two clocks with a bank outage, made without either clock."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from reports import events
from reports.money import Money, write_money
from reports.recorder import Recorder
from reports.run_folder import Clock, RunFolder
from reports.verdict import conclude
from scenarios.ceilings.readings import Reading, ReadingsFile, readings_path
from scenarios.schema import Scenario

RATE = 25.0
DURATION = 60.0
OUTAGE = (20.0, 35.0)
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def scenario(**changes: object) -> Scenario:
    fields: dict[str, object] = {
        "name": "fake-outage",
        "title": "The bank is down for a while",
        "description": "Answers <503> & worse.",
        "duration": DURATION,
        "drain": 30.0,
        "arrivals": {"kind": "constant", "rate": RATE},
        "faults": [
            {
                "kind": "outage",
                "target": "bank",
                "start": OUTAGE[0],
                "duration": OUTAGE[1] - OUTAGE[0],
            }
        ],
        "objectives": [
            "p95(confirm) < 800ms",
            "success_rate >= 99%",
            "time_to_recover(bank) < 30s",
        ],
    }
    return Scenario.model_validate(fields | changes)


def rows(
    noise: float, seed: int = 1, until: float = DURATION, outage: tuple[float, float] = OUTAGE
) -> Iterator[events.Row]:
    """Events of a run whose confirms fail in the outage and for `noise` seconds after it."""
    draw = random.Random(seed)
    customer = 0
    while customer / RATE < until:
        yield from _customer(customer, customer / RATE, noise, draw, outage)
        customer += 1


def _customer(
    n: int, arrived: float, noise: float, draw: random.Random, outage: tuple[float, float]
) -> Iterator[events.Row]:
    yield events.arrival(n, arrived, arrived + noise * draw.random() / 100)
    now = arrived
    for step in ("register", "documents", "submit"):
        took = draw.lognormvariate(-4, 0.5) * (1 + noise)
        yield events.request(n, step, 1, now, now, now + took, 201, "OK")
        now += took + 0.3
    yield events.call("sms", "send", "", now, 0.03, 200, "OK")
    if n % 50 == 7:
        yield events.otp(n, 1, now, now + 5, "TIMEOUT")
        yield events.end(n, arrived, now + 5, "ABANDONED", "no_code")
        return
    yield events.otp(n, 1, now, now + 0.8, "READ")
    now += 0.8
    down = outage[0] <= now < outage[1] + noise
    took = draw.lognormvariate(-2, 0.6)
    status, code = (503, "BANK_UNAVAILABLE") if down else (200, "OK")
    gateway_delay = float("inf") if down and n % 2 else took
    yield events.call("bank", "open", "icbc", now, gateway_delay, 503 if down else 200, "00")
    yield events.request(n, "confirm", 1, now, now, now + took, status, code)
    now += took
    if down:
        yield events.end(n, arrived, now, "FAILED", "bank_unavailable")
        return
    for step in ("authorise", "test_payment"):
        took = draw.lognormvariate(-3, 0.4)
        yield events.request(n, step, 1, now, now, now + took, 200, "OK")
        now += took
    if n % 40 == 3:
        yield events.end(n, arrived, now, "FAILED", "payment_declined")
        return
    yield events.end(n, arrived, now, "ACTIVE", "bound")


def use_up_files(live: Path) -> None:
    """As the load generator of a live run says it of itself, 12 s into the run."""
    file = ReadingsFile(readings_path(live, "load generator"))
    file.add(
        Reading(
            process="load generator",
            role="load generator",
            host="here",
            at=1013.0,
            seconds=1.0,
            open_files=256,
            file_limit=256,
            origin=1000.0,
            errors={"EMFILE": 7},
        )
    )
    file.close()


def record(folder: Path, made: Iterator[events.Row], *, part_rows: int = 50_000) -> None:
    with Recorder(folder, part_rows=part_rows) as recorder:
        for row in made:
            recorder.add(row)


def make_run(
    base: Path,
    clocks: tuple[Clock, ...] = ("sim", "live"),
    *,
    twin: bool = False,
    full: bool = False,
    judge_at_limit: bool = False,
    **changes: object,
) -> RunFolder:
    """A complete run; the live clock is a little slower and recovers two seconds later. With
    `twin`, a no-fault twin is beside it, and every clock tells its money. `full`: the load
    generator's files are used up in the live clock."""
    run = RunFolder.create(base, scenario(**changes), command=["bindrill", "run"], started=STARTED)
    if twin:
        record(run.path / "twin", rows(0.0, outage=(DURATION, DURATION)))
    for clock in clocks:
        folder = run.begin(clock)
        record(folder, rows(0.0) if clock == "sim" else rows(2.0))
        if twin:
            write_money(Money(charged_fen=900, refunded_fen=898), folder)
        if full and clock == "live":
            use_up_files(folder)
        conclude(run, clock, state="complete", wall_seconds=1.5, judge_at_limit=judge_at_limit)
    return run
