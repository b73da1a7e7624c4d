"""A scenario's faults, handed to the servers that they strike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from loadtests.admin import AdminProblem, call_admin, error_message
from scenarios.faults import Fault


def shifted(fault: Fault, seconds: float) -> Fault | None:
    """`fault` with its window `seconds` later (earlier if negative), counted from a new zero; None
    when the window has passed by then."""
    end = fault.end + seconds
    if end <= 0:
        return None
    start = max(0.0, fault.start + seconds)
    duration = None if fault.duration is None else end - start
    return fault.model_copy(update={"start": start, "duration": duration})


def post_faults(urls: Mapping[str, str], faults: Sequence[Fault], now: float) -> None:
    """Set `faults`, whose windows count from the run's beginning, at `now` seconds since it (or
    before it, if negative) at the admin APIs that apply them, by name in `urls`; those of customers
    and of processes are not theirs.

    Raises AdminProblem when a target cannot take them.
    """
    by_target: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        placed = shifted(fault, -now)
        if placed is not None and fault.host in urls:
            by_target[fault.host].append(placed)
    for target, placed_faults in by_target.items():
        records = [fault.model_dump(mode="json", exclude_none=True) for fault in placed_faults]
        status, body = call_admin(urls[target], "POST", "/faults", records)
        if status != 200:
            raise AdminProblem(
                f"{target} refuses the scenario's faults ({status}): {error_message(body)}"
            )
