"""Why a run that came to its end did not test what it was to test: such a run has failed, whatever
its figures say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.summary_schema import FaultWindow, Summary
from scenarios.faults import Fault
from scenarios.schema import Scenario
from scenarios.units import format_duration


def untested(scenario: Scenario, summaries: Sequence[Summary]) -> str:
    """The reason in one line; empty when the customers came and the faults struck.

    `summaries` are those of the run, or of all its replications: what struck in one of them was
    tested.
    """
    for summary in summaries:
        customers = summary.customers
        if short := shortfall(customers.issued, customers.planned):
            return short
        if customers.issued and not customers.ended:
            return (
                f"none of the {customers.issued:,} customers had ended when the time was up; see"
                " whether the service answers at all, or write a longer drain"
            )
    windows = [{window.label: window for window in each.faults} for each in summaries]
    for fault in scenario.faults:
        if reason := _idle(fault, windows):
            return reason
    return ""


def shortfall(issued: int, planned: int) -> str:
    """The reason when fewer customers came than were planned; empty when they did not."""
    if issued >= planned:
        return ""
    number = f"only {issued:,}" if issued else "none"
    return f"{number} of the {planned:,} planned customers were issued"


def _idle(fault: Fault, windows: Sequence[Mapping[str, FaultWindow]]) -> str:
    """Why none of the fault's parts struck; empty when one did, could not be counted, or was not
    meant to."""
    found = [each[part.label] for each in windows for part in fault.parts() if part.label in each]
    if fault.share == 0 or not found or any(window.struck != 0 for window in found):
        return ""
    first = found[0]
    until = "" if first.end is None else f" to {format_duration(first.end)}"
    if all(window.during is None for window in found):
        why = f"nobody asked for anything that needs {fault.target} then"
        mend = "move its start to where customers are"
    else:
        why = "nothing that came then was its to strike"
        mend = "widen its share, ops, issuer, carrier or duration"
    return (
        f"fault {first.label} (from {format_duration(first.start)}{until}) struck nothing, for"
        f" {why}; {mend}"
    )
