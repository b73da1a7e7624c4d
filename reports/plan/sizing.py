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
from collections.abc import Sequence
from typing import Literal

from reports.plan.costs import bill
from reports.plan.result import GATEWAYS, MonthPlan, Profile, Range, Reserve, Resource
from scenarios.demand import Month
from scenarios.prices import Prices, Today

Z = 3.0
"""Standard deviations above the mean: a second in 740 of the peak needs more."""

_GB = 1e9
_DISK_STEP = 10.0
_EDGE = 1e-9

End = Literal["low", "value", "high"]


def plan_months(
    months: Sequence[Month],
    profile: Profile,
    reserve: Reserve,
    prices: Prices,
    today: Today,
    uncertainty: float,
) -> tuple[MonthPlan, ...]:
    """Every month's needs, purchase and cost. `uncertainty` as in `Month.spread`."""
    needs = needs_of(months, profile, reserve, today, uncertainty)
    found = []
    for month, needed in zip(months, needs, strict=True):
        bought, name = _bought(needed, profile, reserve, prices)
        applications = _around(month.applications, month, uncertainty)
        found.append(
            MonthPlan(
                month=month.month,
                events=month.events,
                applications=applications,
                peak=_around(month.peak, month, uncertainty),
                needed=needed,
                bought=bought,
                database_class=name,
                cost=bill(applications, needed, bought, profile, prices),
            )
        )
    return tuple(found)


def needs_of(
    months: Sequence[Month], profile: Profile, reserve: Reserve, today: Today, uncertainty: float
) -> list[dict[Resource, Range]]:
    """Of each month, what is needed of each resource; the low end takes the low ends of demand and
    of what a customer needs together, the high end the high ones."""
    ends: dict[End, list[dict[Resource, float]]] = {
        end: _needs(months, profile, reserve, today, uncertainty, end)
        for end in ("low", "value", "high")
    }
    return [
        {name: Range(low=low[name], value=value[name], high=high[name]) for name in value}
        for low, value, high in zip(ends["low"], ends["value"], ends["high"], strict=True)
    ]


def _needs(
    months: Sequence[Month],
    profile: Profile,
    reserve: Reserve,
    today: Today,
    uncertainty: float,
    end: End,
) -> list[dict[Resource, float]]:
    margin = 1 + reserve.headroom
    node = {"low": profile.node.high, "value": profile.node.value, "high": profile.node.low}[end]
    arrived, found = 0.0, []
    for month in months:
        scale = {"low": 1 / month.spread(uncertainty), "value": 1.0}.get(
            end, month.spread(uncertainty)
        )
        customers, rate = month.applications * scale, month.peak * scale * margin
        arrived += customers
        needs: dict[Resource, float] = {
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


def _bought(
    needed: dict[Resource, Range], profile: Profile, reserve: Reserve, prices: Prices
) -> tuple[dict[Resource, float], str | None]:
    """Needs at expected demand, rounded up to what is sold."""
    need = {name: each.value for name, each in needed.items()}
    chosen = prices.database.class_for(need["commits"])
    largest = prices.database.classes[-1]
    bought: dict[Resource, float] = {
        "nodes": need["nodes"],
        "commits": (chosen or largest).commits,
        "database_gb": _up(need["database_gb"], _DISK_STEP),
        "documents_gb": _up(need["documents_gb"], _DISK_STEP),
        "sms_month": need["sms_month"],
        "bank_month": need["bank_month"],
        "sms_rate": _up(need["sms_rate"], prices.sms.quota.step),
        "bank_rate": _up(need["bank_rate"], prices.bank.quota.step),
        "payment_rate": _up(need["payment_rate"], prices.payment.quota.step),
    }
    # The nodes that are left in a fault must hold all connections.
    working = max(1.0, need["nodes"] - (1 if reserve.fault else 0))
    for gateway in GATEWAYS:
        each = max(
            profile.connections[gateway],
            math.ceil(need[f"connections_{gateway}"] / working),  # type: ignore[index]
        )
        bought[f"connections_{gateway}"] = each * need["nodes"]  # type: ignore[index]
    return bought, chosen.name if chosen else None


def _up(value: float, step: float) -> float:
    return math.ceil(value / step - _EDGE) * step
