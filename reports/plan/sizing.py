"""What a month needs, and what to buy for it. Pure.

With a peak of r arrivals a second, headroom h and n(r) = r (1 + h):

- nodes: n(r) over what one carries, rounded up, and one more (N+1).
- calls a second to a gateway: m = n(r) times the calls of a customer, and Z standard deviations of
  a second's Poisson count, m + Z sqrt(m), since a gateway refuses what is beyond its quota in any
  second; for the bank divided by the share that it serves when degraded.
- connections: a = n(r) times calls times the seconds one is held are in use on average (Little's
  law), and a + Z sqrt(a) are enough for Poisson arrivals (the square-root rule of staffing).
- disk: what is used, and the bytes of every customer so far, with headroom on what is added.
- calls a month: the month's customers times calls, with headroom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import get_args

from reports.plan.buying import Amounts, amounts_by_month
from reports.plan.costs import bill
from reports.plan.result import GATEWAYS, End, MonthPlan, Profile, Range, Reserve, Resource
from scenarios.demand import Month
from scenarios.prices import Prices, Today

Z = 3.0
"""Standard deviations above the mean: a second in 740 of the peak needs more."""

_GB = 1e9
_EDGE = 1e-9


def plan_months(
    months: Sequence[Month],
    profile: Profile,
    reserve: Reserve,
    prices: Prices,
    today: Today,
    uncertainty: float,
) -> tuple[MonthPlan, ...]:
    """Every month's needs, purchase and cost. `uncertainty` as in `Month.spread`."""
    ends: tuple[End, ...] = get_args(End)
    needs = {end: _needs(months, profile, reserve, today, uncertainty, end) for end in ends}
    has = {end: amounts_by_month(needs[end], today, profile, reserve, prices) for end in ends}
    found = []
    for at, month in enumerate(months):
        bought = {end: has[end][at] for end in ends}
        applications = _around(month.applications, month, uncertainty)
        found.append(
            MonthPlan(
                month=month.month,
                events=month.events,
                applications=applications,
                peak=_around(month.peak, month, uncertainty),
                needed=_joined({end: needs[end][at] for end in ends}),
                bought=bought["value"],
                database_class=_class_name(needs["value"][at], bought["value"], prices),
                cost=bill(applications, bought, profile, prices),
            )
        )
    return tuple(found)


def _class_name(need: Amounts, has: Amounts, prices: Prices) -> str | None:
    if prices.database.class_for(need["commits"]) is None:
        return None
    chosen = prices.database.class_for(has["commits"]) or prices.database.classes[-1]
    return chosen.name


def needs_of(
    months: Sequence[Month], profile: Profile, reserve: Reserve, today: Today, uncertainty: float
) -> list[dict[Resource, Range]]:
    """Of each month, what is needed of each resource; the low end takes the low ends of demand and
    of what a customer needs together, the high end the high ones."""
    ends: tuple[End, ...] = get_args(End)
    found = {end: _needs(months, profile, reserve, today, uncertainty, end) for end in ends}
    return [_joined({end: found[end][at] for end in ends}) for at in range(len(months))]


def _joined(ends: Mapping[End, Amounts]) -> dict[Resource, Range]:
    return {
        name: Range(low=ends["low"][name], value=value, high=ends["high"][name])
        for name, value in ends["value"].items()
    }


def _needs(
    months: Sequence[Month],
    profile: Profile,
    reserve: Reserve,
    today: Today,
    uncertainty: float,
    end: End,
) -> list[Amounts]:
    margin = 1 + reserve.headroom
    node = {"low": profile.node.high, "value": profile.node.value, "high": profile.node.low}[end]
    arrived, found = 0.0, []
    for month in months:
        scale = {"low": 1 / month.spread(uncertainty), "value": 1.0}.get(
            end, month.spread(uncertainty)
        )
        customers, rate = month.applications * scale, month.peak * scale * margin
        arrived += customers
        needs: Amounts = {
            "nodes": nodes_for(rate, node) + (1 if reserve.fault else 0),
            "commits": rate * getattr(profile.transactions, end),
            "database_gb": today.database.used_gb + arrived * profile.database_bytes * margin / _GB,
            "documents_gb": today.documents.used_gb
            + arrived * profile.document_bytes * margin / _GB,
            "sms_month": customers * getattr(profile.calls["sms"], end) * margin,
            "bank_month": customers * getattr(profile.calls["bank"], end) * margin,
        }
        for gateway in GATEWAYS:
            calls = rate * getattr(profile.calls[gateway], end)
            share = reserve.degraded if reserve.fault and gateway == "bank" else 1.0
            needs[f"{gateway}_rate"] = _with_room(calls) / share  # type: ignore[index]
            held = calls * profile.held[gateway]
            needs[f"connections_{gateway}"] = math.ceil(_with_room(held))  # type: ignore[index]
        found.append(needs)
    return found


def nodes_for(rate: float, node: float) -> int:
    """The nodes that carry `rate` arrivals a second at `node` each, at least one."""
    return max(1, math.ceil(rate / node - _EDGE))


def _with_room(mean: float) -> float:
    return mean + Z * math.sqrt(mean)


def _around(value: float, month: Month, uncertainty: float) -> Range:
    spread = month.spread(uncertainty)
    return Range(low=value / spread, value=value, high=value * spread)
