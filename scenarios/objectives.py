"""Objectives: what a run must achieve, in one line each, such as `p95(confirm) < 800ms`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from difflib import get_close_matches
from fractions import Fraction
from typing import Literal

import msgspec

from scenarios.contract import OPERATIONS, ErrorCode
from scenarios.gateways import GATEWAY_OPERATIONS
from scenarios.plain_text import flaw, quoted
from scenarios.units import (
    DURATION,
    NUMBER,
    RATE,
    SHARE,
    Form,
    exact,
    exact_duration,
    exact_number,
    exact_rate,
    exact_share,
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

_LIMITS: dict[Unit, tuple[Form, Callable[[str], Fraction]]] = {
    "s": (DURATION, exact_duration),
    "share": (SHARE, exact_share),
    "/s": (RATE, exact_rate),
    "number": (NUMBER, exact_number),
}
_OPERATORS: dict[str, Callable[[Fraction | float, Fraction], bool]] = {
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
LONGEST = 200
"""Characters of an objective."""
_COMPARISON = re.compile(r"[<>=!]+")
_NAME = re.compile(r"\w+", re.ASCII)
_CAUSE = re.compile(r"[a-z0-9_]+")
_CAUSES = frozenset(code.lower() for code in ErrorCode) | {
    *("patience", "otp_not_received", "verifying_too_long", "otp_tries", "journey_error"),
    *("payment_unknown", "bank_unknown", "testbed_limit", "bad_answer"),
}
"""Causes that journeys end for with our lender, beside the partners' own reasons."""
_SLIP = 0.85
"""How alike two words are of which one is a slip of the other, as difflib measures it."""


class Objective(msgspec.Struct, frozen=True):
    """One objective: `metric(argument) operator limit`, the limit in `unit`.

    `limit` is what was written, exactly. `unit` is `s` (seconds), `share` (0 to 1), `/s` (per
    second) or `number`. `argument` is empty for metrics that take none; it is a step or `binding`,
    a cause, a gateway, or a fault's target or label.
    """

    text: str
    metric: str
    argument: str
    operator: str
    limit: Fraction
    unit: Unit

    def holds(self, value: Fraction | float | None) -> bool:
        """Whether `value`, in `unit`, meets the limit; None (could not be measured) never does.

        A float stands for the decimal that it is printed as, so that 0.999 is 99.9%.
        """
        if value is None:
            return False
        if isinstance(value, float | int) and math.isfinite(value):
            value = exact(value)
        return _OPERATORS[self.operator](value, self.limit)


def parse_objective(text: str) -> Objective:
    """The objective that `text` states. Raises ValueError, with what to write instead."""
    name, argument, comparison, written = _parts(text)
    metric = METRICS.get(name)
    if metric is None:
        raise ValueError(f"there is no metric {quoted(name)}; {_mend(name, METRICS)}")
    if comparison not in _OPERATORS:
        raise ValueError(
            f"{quoted(comparison)} is not a comparison; write one of {' '.join(_OPERATORS)}"
        )
    _check_argument(metric, argument)
    limit = _limit(metric, written)
    return Objective(text.strip(), metric.name, argument, comparison, limit, metric.unit)


def _parts(text: str) -> tuple[str, str, str, str]:
    """Metric, argument (or nothing), comparison, and limit of an objective."""
    if wrong := flaw(text, lines=False):
        raise ValueError(f"{quoted(text)} {wrong}")
    # A fault's label may hold a sign of comparison.
    found = _COMPARISON.search(text, text.find(")") + 1) if len(text) <= LONGEST else None
    if found is not None:
        measured = text[: found.start()].strip()
        name, opened, rest = measured.partition("(")
        name, argument, closed = name.rstrip(), rest.removesuffix(")"), rest.endswith(")")
        whole = closed if opened else True
        if whole and _NAME.fullmatch(name) and not set("()") & set(argument):
            return name, argument.strip(), found[0], text[found.end() :].strip()
    raise ValueError(
        f"{quoted(text)} is not an objective; write metric(argument), one of"
        f" {' '.join(_OPERATORS)}, and a limit, such as p95(confirm) < 800ms"
    )


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
        raise ValueError(
            f"there is no {_noun(metric)} {quoted(argument)}; {_mend(argument, known)}"
        )
    if metric.takes == "cause" and not _CAUSE.fullmatch(argument):
        raise ValueError(
            f"{quoted(argument)} is not a cause; write a word such as bank_unavailable"
        )
    if metric.takes == "cause" and argument not in _CAUSES:
        # A team's own service has causes of its own, so only what looks like a slip is refused.
        near = get_close_matches(argument, _CAUSES, n=1, cutoff=_SLIP)
        if near:
            raise ValueError(f"there is no cause {quoted(argument)}; did you mean {near[0]}?")


def _noun(metric: Metric) -> str:
    return "step" if metric.takes == "latency" else metric.takes


def _limit(metric: Metric, text: str) -> Fraction:
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
