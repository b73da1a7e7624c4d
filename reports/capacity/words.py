"""A capacity search in words and rows: for the page, and for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from reports.capacity.result import Capacity, Limit, Measured
from reports.numbers import MISSING, shown
from reports.text_table import aligned
from reports.verdict import AT_LIMIT, CLOCK_NAMES, shown_value
from scenarios.ceilings.judge import in_words

NEAR = 0.15
"""A prediction of the limit that is off by no more than this is called good."""


def measure_in_words(measure: Measured) -> str:
    """Whether the objectives held, which were missed, or why that was not tested."""
    if measure.untested:
        return f"not tested: {measure.untested}"
    missed = ", ".join(outcome.text for outcome in measure.missed)
    words = f"missed {missed}" if missed else "held"
    return f"{words}, {AT_LIMIT}: {in_words(measure.limits)}" if measure.limits else words


def limit_in_words(limit: Limit) -> str:
    """The answer of one clock."""
    low, high = shown(limit.low, "/s"), shown(limit.high, "/s")
    match limit.state:
        case "found":
            return f"the objectives hold at {low} and fail at {high}"
        case "always":
            return f"the objectives hold at every rate up to {shown(limit.highest, '/s')}"
        case "never" if limit.untested:
            lowest = shown(limit.rates[0], "/s")
            return f"no rate is known to hold, and at {lowest} nothing is tested: {limit.untested}"
        case "never":
            return f"the objectives fail at every rate down to {shown(limit.lowest, '/s')}"
        case "limited":
            known = f"the objectives hold at {low}" if limit.low else "no rate is known to hold"
            return f"{known}; at {shown(limit.beyond[0].rate, '/s')} the testbed was the limit"
    why = "interrupted" if limit.state == "interrupted" else "not settled"
    if limit.low is None and limit.high is None:
        return f"{why} before any rate was decided"
    if limit.high is None:
        return f"{why}: the objectives hold at {low}; no rate is known to fail"
    if limit.low is None:
        return f"{why}: the objectives fail at {high}; no rate is known to hold"
    return f"{why}: the objectives hold at {low} and fail at {high}, between them it is open"


def beyond_in_words(limit: Limit) -> str:
    """From which rate on the testbed was the limit, and by what; empty if at none."""
    if not limit.beyond:
        return ""
    first = limit.beyond[0]
    return f"at {shown(first.rate, '/s')} the testbed was the limit: {in_words(first.limits)}"


def failing_in_words(limit: Limit) -> str:
    """Which objectives failed at the lowest failing rate, and why customers did; empty if none."""
    failing = limit.at(limit.high) if limit.high is not None else limit.at(min(limit.rates or [0]))
    texts: dict[str, str] = {}
    for each in failing:
        for outcome in each.missed:
            texts.setdefault(outcome.text, f"{outcome.text} ({shown_value(outcome)})")
    if not texts:
        return ""
    causes = [cause for each in failing[:1] for cause in each.causes[:2]]
    told = ", ".join(f"{cause.cause} {shown(cause.share, 'share')}" for cause in causes)
    return "; ".join(texts.values()) + (f"; customers lost to {told}" if told else "")


def ratio_in_words(capacity: Capacity) -> str:
    """Prediction over measurement; empty without both."""
    if capacity.ratio is None:
        return ""
    off = abs(capacity.ratio - 1)
    verdict = "within" if off <= NEAR else "beyond"
    return (
        f"predicted / measured = {capacity.ratio:.3f}: {verdict} {NEAR * 100:.0f} % of the"
        " measurement"
    )


def rate_rows(limit: Limit) -> list[list[str]]:
    """A row for each rate, with its heading first."""
    heading = [
        "arrivals",
        "objectives",
        "bindings",
        "success",
        "request p50",
        "p95",
        "p99",
        "busiest",
    ]
    return [heading, *(_row(limit, rate) for rate in limit.rates)]


def _row(limit: Limit, rate: float) -> list[str]:
    measures = limit.at(rate)
    held = sum(each.held for each in measures)
    known = [each.requests for each in measures if each.requests]
    percentiles = [
        shown(fmean(getattr(each, field) for each in known), "s") if known else MISSING
        for field in ("p50", "p95", "p99")
    ]
    success = [each.success_rate for each in measures if each.success_rate is not None]
    return [
        shown(rate, "/s"),
        f"held {held} of {len(measures)}",
        shown(fmean(each.throughput for each in measures), "/s"),
        shown(fmean(success) if success else None, "share"),
        *percentiles,
        _busiest(measures),
    ]


def _busiest(measures: Sequence[Measured]) -> str:
    first = max(measures[0].usage, key=lambda usage: usage.used, default=None)
    return MISSING if first is None else f"{first.resource} {shown(first.used, 'share')}"


def model_rows(capacity: Capacity) -> list[list[str]]:
    """What each model says of the limit, in arrivals a second, the measurement first; then what it
    rests on."""
    rows = [["model", "limit", "from", "to", "says"]]
    for clock in ("live", "sim"):
        limit = capacity.limit(clock)
        if limit is None:
            continue
        rows.append(
            [
                "measured" if clock == "live" else "simulator",
                shown(limit.rate, "/s"),
                shown(limit.low, "/s"),
                shown(limit.high, "/s"),
                limit_in_words(limit),
            ]
        )
        rows += _law_row(limit)
    rows += [
        [bound.model, shown(bound.rate, "/s"), MISSING, MISSING, bound.says]
        for bound in capacity.bounds
    ]
    return rows


def _law_row(limit: Limit) -> list[list[str]]:
    if limit.usl is None:
        return []
    share = fmean(each.throughput / each.rate for each in limit.at(limit.rates[0]))
    ceiling = limit.usl.ceiling
    says = "throughput ends there, whatever the objectives"
    if limit.usl.warnings:
        says = f"not to be believed: {'; '.join(limit.usl.warnings)}"
    return [
        [
            f"scalability law, {'measured' if limit.clock == 'live' else 'simulated'}",
            *(
                shown(x / share if share else None, "/s")
                for x in (ceiling.value, ceiling.low, ceiling.high)
            ),
            says,
        ]
    ]


def lines(capacity: Capacity) -> list[str]:
    """What the command line prints at the end."""
    told: list[str] = []
    for limit in capacity.limits:
        rate = f"limit {shown(limit.rate, '/s')}, " if limit.rate is not None else ""
        sure = f" (confidence {shown(limit.confidence, 'share')})" if limit.rate else ""
        told.append(f"{CLOCK_NAMES[limit.clock]}: {rate}{limit_in_words(limit)}{sure}")
        if beyond := beyond_in_words(limit):
            told.append(f"  not measured: {beyond}")
        if failing := failing_in_words(limit):
            told.append(f"  fails: {failing}")
        if limit.bottleneck is not None:
            word = "saturates first" if limit.bottleneck.saturated else "busiest"
            told.append(f"  {word}: {limit.bottleneck.resource}, {limit.bottleneck.why}")
        told += [f"  {line}" for line in aligned(rate_rows(limit))] if limit.measures else []
    if ratio := ratio_in_words(capacity):
        told.append(ratio[0].upper() + ratio[1:])
    told += ["", *aligned(model_rows(capacity))]
    return told
