"""`plan.html` and its files: the page of answers first, then plots, tables and assumptions."""

from __future__ import annotations

from pathlib import Path

from reports.numbers import shown
from reports.page import drawing, render
from reports.plan import plots, rows
from reports.plan.answers import PACKAGE, between, buy_about, buy_rows, cards
from reports.plan.result import Plan, Range, write_plan
from reports.plots import Plot
from reports.run_folder import write_whole
from reports.table_files import write_table
from reports.words import Lang, Words
from scenarios.data_size import format_size

PAGE = "plan.html"


def write_page(plan: Plan, folder: Path, lang: Lang) -> Path:
    """Write `plan.json`, `plan.csv`, `plan.parquet` and `plan.html`; the page's path."""
    write_plan(plan, folder)
    write_table(rows.frame(plan), folder, "plan")
    path = folder / PAGE
    write_whole(path, plan_page(plan, Words(lang, PACKAGE)).encode())
    return path


def plan_page(plan: Plan, words: Words) -> str:
    """The page in the language of `words`."""
    return render(
        "plan.html.j2",
        t=words,
        plan=plan,
        cards=cards(plan, words),
        buy=buy_rows(plan, words),
        buy_about=buy_about(plan, words),
        plots=_plots(plan, words),
        run_out=rows.run_out_rows(plan, words),
        needs=rows.need_rows(plan, words),
        costs=rows.cost_rows(plan, words),
        models=rows.model_rows(plan, words),
        waits=rows.wait_rows(plan, words),
        confirmations=rows.confirmation_rows(plan, words),
        swings=rows.swing_rows(plan, words),
        assumptions=assumptions(plan, words),
        resources=rows.RESOURCES,
        parts_names=rows.PARTS,
        headroom=shown(plan.reserve.headroom, "share"),
    )


def assumptions(plan: Plan, words: Words) -> list[str]:
    """What the plan rests on, a text each."""
    profile = plan.profile

    def each(value: Range) -> str:
        return f"{value.value:.4g} ({between(f'{value.low:.4g}', f'{value.high:.4g}', words)})"

    found = [
        words("assume.uncertainty", share=f"{plan.uncertainty:.0%}"),
        words(
            "assume.customer",
            bank=each(profile.calls["bank"]),
            sms=each(profile.calls["sms"]),
            payment=each(profile.calls["payment"]),
            transactions=each(profile.transactions),
            bindings=each(profile.bindings),
            replications=profile.replications,
        ),
        words(
            "assume.storage",
            bytes=f"{profile.database_bytes:,.0f}",
            parts=", ".join(f"{name} {size:,.0f}" for name, size in profile.stored.items()),
            documents=format_size(profile.document_bytes),
        ),
        words("assume.nodes"),
        words("assume.commits"),
        words("assume.quotas", degraded=f"{plan.reserve.degraded:.0%}"),
        words("assume.intervals"),
        words("assume.objectives", objectives="; ".join(plan.objectives)),
    ]
    if plan.dropped:
        found.append(words("assume.dropped", objectives="; ".join(plan.dropped)))
    return found


def _plots(plan: Plan, words: Words) -> list[Plot]:
    return [
        Plot(
            title=words(f"plot.{name}"),
            caption=words(f"plot.{name}_about"),
            svg=drawing(draw(plan, words)),
        )
        for name, draw in (
            ("demand", plots.demand),
            ("cost", plots.cost),
            ("resources", plots.resources),
            ("tornado", plots.tornado),
        )
    ]
