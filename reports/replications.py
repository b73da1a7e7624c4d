"""`replications.json`: the figures of many replications of one scenario, and their intervals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import msgspec

from reports.intervals import Interval, interval
from reports.objectives import judged, measure
from reports.run_folder import RunProblem, write_record
from reports.summary_schema import Summary, write_summary
from scenarios.objectives import Objective, parse_objective
from scenarios.units import exact

FILE = "replications.json"

Stopped = Literal["all", "precise", "interrupted"]
"""Why there are no more replications: all were made, the wanted precision was reached, Ctrl-C."""

_LEFT_OUT = ("series", "quantiles", "curves")
_ZERO_IF_ABSENT = re.compile(r"(^|\.)(states|causes|codes)\.|\.(calls|unanswered|count)$")


class Replication(msgspec.Struct, frozen=True, kw_only=True):
    """One replication: its number from 0 (the scenario's own seed), seed, and figures by name."""

    number: int
    seed: int
    figures: dict[str, float | None]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An objective over all replications.

    `mean` is None where no replication could measure it. It `holds` when the mean meets the limit
    and every replication could measure it; `held` counts the replications that meet it.
    """

    text: str
    unit: str
    mean: Interval | None
    held: int
    holds: bool


class Replications(msgspec.Struct, frozen=True, kw_only=True):
    """All replications of one scenario; `merged` has each summary figure's mean and interval.

    A figure's name is its path in `summary.json`, such as `steps.confirm.latency.p95`, in the same
    unit. The bytes do not depend on how many were simulated at a time.
    """

    format: int = 1
    stopped: Stopped
    replications: tuple[Replication, ...]
    merged: dict[str, Interval]
    objectives: tuple[Held, ...]

    def values(self, figure: str) -> dict[int, float | None]:
        """The figure in each replication that has it, by number; None where it has no value, as the
        time to recover of a service that did not."""
        return {
            each.number: each.figures[figure]
            for each in self.replications
            if figure in each.figures
        }


def merge(
    summaries: Mapping[int, Summary],
    seeds: Mapping[int, int],
    objectives: Sequence[str],
    stopped: Stopped,
) -> Replications:
    """The figures of the replications by number. Raises ValueError on a malformed objective."""
    figures = {number: figures_of(summaries[number]) for number in sorted(summaries)}
    names = sorted({name for each in figures.values() for name in each})
    for each in figures.values():
        for name in names:
            if _ZERO_IF_ABSENT.search(name):
                each.setdefault(name, 0.0)
    merged = {name: interval([each.get(name) for each in figures.values()]) for name in names}
    return Replications(
        stopped=stopped,
        replications=tuple(
            Replication(number=number, seed=seeds[number], figures=each)
            for number, each in figures.items()
        ),
        merged={name: found for name, found in merged.items() if found is not None},
        objectives=_held(objectives, [summaries[number] for number in figures]),
    )


def figures_of(summary: Summary) -> dict[str, float | None]:
    """Every number of a summary by its path, None where it has no value; series and whole
    distributions are left out.

    An item of a list is called by its label, or by its texts: `causes.FAILED/bank_unavailable`.
    """
    found: dict[str, float | None] = {}
    _gather(msgspec.to_builtins(summary), "", found)
    return found


def write_replications(
    result: Replications, summaries: Mapping[int, Summary], clock_folder: Path
) -> None:
    """Write `replications.json`, and each summary to `replications/<number>/summary.json`."""
    for number, summary in summaries.items():
        folder = clock_folder / "replications" / f"{number:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        write_summary(summary, folder)
    write_record(clock_folder / FILE, result, order="sorted")


def read_replications(clock_folder: Path) -> Replications | None:
    """Read `replications.json`; None where the clock was played once. Raises RunProblem."""
    path = clock_folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Replications)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise RunProblem(f"{path} cannot be read: {error}") from None


def _gather(value: Any, path: str, found: dict[str, float | None]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _LEFT_OUT:
                _gather(inner, f"{path}.{key}" if path else key, found)
    elif isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, dict):
                _gather(item, f"{path}.{_called(item)}", found)
    elif value is None:
        found[path] = None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found[path] = float(value)


def _called(item: dict[str, Any]) -> str:
    texts = [value for value in item.values() if isinstance(value, str)]
    return str(item.get("label") or "/".join(texts))


def _held(objectives: Sequence[str], summaries: Sequence[Summary]) -> tuple[Held, ...]:
    return tuple(_over_all(parse_objective(text), summaries) for text in objectives)


def _over_all(objective: Objective, summaries: Sequence[Summary]) -> Held:
    values = [judged(objective, summary) for summary in summaries]
    return Held(
        text=objective.text,
        unit=objective.unit,
        mean=interval([measure(objective, summary) for summary in summaries]),
        held=sum(objective.holds(value) for value in values),
        holds=objective.holds(_mean(values)),
    )


def _mean(values: Sequence[Fraction | float | None]) -> Fraction | None:
    """The exact mean; None unless all have a value."""
    known = [exact(value) if isinstance(value, float) else value for value in values]
    parts = [Fraction(value) for value in known if value is not None]
    return sum(parts, Fraction(0)) / len(parts) if parts and len(parts) == len(values) else None
