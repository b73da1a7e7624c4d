"""When today's set-up is no longer enough, and of what. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from reports.plan.buying import has_of
from reports.plan.result import End, Profile, Range, Reserve, Resource, RunOut
from reports.plan.sizing import needs_of
from scenarios.demand import Month
from scenarios.prices import Today

STEADY: tuple[Resource, ...] = ("database_gb", "documents_gb")
"""What fills up day by day; of the rest, the month's peak or sum decides."""


def run_outs(
    months: Sequence[Month], profile: Profile, reserve: Reserve, today: Today, uncertainty: float
) -> tuple[RunOut, ...]:
    """Each limited resource of today's, the first to run out first."""
    needs = needs_of(months, profile, reserve, today, uncertainty)
    found = [
        RunOut(
            resource=name,
            has=has,
            date=_date(months, needs, name, has, _used(today, name), "value"),
            early=_date(months, needs, name, has, _used(today, name), "high"),
            late=_date(months, needs, name, has, _used(today, name), "low"),
        )
        for name, has in has_of(today, profile).items()
    ]
    never = "9999"
    return tuple(
        sorted(
            found, key=lambda each: (each.date or never, each.early or never, each.late or never)
        )
    )


def _used(today: Today, name: Resource) -> float:
    if name == "database_gb":
        return today.database.used_gb
    return today.documents.used_gb if name == "documents_gb" else 0.0


def _date(
    months: Sequence[Month],
    needs: Sequence[dict[Resource, Range]],
    name: Resource,
    has: float,
    begins: float,
    end: End,
) -> str | None:
    before = begins
    for month, needed in zip(months, needs, strict=True):
        need: float = getattr(needed[name], end)
        if need > has:
            if name not in STEADY:
                return month.first.isoformat()
            share = (has - before) / (need - before) if need > before else 0.0
            day = min(month.days - 1, max(0, int(share * month.days)))
            return (month.first + timedelta(days=day)).isoformat()
        before = need
    return None
