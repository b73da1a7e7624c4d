"""Objectives: what a run must achieve, in one line each, such as `p95(confirm) < 800ms`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Literal

import msgspec

from scenarios.contract import OPERATIONS
from scenarios.gateways import GATEWAY_OPERATIONS
from scenarios.units import (
    DURATION,
    NUMBER,
    RATE,
    SHARE,
    Form,
    parse_duration,
    parse_number,
    parse_rate,
    parse_share,
)

Unit = Literal["s", "share", "/s", "number"]
Takes = Literal["nothing", "latency", "step", "cause", "fault", "gateway"]

WHOLE = "binding"
"""The argument that means a whole binding, from its planned arrival to ACTIVE."""

_STEPS = (*OPERATIONS, "otp")


class Metric(msgspec.Struct, frozen=True):
    """Something an objective can be about: the unit of its values and what its argument names."""

    name: str
    unit: Unit
    takes: Takes
    meaning: str


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("p50", "s", "latency", "median latency"),
        Metric("p90", "s", "latency", "90th percentile of latency"),
        Metric("p95", "s", "latency", "95th percentile of latency"),
        Metric("p99", "s", "latency", "99th percentile of latency"),
        Metric("max", "s", "latency", "longest latency"),
        Metric("mean", "s", "latency", "mean latency"),
        Metric(
            "success_rate", "share", "nothing", "customers who ended ACTIVE, of those who ended"
        ),
        Metric("error_rate", "share", "step", "requests of a step that failed"),
        Metric("share", "share", "cause", "customers who ended for a cause, of those who ended"),
        Metric("throughput", "/s", "nothing", "bindings that became ACTIVE per second"),
        Metric("time_to_recover", "s", "fault", "from the end of a fault to normal service"),
        Metric("time_to_detect", "s", "fault", "from the start of a fault to the first breach"),
        Metric(
            "throughput_recovery",
            "s",
            "fault",
            "from the end of a fault to throughput within 5 % of the no-fault twin's",
        ),
        Metric(
            "drain_time",
            "s",
            "fault",
            "from the end of a fault until as many customers are inside as in the no-fault twin",
        ),
        Metric(
            "amplification",
            "number",
            "gateway",
            "calls per binding attempt while a fault lasts, over those of the no-fault twin",
        ),
        Metric(
            "calls_per_binding",
            "number",
            "gateway",
            "calls of a gateway for each binding that became ACTIVE",
        ),
        Metric("lost_bindings", "number", "nothing", "bindings fewer than in the no-fault twin"),
        Metric("replayed", "share", "nothing", "recorded rows that a replay met, at worst"),
        Metric("money_stuck", "number", "nothing", "fen charged and not refunded at the end"),
    )
}
"""Every metric by name; a new one is a line here and its measure in `reports`."""

_LIMITS: dict[Unit, tuple[Form, Callable[[str], float]]] = {
    "s": (DURATION, parse_duration),
    "share": (SHARE, parse_share),
    "/s": (RATE, parse_rate),
    "number": (NUMBER, parse_number),
}
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARGUMENTS: dict[Takes, tuple[str, ...]] = {
    "latency": (*_STEPS, WHOLE),
    "step": _STEPS,
    "gateway": tuple(GATEWAY_OPERATIONS),
}
_EXAMPLES: dict[Takes, str] = {
    "nothing": "",
    "latency": "(confirm)",
    "step": "(confirm)",
    "cause": "(bank_unavailable)",
    "fault": "(bank)",
    "gateway": "(bank)",
}
_SHAPE = re.compile(
    r"\s*(?P<metric>\w+)\s*(?:\(\s*(?P<argument>[^()]*?)\s*\))?"
    r"\s*(?P<operator>[<>=!]+)\s*(?P<limit>.*?)\s*"
)
_CAUSE = re.compile(r"[a-z0-9_]+")


class Objective(msgspec.Struct, frozen=True):
    """One objective: `metric(argument) operator limit`, the limit in `unit`.

    `unit` is `s` (seconds), `share` (0 to 1), `/s` (per second) or `number`. `argument` is empty
    for metrics that take none; it is a step or `binding`, a cause, a gateway, or a fault's target
    or label.
    """

    text: str
    metric: str
    argument: str
    operator: str
    limit: float
    unit: Unit

    def holds(self, value: float | None) -> bool:
        """Whether `value`, in `unit`, meets the limit; None (could not be measured) never does."""
        return value is not None and _OPERATORS[self.operator](value, self.limit)


def parse_objective(text: str) -> Objective:
    """The objective that `text` states. Raises ValueError, with what to write instead."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is not an objective; write metric(argument), one of {' '.join(_OPERATORS)},"
            " and a limit, such as p95(confirm) < 800ms"
        )
    metric = METRICS.get(match["metric"])
    if metric is None:
        raise ValueError(
            f"there is no metric {match['metric']!r}; {_mend(match['metric'], METRICS)}"
        )
    if match["operator"] not in _OPERATORS:
        raise ValueError(
            f"{match['operator']!r} is not a comparison; write one of {' '.join(_OPERATORS)}"
        )
    argument = match["argument"] or ""
    _check_argument(metric, argument)
    limit = _limit(metric, match["limit"])
    return Objective(text.strip(), metric.name, argument, match["operator"], limit, metric.unit)


def _check_argument(metric: Metric, argument: str) -> None:
    form = metric.name + _EXAMPLES[metric.takes]
    if metric.takes == "nothing":
        if argument:
            raise ValueError(f"{metric.name} takes no argument; write {form}")
        return
    if not argument:
        raise ValueError(f"{metric.name} needs a {_noun(metric)}; write {form}")
    known = _ARGUMENTS.get(metric.takes)
    if known is not None and argument not in known:
        raise ValueError(f"there is no {_noun(metric)} {argument!r}; {_mend(argument, known)}")
    if metric.takes == "cause" and not _CAUSE.fullmatch(argument):
        raise ValueError(f"{argument!r} is not a cause; write a word such as bank_unavailable")


def _noun(metric: Metric) -> str:
    return "step" if metric.takes == "latency" else metric.takes


def _limit(metric: Metric, text: str) -> float:
    form, parse = _LIMITS[metric.unit]
    limit = parse(text)
    if limit < 0:
        raise ValueError(f"{text} is below 0; write {form.examples}")
    if metric.unit == "share" and limit > 1:
        mend = f"{text}%" if limit <= 100 and "%" not in text else "100% or less"
        raise ValueError(f"{text} is above {'100%' if '%' in text else '1'}; write {mend}")
    return limit


def _mend(word: str, known: dict[str, Metric] | tuple[str, ...]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
