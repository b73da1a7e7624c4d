"""A recording turned into a scenario that plays it again."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import median
from typing import Any

import yaml

from scenarios.recording import GatewaySeries, Recording
from scenarios.schema import Scenario
from scenarios.units import WRITTEN, format_duration

MAIN_OPERATION: dict[str, str] = {"bank": "open", "sms": "send", "payment": "charge"}
"""The call of each gateway that every binding makes, and whose latency a recording is about."""

QUIET = 1.25
"""A row is quiet when its median is at most so many times the fifth of the medians that is lowest:
an incident may fill most of its recording, but then the fifth before and after it is left."""
DRAIN = "10m"
"""Journeys at life's pace take minutes, so that those of the last row need time to end."""
OBJECTIVE = "replayed >= 90%"
_HEAD = """\
# Made from {source}. The gateways' own latencies are those of the quiet rows; the faults hold the
# recorded rows. The objective says how well the replay must meet the recording, see
# docs/incidents-import.md; add objectives of your own.
"""


def baseline(series: GatewaySeries) -> tuple[float, float] | None:
    """The median p50 and p99 of the quiet rows, in seconds; None where latency is not recorded."""
    rows = [
        (p50, p99)
        for p50, p99 in zip(series.p50, series.p99, strict=True)
        if p50 is not None and p99 is not None
    ]
    if not rows:
        return None
    lowest = sorted(p50 for p50, _ in rows)[len(rows) // 5]
    quiet = [(p50, p99) for p50, p99 in rows if p50 <= QUIET * lowest]
    return median(p50 for p50, _ in quiet), median(p99 for _, p99 in quiet)


def scenario_yaml(recording: Recording, name: str, source: str) -> str:
    """A scenario file that reproduces `recording`; `source` is where it came from, for people."""
    gateways = recording.gateways
    world: dict[str, Any] = {}
    faults = []
    for gateway, series in gateways.items():
        calm = baseline(series)
        if calm is not None:
            latency = {"p50": _seconds(calm[0]), "p99": _seconds(calm[1])}
            world[gateway] = {"latency": {MAIN_OPERATION[gateway]: latency}}
        faults.append(_fault(gateway, series, recording.step))
    content: dict[str, Any] = {
        "name": name,
        "title": f"Replay of {source}",
        "description": f"{recording.rows} rows of {format_duration(recording.step)} from"
        f" {recording.began}, recorded of {', '.join(gateways)}.",
        "duration": _seconds(recording.rows * recording.step),
        "drain": DRAIN,
        "arrivals": {
            "kind": "steps",
            "steps": [
                {"rate": f"{_plain(60 * rate)}/m", "duration": _seconds(recording.step)}
                for rate in recording.arrivals
            ],
        },
        "world": world,
        "faults": faults,
        "objectives": [OBJECTIVE],
    }
    text = yaml.dump(
        content, Dumper=_Compact, sort_keys=False, allow_unicode=True, width=100, indent=2
    )
    Scenario.model_validate(yaml.safe_load(text), context=WRITTEN)
    return f"{_HEAD.format(source=source)}{text}"


def _fault(gateway: str, series: GatewaySeries, step: float) -> dict[str, Any]:
    fault: dict[str, Any] = {
        "kind": "recorded-series",
        "target": gateway,
        "step": _seconds(step),
        "duration": _seconds(step * max(len(series.p50), len(series.error_share))),
    }
    if series.p50:
        fault["p50"] = _written(series.p50)
        fault["p99"] = _written(series.p99)
    if series.error_share:
        fault["error_share"] = list(series.error_share)
    return fault


def _written(values: Sequence[float | None]) -> list[str | None]:
    return [None if value is None else _seconds(value) for value in values]


def _seconds(value: float) -> str:
    return f"{_plain(1000 * value)}ms" if value < 1 else f"{_plain(value)}s"


def _plain(value: float) -> str:
    return f"{Decimal(f'{value:.6g}'):f}"


class _Compact(yaml.SafeDumper):
    """Lists of plain values, and tables of two plain values, on one line each."""

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        plain = not any(isinstance(item, dict | list) for item in sequence)
        return super().represent_sequence(tag, sequence, flow_style=plain)

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> Any:
        plain = len(mapping) == 2 and not any(isinstance(v, dict | list) for v in mapping.values())
        return super().represent_mapping(tag, mapping, flow_style=plain)
