"""A plan of round figures that can be reckoned by hand, and a small world to simulate."""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec.structs import replace

from reports.plan.buying import has_of
from reports.plan.result import Confirmation, NodeModel, Plan, Profile, Range, Reserve, Wait
from reports.plan.run_out import run_outs
from reports.plan.sensitivity import Basis, swings
from reports.plan.sizing import plan_months
from scenarios.demand import Month, grown, load_peaks
from scenarios.patch import lay_over
from scenarios.prices import load_prices, load_today
from scenarios.schema import Scenario

GB = 1e9


def exactly(value: float) -> Range:
    return Range(low=value, value=value, high=value)


PROFILE = Profile(
    replications=4,
    calls={"bank": exactly(1.0), "sms": exactly(1.0), "payment": exactly(2.0)},
    billed={"bank": exactly(1.0), "sms": exactly(1.0), "payment": exactly(1.0)},
    held={"bank": 0.2, "sms": 0.05, "payment": 0.2},
    transactions=exactly(16.0),
    bindings=exactly(0.98),
    stored={"applicants": 1000.0, "audit": 4000.0},
    document_bytes=500_000.0,
    node=Range(low=9.0, value=10.0, high=11.0),
    connections={"bank": 100, "sms": 100, "payment": 100},
)
RESERVE = Reserve(headroom=0.3, fault=True, degraded=0.75)


def months(*applications: float, peak_factor: float = 10.0) -> tuple[Month, ...]:
    """Months of 2027 from January, of so many applications each."""
    return tuple(
        Month(
            month=f"2027-{nth:02d}",
            applications=each,
            peak_factor=peak_factor,
            events=("payday",),
            ahead=nth,
        )
        for nth, each in enumerate(applications, start=1)
    )


def basis(**changes: Any) -> Basis:
    """Two years of growth from 120,000 a day on the shipped prices and set-up, with changes."""
    found = Basis(
        months=grown(120_000, 0.05, 24, date(2027, 1, 1), load_peaks()),
        profile=replace(PROFILE, node=Range(low=18.0, value=20.0, high=22.0)),
        reserve=RESERVE,
        prices=load_prices(),
        today=load_today(),
        uncertainty=0.1,
    )
    return replace(found, **changes)


def plan_of(found: Basis, **changes: Any) -> Plan:
    """The whole plan of a basis, with made-up models and one simulation that held."""
    planned = plan_months(
        found.months, found.profile, found.reserve, found.prices, found.today, found.uncertainty
    )
    arguments = (found.months, found.profile)
    bare = Reserve(headroom=0.0, fault=False, degraded=1.0)
    plan = Plan(
        scenario="baseline",
        title="A <small> plan",
        seed=1,
        command="bindrill plan baseline",
        demand="forecast.csv",
        prices="example",
        today="example",
        uncertainty=found.uncertainty,
        reserve=found.reserve,
        objectives=("success_rate >= 95%",),
        dropped=("time_to_recover(bank) < 30s",),
        profile=found.profile,
        models=(
            NodeModel(model="simulator", low=10.0, value=10.0, high=10.5, used=True),
            NodeModel(model="utilisation", low=None, value=11.0, high=None),
        ),
        usl_warnings=(),
        has=has_of(found.today, found.profile),
        months=planned,
        run_out=run_outs(*arguments, found.reserve, found.today, found.uncertainty),
        bare=run_outs(*arguments, bare, found.today, found.uncertainty),
        confirmations=(
            Confirmation(
                month=planned[-1].month,
                fault="node",
                nodes=3,
                rate=30.0,
                held=True,
                missed=(),
                success_rate=0.97,
                confirm_p95=0.4,
            ),
        ),
        waits=(Wait(month=planned[-1].month, nodes=3, rate=30.0, one_line=0.001, line_each=None),),
        swings=swings(found),
    )
    return replace(plan, **changes)


WORLD: dict[str, Any] = {
    "name": "small",
    "title": "A small world",
    "seed": 3,
    "duration": 8.0,
    "drain": 3.0,
    "arrivals": {"kind": "poisson", "rate": 6.0},
    "journey": {"pace": 0.01, "status_poll": 0.5, "otp_wait": 500.0},
    "world": {
        "network": 0.001,
        "bank": {"latency": {"open": 0.02, "query": 0.01}, "rate_limit": 1.0},
        "sms": {
            "latency": {"send": 0.01},
            "carrier": {"delay": 0.02, "loss": 0.0, "duplicate": 0.0},
            "limits": {"minute": 20, "hour": 100, "day": 100},
        },
        "payment": {
            "latency": {"charge": 0.02, "refund": 0.02, "query": 0.01},
            "notifications": {"delay": 0.02, "speedup": 1000.0},
        },
        "lender": {"service": {"*": 0.012}, "commit": 0.0005, "workers": 200},
    },
    "objectives": ["success_rate >= 90%", "p95(confirm) < 400ms"],
}
"""About 9 arrivals a second fill its one core; its bank's quota would refuse most of them."""


def world(**changes: Any) -> Scenario:
    """WORLD with changes by dotted path, dots written as two underscores."""
    patched = lay_over(WORLD, {path.replace("__", "."): value for path, value in changes.items()})
    return Scenario.model_validate(patched.data)
