"""From what each month needs to what is bought when: seldom, and for months ahead. Pure."""

from __future__ import annotations

from reports.plan.result import MonthPlan, Plan, Resource

AHEAD = 6
"""Months that a purchase lasts for."""

Step = tuple[Resource, float, float]
"""A resource, how much of it there was, and how much there is then."""


def purchases(plan: Plan) -> list[tuple[MonthPlan, list[Step]]]:
    """The months in which something is bought, with what. Nothing is given back."""
    has = dict(plan.has)
    found = []
    for at, month in enumerate(plan.months):
        steps: list[Step] = []
        for name, before in has.items():
            if month.needed[name].value <= before:
                continue
            after = max(later.bought[name] for later in plan.months[at : at + AHEAD])
            steps.append((name, before, after))
        for name, _, after in steps:
            has[name] = after
        if steps:
            found.append((month, steps))
    return found
