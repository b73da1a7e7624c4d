"""What a month of the plan costs, in fen. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import get_args

from reports.plan.buying import Amounts
from reports.plan.result import CostPart, End, Profile, Range
from scenarios.prices import PartnerPrices, Prices

_EDGE = 1e-9


def bill(
    applications: Range, has: Mapping[End, Amounts], profile: Profile, prices: Prices
) -> dict[CostPart, Range]:
    """The cost of each part: all that there is in the month, at either end of the needs, and calls
    by their number."""
    parts: dict[CostPart, Callable[[End], float]] = {
        "nodes": lambda end: has[end]["nodes"] * prices.node_month,
        "database": lambda end: _database(has[end], prices),
        "documents": lambda end: has[end]["documents_gb"] * prices.documents.gb_month,
        "sms": lambda end: _partner("sms", prices.sms, applications, has, profile, end),
        "bank": lambda end: _partner("bank", prices.bank, applications, has, profile, end),
        "payment": lambda end: _partner("payment", prices.payment, applications, has, profile, end),
    }
    ends: tuple[End, ...] = get_args(End)
    return {part: _around({end: cost(end) for end in ends}) for part, cost in parts.items()}


def _around(ends: Mapping[End, float]) -> Range:
    # Who needs less buys later, and then for months that lie further ahead: at times more.
    found = ends.values()
    return Range(low=min(found), value=ends["value"], high=max(found))


def _database(has: Amounts, prices: Prices) -> float:
    chosen = prices.database.class_for(has["commits"]) or prices.database.classes[-1]
    return chosen.month + has["database_gb"] * prices.database.gb_month


def _partner(
    name: str,
    prices: PartnerPrices,
    applications: Range,
    has: Mapping[End, Amounts],
    profile: Profile,
    end: End,
) -> float:
    customers: float = getattr(applications, end)
    calls: float = getattr(profile.billed[name], end)
    rate = has[end][f"{name}_rate"]  # type: ignore[index]
    steps = math.ceil(rate / prices.quota.step - _EDGE)
    return customers * calls * prices.each + steps * prices.quota.month
