"""What each assumption is worth: the plan again with one of them changed. Pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from reports.plan.result import Profile, Range, Reserve, Swing
from reports.plan.run_out import run_outs
from reports.plan.sizing import plan_months
from scenarios.demand import Month
from scenarios.prices import PartnerPrices, Prices, Today

POINTS = 0.01
"""By how much a month's growth is changed: a percentage point."""
WIDE = 0.20
NARROW = 0.10
"""Shares by which the other assumptions are changed; headroom in points."""


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a plan is reckoned from."""

    months: tuple[Month, ...]
    profile: Profile
    reserve: Reserve
    prices: Prices
    today: Today
    uncertainty: float


def cost_of(basis: Basis) -> float:
    """The cost of all months, fen."""
    months = plan_months(
        basis.months,
        basis.profile,
        basis.reserve,
        basis.prices,
        basis.today,
        basis.uncertainty,
    )
    return sum(month.total.value for month in months)


def first_date(basis: Basis) -> str | None:
    """When the first resource of today's set-up runs out; None: not within the plan."""
    found = run_outs(basis.months, basis.profile, basis.reserve, basis.today, basis.uncertainty)
    return found[0].date if found else None


def swings(basis: Basis) -> tuple[Swing, ...]:
    """Every assumption low and high, the one with the largest effect on the cost first."""
    found = [
        Swing(
            name=name,  # type: ignore[arg-type]
            change=size,
            points=points,
            low_cost=cost_of(low),
            high_cost=cost_of(high),
            low_date=first_date(low),
            high_date=first_date(high),
        )
        for name, points, size, low, high in (
            (name, points, size, change(basis, -size), change(basis, size))
            for name, (points, size, change) in _CHANGES.items()
        )
    ]
    return tuple(sorted(found, key=lambda swing: (-swing.size, swing.name)))


def _growth(basis: Basis, points: float) -> Basis:
    months = tuple(
        replace(month, applications=month.applications * (1 + points) ** (month.ahead - 1))
        for month in basis.months
    )
    return replace(basis, months=months)


def _peak_factor(basis: Basis, share: float) -> Basis:
    months = tuple(
        replace(month, peak_factor=month.peak_factor * (1 + share)) for month in basis.months
    )
    return replace(basis, months=months)


def _headroom(basis: Basis, points: float) -> Basis:
    headroom = max(0.0, basis.reserve.headroom + points)
    return replace(basis, reserve=replace(basis.reserve, headroom=headroom))


def _service_time(basis: Basis, share: float) -> Basis:
    profile = basis.profile
    return replace(basis, profile=replace(profile, node=profile.node.times(1 / (1 + share))))


def _sms(basis: Basis, share: float) -> Basis:
    profile = basis.profile

    def changed(by_gateway: dict[str, Range]) -> dict[str, Range]:
        return by_gateway | {"sms": by_gateway["sms"].times(1 + share)}

    return replace(
        basis,
        profile=replace(profile, calls=changed(profile.calls), billed=changed(profile.billed)),
    )


def _prices(basis: Basis, share: float) -> Basis:
    return replace(basis, prices=scaled_prices(basis.prices, 1 + share))


def scaled_prices(prices: Prices, factor: float) -> Prices:
    """Every price `factor` times as high."""

    def partner(each: PartnerPrices) -> PartnerPrices:
        quota = each.quota.model_copy(update={"month": each.quota.month * factor})
        return each.model_copy(update={"each": each.each * factor, "quota": quota})

    classes = tuple(
        each.model_copy(update={"month": each.month * factor}) for each in prices.database.classes
    )
    database = prices.database.model_copy(
        update={"gb_month": prices.database.gb_month * factor, "classes": classes}
    )
    documents = prices.documents.model_copy(update={"gb_month": prices.documents.gb_month * factor})
    return prices.model_copy(
        update={
            "node_month": prices.node_month * factor,
            "database": database,
            "documents": documents,
            "sms": partner(prices.sms),
            "bank": partner(prices.bank),
            "payment": partner(prices.payment),
        }
    )


_Change = Callable[[Basis, float], Basis]
_CHANGES: dict[str, tuple[bool, float, _Change]] = {
    "growth": (True, POINTS, _growth),
    "peak_factor": (False, WIDE, _peak_factor),
    "headroom": (True, NARROW, _headroom),
    "service_time": (False, WIDE, _service_time),
    "sms_per_customer": (False, WIDE, _sms),
    "prices": (False, NARROW, _prices),
}
"""By name: whether points are added, the size of the change, and the basis with it."""
