"""A clock's run is over: its summary, its objectives, its verdict."""

from __future__ import annotations

from pathlib import Path

import msgspec

from reports.numbers import shown, shown_until
from reports.objectives import Outcome, all_hold, evaluate
from reports.replications import read_replications
from reports.run_folder import CLOCKS, Clock, RunFolder, State, Verdict
from reports.summary import summarise
from reports.summary_schema import Summary, read_summary, write_summary
from reports.untested import untested
from scenarios.ceilings.judge import ceilings_met, in_words
from scenarios.objectives import parse_objective

CLOCK_NAMES: dict[Clock, str] = {"sim": "Simulation", "live": "Live run"}

_SAID: dict[Verdict, str] = {
    "met": "objectives met",
    "missed": "objectives missed",
    "limited": "the testbed was the limit",
    "interrupted": "interrupted",
    "failed": "failed",
}

AT_LIMIT = "the testbed was at its limit"

_NEVER = {
    "time_to_recover": "not recovered",
    "throughput_recovery": "not recovered",
    "time_to_detect": "not detected",
    "drain_time": "not drained",
}
"""What it means that one of these has no value."""


def conclude(
    run: RunFolder,
    clock: Clock,
    *,
    state: State,
    wall_seconds: float,
    note: str = "",
    judge_at_limit: bool = False,
) -> Summary:
    """Write `summary.json` from the events, and state and verdict into `run.json`.

    `wall_seconds` is how long the clock took to run; `note` says why it failed, in one line. A run
    that met a ceiling of the testbed's own is judged only if `judge_at_limit`; one that met none,
    and did not test what it was to test, has failed. Raises ValueError on a malformed objective.
    """
    record = run.record.clocks[clock]
    folder = run.clock_folder(clock)
    summary = summarise(folder, run.scenario, planned=record.planned)
    write_summary(summary, folder)
    record.limits = ceilings_met(folder)
    record.judged = judge_at_limit or not record.limits
    if state == "complete" and not record.limits:
        reason = untested(run.scenario, _summaries(folder, summary))
        state, note = ("failed", reason) if reason else (state, note)
    record.state = state
    record.wall_seconds = round(wall_seconds, 3)
    record.note = note
    record.verdict = _verdict(state, outcomes_of(run, clock, summary), judged=record.judged)
    run.save()
    return summary


def _summaries(clock_folder: Path, summary: Summary) -> list[Summary]:
    """Those of all replications, or else `summary` alone."""
    folders = sorted((clock_folder / "replications").glob("*/summary.json"))
    return [read_summary(each.parent) for each in folders] or [summary]


def summary_of(run: RunFolder, clock: Clock) -> Summary:
    """The clock's summary; that of a run which was killed is made now, from the parts on disk."""
    if run.record.clocks[clock].state == "running":
        conclude(run, clock, state="interrupted", wall_seconds=0.0)
    return read_summary(run.clock_folder(clock))


def outcomes_of(run: RunFolder, clock: Clock, summary: Summary) -> tuple[Outcome, ...]:
    """Each objective held against the summary; where there are replications, against the means, of
    which there is none unless every replication has a value."""
    replications = read_replications(run.clock_folder(clock))
    if replications is None:
        judged = run.record.clocks[clock].judged
        found = evaluate(run.scenario.objectives, summary)
        return found if judged else tuple(msgspec.structs.replace(o, judged=False) for o in found)
    total = len(replications.replications)
    return tuple(
        Outcome(
            text=held.text,
            value=held.mean.mean if held.mean and held.mean.count == total else None,
            unit=held.unit,
            holds=held.holds,
        )
        for held in replications.objectives
    )


def verdict_of(run: RunFolder) -> Verdict:
    """The verdict of all clocks together: the worst of theirs. A run that was ended before any
    clock began is interrupted."""
    found = {run.record.clocks[clock].verdict or "interrupted" for clock in run.clocks}
    if not found:
        return "interrupted"
    order: tuple[Verdict, ...] = ("failed", "interrupted", "limited", "missed", "met")
    return next((verdict for verdict in order if verdict in found), "met")


def verdict_lines(run: RunFolder) -> list[str]:
    """What the command line prints at the end: a line for each clock, then its objectives."""
    lines: list[str] = []
    for clock in CLOCKS:
        if clock in run.clocks:
            lines += _clock_lines(run, clock)
    return lines or ["Nothing was run."]


def said(run: RunFolder, clock: Clock) -> str:
    """The verdict of a clock in words, with the testbed's limits that it met."""
    record = run.record.clocks[clock]
    words = said_briefly(run, clock)
    if not record.limits:
        return words
    limits = in_words(record.limits)
    limited = record.verdict == "limited"
    return f"{words}: {limits}" if limited else f"{words}; {AT_LIMIT}: {limits}"


def said_briefly(run: RunFolder, clock: Clock) -> str:
    """The verdict of a clock in words, where its limits stand elsewhere."""
    record = run.record.clocks[clock]
    verdict = record.verdict or "interrupted"
    if verdict == "met" and not run.scenario.objectives:
        return "complete, no objectives set"
    return f"{_SAID[verdict]}: {record.note}" if record.note else _SAID[verdict]


def _clock_lines(run: RunFolder, clock: Clock) -> list[str]:
    summary = summary_of(run, clock)
    p95 = summary.binding.p95 if summary.binding else None
    facts = ", ".join(
        (
            f"{shown(summary.throughput, '/s')} bindings",
            f"{shown(summary.success_rate, 'share')} of {summary.customers.ended:,} succeeded",
            f"whole binding p95 {shown(p95, 's')}",
        )
    )
    lines = [f"{CLOCK_NAMES[clock]}: {said(run, clock)} ({facts})"]
    lines += [_objective_line(outcome) for outcome in outcomes_of(run, clock, summary)]
    return lines


def _objective_line(outcome: Outcome) -> str:
    return f"  {outcome.word:<7} {outcome.text}: {shown_value(outcome)}"


def shown_value(outcome: Outcome) -> str:
    """The measured value for people, in words when there is none; with as many digits as it takes
    to see why the objective holds or does not."""
    if outcome.value is not None:
        objective = parse_objective(outcome.text)
        return shown_until(
            outcome.value, objective.unit, lambda read: objective.holds(read) == outcome.holds
        )
    metric = outcome.text.split("(")[0].strip()
    return _NEVER.get(metric, "nothing measured")


def _verdict(state: State, outcomes: tuple[Outcome, ...], *, judged: bool) -> Verdict:
    match state:
        case "complete":
            if not judged:
                return "limited"
            return "met" if all_hold(outcomes) else "missed"
        case "failed":
            return "failed"
        case _:
            return "interrupted"
