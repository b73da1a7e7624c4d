"""`report.html`: one run, both clocks, on one self-contained page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from reports import plots
from reports.figure import FIRST, SECOND
from reports.intervals import Interval
from reports.join import join_clocks
from reports.key_figures import key_figures
from reports.numbers import Unit, shown
from reports.objectives import Outcome
from reports.page import drawing, render
from reports.plots import Line, Plot
from reports.prediction import predict, rank_causes
from reports.recovery_figures import recovery_figures
from reports.recovery_plot import recovery_plots
from reports.replay_plot import replay_plots
from reports.replications import Replications, read_replications
from reports.run_folder import Clock, ClockRecord, RunFolder
from reports.summary_schema import Summary
from reports.verdict import CLOCK_NAMES, outcomes_of, said_briefly, shown_value, summary_of
from scenarios.units import format_duration
from scenarios.whole_file import write_whole

COLOURS: dict[Clock, str] = {"sim": FIRST, "live": SECOND}
_LEGEND: dict[Clock, str] = {"sim": "simulated", "live": "live"}


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One clock on the page."""

    clock: Clock
    name: str
    verdict: str
    said: str
    record: ClockRecord
    summary: Summary
    outcomes: tuple[Outcome, ...]
    replications: Replications | None = None
    merged: tuple[tuple[str, Unit, Interval], ...] = ()


def write_report(run: RunFolder) -> Path:
    """Write `report.html` into the run's folder, whole or not at all. Raises RunProblem."""
    sections = [_section(run, clock) for clock in run.clocks]
    lines = [_line(section) for section in sections]
    both = len(sections) == 2
    predictions = predict(sections[0].summary, sections[1].summary) if both else ()
    page = render(
        "report.html.j2",
        run=run,
        sections=sections,
        objectives=_objectives(sections),
        plots=_plots(lines),
        predictions=predictions,
        prediction_plot=drawing(plots.differences(predictions, "(simulated − live) / live", FIRST)),
        ranks=rank_causes(sections[0].summary, sections[1].summary) if both else None,
        agreement=join_clocks(run) if both else None,
        scenario=yaml.safe_dump(run.record.scenario, sort_keys=False, allow_unicode=True),
        key_figures=_key_figures(sections),
        recovery_figures=recovery_figures([section.summary.resilience for section in sections]),
        recovery_plots=recovery_plots(lines),
        replay_plots=replay_plots(lines),
        format_duration=format_duration,
    )
    path = run.path / "report.html"
    write_whole(path, page.encode())
    return path


def _section(run: RunFolder, clock: Clock) -> Section:
    # First, since the summary of a killed run settles its record.
    summary = summary_of(run, clock)
    record = run.record.clocks[clock]
    replications = read_replications(run.clock_folder(clock))
    return Section(
        clock=clock,
        name=CLOCK_NAMES[clock],
        verdict=record.verdict or "interrupted",
        said=said_briefly(run, clock),
        record=record,
        summary=summary,
        outcomes=outcomes_of(run, clock, summary),
        replications=replications,
        merged=_merged(run, replications) if replications else (),
    )


def _merged(run: RunFolder, replications: Replications) -> tuple[tuple[str, Unit, Interval], ...]:
    return tuple(
        (figure.name, figure.unit, found)
        for figure in key_figures([run.scenario])
        if (found := replications.merged.get(figure.path)) is not None
    )


def _line(section: Section) -> Line:
    return Line(_LEGEND[section.clock], COLOURS[section.clock], section.summary)


def _objectives(sections: Sequence[Section]) -> list[dict[str, Any]]:
    return [
        {
            "text": outcomes[0].text,
            "cells": [{"value": shown_value(o), "word": o.word} for o in outcomes],
        }
        for outcomes in zip(*(section.outcomes for section in sections), strict=True)
    ]


def _key_figures(sections: Sequence[Section]) -> list[tuple[str, list[str]]]:
    facts = [_facts(section.summary) for section in sections]
    return [(name, [fact[name] for fact in facts]) for name in facts[0]] if facts else []


def _facts(summary: Summary) -> dict[str, str]:
    customers, binding = summary.customers, summary.binding
    late, system = summary.lateness, summary.in_system
    return {
        "Active bindings a second": shown(summary.throughput, "/s"),
        "Success rate": shown(summary.success_rate, "share"),
        "Whole binding, median": shown(binding.p50 if binding else None, "s"),
        "Whole binding, p95": shown(binding.p95 if binding else None, "s"),
        "Arrivals planned": shown(customers.planned, "count"),
        "Arrivals issued": shown(customers.issued, "count"),
        "Customers who ended": shown(customers.ended, "count"),
        "Still under way at the end": shown(customers.under_way, "count"),
        "Arrivals issued late, median": shown(late.p50 if late else None, "s"),
        "Arrivals issued late, p99": shown(late.p99 if late else None, "s"),
        "Arrivals issued late, most": shown(late.max if late else None, "s"),
        "Customers in the system, L": shown(system.mean_number if system else None, "number"),
        "L / (arrival rate × mean time)": shown(system.ratio if system else None, "number"),
    }


def _plots(lines: Sequence[Line]) -> list[Plot]:
    if not lines:
        return []
    drawn = [
        Plot(
            title="Throughput over time",
            caption="Bindings that became ACTIVE and customers who were to arrive, per second. "
            "Shaded: faults in force.",
            svg=drawing(plots.throughput(lines)),
        )
    ]
    drawn += [
        Plot(
            title=f"Latency over time, {line.name}",
            caption="p50, p95 and p99 of each step, from the intended start, by the window in which"
            " the request was due.",
            svg=drawing(plots.latency_over_time(line, lines, f"latency{number}")),
        )
        for number, line in enumerate(lines)
    ]
    drawn += [
        Plot(
            title="Latency distribution",
            caption="The share of requests that took longer than the time below; both axes "
            "logarithmic. Whole binding: planned arrival to ACTIVE.",
            svg=drawing(plots.latency_distribution(lines)),
        ),
        Plot(
            title="Funnel",
            caption="Customers who reached each step or a later one.",
            svg=drawing(plots.funnel(lines)),
            wide=False,
        ),
        Plot(
            title="Failed customers by cause",
            caption="Of all customers who ended.",
            svg=drawing(plots.causes(lines)),
            wide=False,
        ),
    ]
    return drawn
