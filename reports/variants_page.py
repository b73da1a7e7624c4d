"""`report.html` of a run with variants: all of them beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import yaml

from reports import plots
from reports.figure import SERIES
from reports.html import write_report
from reports.page import drawing, render
from reports.plots import Line, Plot
from reports.run_folder import CLOCKS, Clock, RunFolder
from reports.variants import (
    Compared,
    Played,
    compare_variants,
    expectation_of,
    played_variants,
    shown_difference,
    shown_mean,
)
from reports.verdict import CLOCK_NAMES, outcomes_of, said, shown_value, summary_of
from scenarios.units import format_duration
from scenarios.whole_file import write_whole


def write_variants_report(run: RunFolder) -> Path:
    """Write the report of each variant and the one that compares them, into the run's folder.

    Raises RunProblem.
    """
    variants = played_variants(run)
    reports = [write_report(played.run) for played in variants]
    compared = [found for clock in CLOCKS if (found := compare_variants(variants, clock))]
    page = render(
        "variants.html.j2",
        run=run,
        variants=[
            {
                "variant": played.variant,
                "expectation": expectation_of(played),
                "said": [(CLOCK_NAMES[c], said(played.run, c)) for c in played.run.clocks],
                "report": report.relative_to(run.path).as_posix(),
                "colour": colour,
            }
            for played, report, colour in zip(variants, reports, cycle(SERIES), strict=False)
        ],
        clocks=[
            {
                "compared": each,
                "objectives": _objectives(each.variants, each.clock),
                "plots": [_throughput(each)],
            }
            for each in compared
        ],
        shown_mean=shown_mean,
        shown_difference=shown_difference,
        scenario=yaml.safe_dump(run.record.scenario, sort_keys=False, allow_unicode=True),
        format_duration=format_duration,
    )
    path = run.path / "report.html"
    write_whole(path, page.encode())
    return path


def _objectives(variants: Sequence[Played], clock: Clock) -> list[dict[str, Any]]:
    found = [
        {o.text: o for o in outcomes_of(played.run, clock, summary_of(played.run, clock))}
        for played in variants
    ]
    texts = dict.fromkeys(text for outcomes in found for text in outcomes)
    return [
        {
            "text": text,
            "cells": [
                {"value": shown_value(o), "word": o.word} if (o := outcomes.get(text)) else None
                for outcomes in found
            ],
        }
        for text in texts
    ]


def _throughput(compared: Compared) -> Plot:
    lines = [
        Line(played.variant.name, colour, summary_of(played.run, compared.clock))
        for played, colour in zip(compared.variants, cycle(SERIES), strict=False)
    ]
    several = " The first replication is drawn." if compared.replications > 1 else ""
    return Plot(
        title="Throughput over time",
        caption="Bindings that became ACTIVE and customers who were to arrive, per second. Shaded:"
        f" faults in force.{several}",
        svg=drawing(plots.throughput(lines, f"{compared.clock}-throughput")),
    )
