"""Drills as they come out, made without any database: an asynchronous failover that lost work, a
synchronous one that lost none, and one that was interrupted."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reports import events
from reports.drills.result import (
    Agreeing,
    DrillResult,
    Judgement,
    PhaseTime,
    Proof,
    Repair,
    TimelineEntry,
)
from reports.recorder import Recorder
from reports.run_folder import RunFolder
from scenarios.ceilings.met import Met
from scenarios.schema import Scenario

STARTED = datetime(2026, 3, 4, 1, 30, 0, tzinfo=UTC)
FAULT, ALARM, ORDER, ACTED, SERVED, BACK = 20.0, 22.1, 25.6, 31.9, 33.4, 36.8
LOST = tuple(f"bnd_…{number * 7919 % 16**6:06x}" for number in range(18, 18 + 23))
LAG = "LSN 0/5A3F2B8 of 0/5B91C40"
TITLE = "Asynchronous failover: the standby is promoted although it lags behind"


FULL = Met(
    ceiling="open files",
    process="the gateways",
    at=12.0,
    until=13.0,
    detail="256 of 256 were open",
)


def scenario(name: str = "async-failover") -> Scenario:
    return Scenario.model_validate(
        {
            "name": name,
            "title": TITLE,
            "duration": 60.0,
            "drain": 20.0,
            "arrivals": {"kind": "constant", "rate": 6.0},
            "topology": {"kind": "postgres-standby"},
            "drill": {
                "objectives": {"rto": "30s", "rpo": "5s", "lost": 0, "grade": 5},
                "steps": [
                    {"do": "lag-replication", "delay": "3s", "at": "12s"},
                    {"do": "kill", "target": "primary", "at": "20s"},
                    {"do": "detect"},
                    {"do": "decide"},
                    {"do": "promote"},
                    {"do": "reconcile"},
                ],
            },
        }
    )


def _utc(second: float) -> str:
    at = STARTED + timedelta(seconds=second)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _entry(do: str, began: float, ended: float | None, **more: Any) -> TimelineEntry:
    given = {"target": "", "role": "heals", "phase": "act"} | more
    return TimelineEntry(do=do, began=began, ended=ended, utc=_utc(began), **given)


def timeline() -> tuple[TimelineEntry, ...]:
    data = "/var/tmp/bindrill-5f21/primary/pgdata"
    return (
        _entry(
            "lag-replication", 12.0, 12.02, target="standby", role="destroys",
            detail="the link delays 3 s from now on",
        ),
        _entry(
            "kill", FAULT, FAULT + 0.01, target="primary", role="destroys",
            commands=("kill -KILL 41877",), detail="postmaster and 14 backends gone",
        ),
        _entry("detect", FAULT, ALARM, phase="detect", detail="3 of 3 probes failed"),
        _entry("decide", ALARM, ORDER, phase="decide", detail="3.5 s, drawn"),
        _entry(
            "promote", ORDER, ACTED, target="standby",
            commands=(
                f"/usr/lib/postgresql/17/bin/pg_ctl promote -D {data.replace('primary', 'standby')}"
                " -w -t 60",
                "psql -h 127.0.0.1 -p 54329 -d bindrill -c 'select pg_is_in_recovery()'",
                f"mv {data} {data}.fenced",
            ),
            detail=f"new timeline 2 at {LAG}; old primary fenced",
        ),
        _entry(
            "reconcile", 62.0, 64.4, target="lender",
            commands=("bindrill reconcile runs/async-failover-20260304-013000 --repair",),
            detail="31 differences, 29 repaired",
        ),
    )  # fmt: skip


def repairs() -> tuple[Repair, ...]:
    unagreed = [
        Repair(
            kind="agreement_without_binding",
            subject=lost,
            proposal="terminate",
            outcome="done",
        )
        for lost in LOST[:12]
    ]
    charged = [
        Repair(
            kind="charge_without_refund",
            subject=lost,
            proposal="refund",
            outcome="done",
            amount_fen=1,
        )
        for lost in LOST[12:21]
    ]
    decided = [
        Repair(
            kind="charge_without_refund",
            subject=LOST[21],
            proposal="ask the payment gateway for the state of order tp_…41a07c, then refund",
            outcome="a person decides",
            amount_fen=1,
        ),
        Repair(
            kind="agreement_without_binding",
            subject=LOST[22],
            proposal="terminate",
            outcome="failed",
        ),
    ]
    return (*unagreed, *charged, *decided)


def lossy(**changes: Any) -> DrillResult:
    fields: dict[str, Any] = {
        "name": "async-failover",
        "title": TITLE,
        "topology": "postgres-standby",
        "state": "complete",
        "note": "",
        "started_utc": _utc(0.0),
        "fault_at": FAULT,
        "back_at": BACK,
        "rto": BACK - FAULT,
        "rpo": 3.217,
        "phases": (
            PhaseTime(phase="detect", seconds=ALARM - FAULT),
            PhaseTime(phase="decide", seconds=ORDER - ALARM),
            PhaseTime(phase="act", seconds=ACTED - ORDER),
            PhaseTime(phase="warm_up", seconds=SERVED - ACTED),
            PhaseTime(phase="back", seconds=BACK - SERVED),
        ),
        "timeline": timeline(),
        "proof": Proof(
            acknowledged=341,
            lost=LOST,
            lost_seconds=3.217,
            lost_bindings=len(LOST) - 2,
            kept_seconds=3.402,
            unknown=4,
            charged_unbound=LOST[12:22],
            bound_unagreed=(),
            resurrected=("bnd_…01a49c: the customer was told REJECTED; it is ACTIVE",),
            redone=("app_…0cc477: DOCUMENT id_card_front was done again",),
        ),
        "reconciliation": Agreeing(
            repairs=repairs(), left=2, charged_fen=318, refunded_fen=317, conserved=False
        ),
        "judgements": (
            Judgement(objective="rto", limit="30 s", measured="16.8 s", met=True),
            Judgement(objective="rpo", limit="5 s", measured="3.22 s", met=True),
            Judgement(objective="lost", limit="0", measured="21", met=False),
            Judgement(objective="grade", limit="5", measured="5", met=True),
        ),
        "grade": 5,
        "versions": {
            "bindrill": "0.1.0",
            "python": "3.11.9",
            "postgresql": "17.6 (Debian 17.6-1)",
            "sqlalchemy": "2.1.9",
            "locust": "2.47.0",
        },
        "logs": {},
    }
    return DrillResult(**(fields | changes))


def clean(**changes: Any) -> DrillResult:
    """Synchronous failover: nothing is lost and everything agrees."""
    fields: dict[str, Any] = {
        "name": "sync-failover",
        "title": "Synchronous failover: nothing acknowledged is lost",
        "rpo": 0.0,
        "proof": Proof(acknowledged=352, lost=(), lost_seconds=0.0),
        "reconciliation": Agreeing(
            repairs=(), left=0, charged_fen=352, refunded_fen=352, conserved=True
        ),
        "judgements": (
            Judgement(objective="rto", limit="30 s", measured="16.8 s", met=True),
            Judgement(objective="lost", limit="0", measured="0", met=True),
            Judgement(objective="grade", limit="6", measured="6", met=True),
        ),
        "grade": 6,
    }
    return lossy(**(fields | changes))


def interrupted() -> DrillResult:
    """Stopped by hand while staff decided: nothing is known of what came after."""
    begun = [*timeline()[:3], _entry("decide", ALARM, None, phase="decide")]
    return lossy(
        state="interrupted", note="stopped by Ctrl-C", timeline=tuple(begun), back_at=None,
        rto=None, rpo=0.0, phases=(PhaseTime(phase="detect", seconds=ALARM - FAULT),),
        proof=None, reconciliation=None, judgements=(), grade=None,
    )  # fmt: skip


def _rows() -> Iterator[events.Row]:
    """Requests of 80 seconds: none is served from the fault until the first customer is, and some
    fail while service comes back."""
    draw = random.Random(7)
    for customer in range(360):
        due = customer / 6.0
        yield events.arrival(customer, due, due)
        for step in ("register", "documents", "submit", "confirm"):
            coming_back = SERVED <= due < BACK and draw.random() < 0.3
            down = FAULT <= due < SERVED or coming_back
            took = 2.0 if down else draw.lognormvariate(-3, 0.5)
            status, code = (0, "TIMEOUT") if down else (200, "OK")
            yield events.request(customer, step, 1, due, due, due + took, status, code)
            due += took + 1.0


def make_drill(base: Path, result: DrillResult | None = None, *, with_events: bool = True) -> Path:
    """A run folder of a drill with events, logs and acknowledgements; returns it."""
    result = result or lossy()
    run = RunFolder.create(
        base, scenario(result.name), command=["bindrill", "drill", result.name], started=STARTED
    )
    live = run.begin("live")
    if with_events:
        with Recorder(live) as recorder:
            for row in _rows():
                recorder.add(row)
    logs = live / "logs"
    logs.mkdir()
    for name in ("lender.log", "primary.log", "standby.log"):
        (logs / name).write_text(f"{name}: ready\n{name}: stopped\n", encoding="utf-8")
    told = live / "acknowledgements"
    told.mkdir()
    (told / "0.jsonl").write_text('{"customer":1,"step":"confirm"}\n', encoding="utf-8")
    (live / "keys.json").write_text('{"key":"not for the pack"}', encoding="utf-8")
    (live / "lender.db").write_bytes(b"SQLite format 3\0")
    digests = {
        path.relative_to(run.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(logs.iterdir())
    }
    _with_logs(result, digests).save(run.path)
    return run.path


def _with_logs(result: DrillResult, digests: dict[str, str]) -> DrillResult:
    fields = {name: getattr(result, name) for name in result.__struct_fields__}
    return DrillResult(**(fields | {"logs": digests}))
