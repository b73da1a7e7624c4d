"""What a month of the plan costs, in fen. Pure."""

from __future__ import annotations

from reports.plan.result import CostPart, Profile, Range, Resource
from scenarios.prices import PartnerPrices, Prices


def bill(
    applications: Range,
    needed: dict[Resource, Range],
    bought: dict[Resource, float],
    profile: Profile,
    prices: Prices,
) -> dict[CostPart, Range]:
    """The cost of each part. What is bought ahead costs what the plan buys; its interval is what
    the ends of the needed amount would cost. Calls are paid for by number."""
    database = prices.database
    parts: dict[CostPart, Range] = {
        "nodes": needed["nodes"].times(prices.node_month),
        "database": _sum(
            needed["database_gb"].times(database.gb_month),
            Range(
                low=_class_cost(prices, needed["commits"].low),
                value=_class_cost(prices, needed["commits"].value),
                high=_class_cost(prices, needed["commits"].high),
            ),
            extra=(bought["database_gb"] - needed["database_gb"].value) * database.gb_month,
        ),
        "documents": _sum(
            needed["documents_gb"].times(prices.documents.gb_month),
            extra=(bought["documents_gb"] - needed["documents_gb"].value)
            * prices.documents.gb_month,
        ),
        "sms": _partner(applications, profile.billed["sms"], needed["sms_rate"], prices.sms),
        "bank": _partner(applications, profile.billed["bank"], needed["bank_rate"], prices.bank),
        "payment": _partner(
            applications, profile.billed["payment"], needed["payment_rate"], prices.payment
        ),
    }
    return parts


def _class_cost(prices: Prices, commits: float) -> float:
    chosen = prices.database.class_for(commits) or prices.database.classes[-1]
    return chosen.month


def _partner(applications: Range, billed: Range, rate: Range, prices: PartnerPrices) -> Range:
    def cost(customers: float, calls: float, a_second: float) -> float:
        steps = -(-(a_second - 1e-9) // prices.quota.step)
        return customers * calls * prices.each + steps * prices.quota.month

    return Range(
        low=cost(applications.low, billed.low, rate.low),
        value=cost(applications.value, billed.value, rate.value),
        high=cost(applications.high, billed.high, rate.high),
    )


def _sum(*parts: Range, extra: float = 0.0) -> Range:
    return Range(
        low=sum(part.low for part in parts) + extra,
        value=sum(part.value for part in parts) + extra,
        high=sum(part.high for part in parts) + extra,
    )
