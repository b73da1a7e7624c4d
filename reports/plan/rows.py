"""Tables of a plan: rows for the page, and data frames for files."""

from __future__ import annotations

from typing import get_args

import polars as pl

from reports.numbers import MISSING, shown
from reports.plan.answers import amount, between, changed, day, events, money
from reports.plan.result import CostPart, NodeModel, Plan, Range, Resource
from reports.plan.sizing import nodes_for
from reports.words import Words

RESOURCES: tuple[Resource, ...] = get_args(Resource)
PARTS: tuple[CostPart, ...] = get_args(CostPart)

Cell = tuple[str, str]
"""A value and its interval."""


def frame(plan: Plan) -> pl.DataFrame:
    """A row for each month: `plan.csv` and `plan.parquet`. Money in fen; every interval in columns
    that end in `_low` and `_high`."""
    rows = []
    for month in plan.months:
        row: dict[str, str | float | None] = {
            "month": month.month,
            "events": "+".join(month.events),
            "database_class": month.database_class,
        }
        row |= _ends("applications", month.applications)
        row |= _ends("peak_per_second", month.peak)
        for name in RESOURCES:
            row |= _ends(f"{name}_needed", month.needed[name])
            row[f"{name}_bought"] = float(month.bought[name])
            row[f"{name}_today"] = plan.has.get(name)
        for part in PARTS:
            row |= _ends(f"cost_{part}_fen", month.cost[part])
        row |= _ends("cost_total_fen", month.total)
        rows.append(row)
    texts = ("month", "events", "database_class")
    columns = {name: pl.String if name in texts else pl.Float64 for name in rows[0]}
    return pl.DataFrame(rows, schema=columns)


def _ends(name: str, each: Range) -> dict[str, float]:
    return {
        name: float(each.value),
        f"{name}_low": float(each.low),
        f"{name}_high": float(each.high),
    }


def run_out_rows(plan: Plan, words: Words) -> list[list[str]]:
    """Resource, today's, run-out date with its interval, and without reserve."""
    bare = {each.resource: each for each in plan.bare}
    return [
        [
            words(f"resource.{each.resource}"),
            amount(each.resource, each.has, words),
            day(each.date, plan, words),
            day(each.early, plan, words),
            day(each.late, plan, words),
            day(bare[each.resource].date, plan, words),
        ]
        for each in plan.run_out
    ]


def need_rows(plan: Plan, words: Words) -> list[tuple[str, str, list[Cell]]]:
    """Month, events, and the cells of applications, peak and every resource."""
    found = []
    for month in plan.months:
        cells = [
            (f"{month.applications.value:,.0f}", _counts(month.applications)),
            (shown(month.peak.value, "/s"), _numbers(month.peak)),
        ]
        cells += [
            (amount(name, month.bought[name], words), _amounts(name, month.needed[name], words))
            for name in RESOURCES
        ]
        found.append((month.month, events(month, words), cells))
    return found


def cost_rows(plan: Plan, words: Words) -> list[list[Cell]]:
    """Of each month the parts and the total, in CNY; the last row is the sum."""
    rows = []
    for month in plan.months:
        rows.append([_yuan(month.cost[part]) for part in PARTS] + [_yuan(month.total)])
    sums = [
        Range(
            low=sum(month.cost[part].low for month in plan.months),
            value=sum(month.cost[part].value for month in plan.months),
            high=sum(month.cost[part].high for month in plan.months),
        )
        for part in PARTS
    ]
    rows.append([_yuan(each) for each in sums] + [_yuan(plan.total)])
    return rows


def model_rows(plan: Plan, words: Words) -> list[list[str]]:
    """Model, its limit with both ends, the nodes it would need at the highest peak, and a note."""
    top = max(month.peak.value for month in plan.months) * (1 + plan.reserve.headroom)
    spare = 1 if plan.reserve.fault else 0
    return [
        [
            words(f"model.{each.model}"),
            MISSING if each.low is None else shown(each.low, "/s"),
            shown(each.value, "/s"),
            MISSING if each.high is None else shown(each.high, "/s"),
            f"{nodes_for(top, each.value) + spare}",
            _note(each, plan, words),
        ]
        for each in plan.models
    ]


def _note(each: NodeModel, plan: Plan, words: Words) -> str:
    if not each.trusted:
        return words("model.distrusted", why="; ".join(plan.usl_warnings))
    note = {
        "simulator": "window" if each.high is not None else "window_open",
        "utilisation": "full",
        "live": "live_note",
        "usl": "usl_note",
    }.get(each.model, "steady")
    said = words(f"model.{note}")
    return f"{words('model.used')}; {said}" if each.used else said


def wait_rows(plan: Plan, words: Words) -> list[list[str]]:
    """Month, nodes, arrivals, and the mean wait in one line and in a line each."""

    def seconds(value: float | None) -> str:
        return words("model.endless") if value is None else shown(value, "s")

    return [
        [
            each.month,
            f"{each.nodes}",
            shown(each.rate, "/s"),
            seconds(each.one_line),
            seconds(each.line_each),
        ]
        for each in plan.waits
    ]


def confirmation_rows(plan: Plan, words: Words) -> list[list[str]]:
    """Month, fault, nodes at work, arrivals, objectives, success rate, p95 of confirm."""
    return [
        [
            each.month,
            words(f"fault.{each.fault}"),
            f"{each.nodes}",
            shown(each.rate, "/s"),
            words("confirm.all_held") if each.held else "; ".join(each.missed),
            shown(each.success_rate, "share"),
            shown(each.confirm_p95, "s"),
        ]
        for each in plan.confirmations
    ]


def swing_rows(plan: Plan, words: Words) -> list[list[str]]:
    """Assumption, and of each end: the change, the total cost and the run-out date."""
    return [
        [
            words(f"swing_name.{each.name}"),
            changed(each, "low", words),
            money(each.low_cost, words),
            day(each.low_date, plan, words),
            changed(each, "high", words),
            money(each.high_cost, words),
            day(each.high_date, plan, words),
        ]
        for each in plan.swings
    ]


def _yuan(fen: Range) -> Cell:
    return (f"{fen.value / 100:,.0f}", f"{fen.low / 100:,.0f} – {fen.high / 100:,.0f}")


def _counts(each: Range) -> str:
    return f"{each.low:,.0f} – {each.high:,.0f}"


def _numbers(each: Range) -> str:
    return f"{each.low:.3g} – {each.high:.3g}"


def _amounts(name: Resource, each: Range, words: Words) -> str:
    return between(amount(name, each.low, words), amount(name, each.high, words), words)
