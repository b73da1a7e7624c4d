"""What the faults cost, in words and numbers for people."""

from __future__ import annotations

from collections.abc import Sequence

from reports.numbers import MISSING, shown
from reports.resilience_schema import Resilience


def recovery_figures(found: Sequence[Resilience | None]) -> list[tuple[str, list[str]]]:
    """A row a figure, a value for each clock that has a twin; no rows when none has."""
    facts = [_facts(resilience) for resilience in found if resilience is not None]
    return [(name, [fact[name] for fact in facts]) for name in facts[0]] if facts else []


def _facts(found: Resilience) -> dict[str, str]:
    fates = found.fates
    later = MISSING
    if fates.came_back:
        later = f"{shown(fates.later_p50, 's')}, {shown(fates.later_p95, 's')}"
    return {
        "Bindings of the twin": shown(found.twin_bindings, "count"),
        "Bindings": shown(found.bindings, "count"),
        "Fewer than the twin, at the end": shown(found.lost_bindings, "count"),
        "Behind the twin, at most": f"{shown(found.lost_at_most, 'count')} at"
        f" {shown(found.lost_at_most_at, 's')}",
        "Customers lost for good": shown(fates.lost, "count"),
        "Bound in the twin, here still under way": shown(fates.unfinished, "count"),
        "Bound here, not in the twin": shown(fates.gained, "count"),
        "Bound later than in the twin": shown(fates.came_back, "count"),
        "Later by, median and p95": later,
        "Money charged and not refunded": _fen(found.money_stuck_fen),
        "In the twin": _fen(found.twin_money_stuck_fen),
    }


def _fen(amount: int | None) -> str:
    return MISSING if amount is None else f"{amount:,} fen"
