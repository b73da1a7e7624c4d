"""From what each month needs to what there is in it: bought seldom, for months ahead, and kept.
Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports.plan.result import GATEWAYS, MonthPlan, Plan, Profile, Reserve, Resource
from scenarios.prices import Prices, Today

AHEAD = 6
"""Months that a purchase lasts for."""

Amounts = dict[Resource, float]
Step = tuple[Resource, float, float]
"""A resource, how much of it there was, and how much there is then."""

_DISK_STEP = 10.0
_CALLS_STEP = 100_000.0
_EDGE = 1e-9


def has_of(today: Today, profile: Profile) -> Amounts:
    """What there is of each resource that is limited; connections as the scenario gives each
    node."""
    has: Amounts = {
        "nodes": float(today.nodes),
        "database_gb": today.database.gb,
        "commits": today.database.commits,
        "documents_gb": today.documents.gb,
        "sms_rate": today.sms.rate,
        "bank_rate": today.bank.rate,
        "payment_rate": today.payment.rate,
    }
    for gateway in GATEWAYS:
        places = float(profile.connections[gateway] * today.nodes)
        has[f"connections_{gateway}"] = places  # type: ignore[index]
    if today.sms.month is not None:
        has["sms_month"] = today.sms.month
    if today.bank.month is not None:
        has["bank_month"] = today.bank.month
    return has


def amounts_by_month(
    needs: Sequence[Amounts], today: Today, profile: Profile, reserve: Reserve, prices: Prices
) -> list[Amounts]:
    """What there is in each month. When a need is more than there is, as much is bought as the
    needs of AHEAD months ask for, rounded up to what is sold. Nothing is given back."""
    has = has_of(today, profile)
    found = []
    for at, need in enumerate(needs):
        for name in has:
            if need[name] > has[name] and not name.startswith("connections"):
                most = max(later[name] for later in needs[at : at + AHEAD])
                has[name] = _sold(name, most, prices)
        # The nodes that are left in a fault must hold all connections.
        working = max(1.0, has["nodes"] - (1 if reserve.fault else 0))
        for gateway in GATEWAYS:
            name: Resource = f"connections_{gateway}"  # type: ignore[no-redef]
            each = max(profile.connections[gateway], math.ceil(need[name] / working))
            has[name] = max(has[name], each * has["nodes"])
        found.append(dict(has))
    return found


def purchases(plan: Plan) -> list[tuple[MonthPlan, list[Step]]]:
    """The months in which something is bought, with what. Connections come with the nodes."""
    has, found = plan.has, []
    for month in plan.months:
        steps: list[Step] = [
            (name, before, month.bought[name])
            for name, before in has.items()
            if month.bought[name] > before and not name.startswith("connections")
        ]
        if steps:
            found.append((month, steps))
        has = month.bought
    return found


def _sold(name: Resource, need: float, prices: Prices) -> float:
    """The least that is sold and is enough; of classes of database at most the largest."""
    match name:
        case "commits":
            chosen = prices.database.class_for(need) or prices.database.classes[-1]
            return chosen.commits
        case "database_gb" | "documents_gb":
            return _up(need, _DISK_STEP)
        case "sms_month" | "bank_month":
            return _up(need, _CALLS_STEP)
        case "sms_rate":
            return _up(need, prices.sms.quota.step)
        case "bank_rate":
            return _up(need, prices.bank.quota.step)
        case "payment_rate":
            return _up(need, prices.payment.quota.step)
    return math.ceil(need - _EDGE)


def _up(value: float, step: float) -> float:
    return math.ceil(value / step - _EDGE) * step
