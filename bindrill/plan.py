"""`bindrill plan`: what will be needed month by month, what it costs, and when today's set-up runs
out."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
from rich.console import Console

from bindrill.console import plain_console, print_json
from bindrill.counted import counted
from bindrill.errors import EXIT_MET, EXIT_MISSED, InputProblem
from bindrill.leftovers import tidy
from bindrill.option_values import checked_language, parsed, positive
from reports.capacity.bounds import Bound
from reports.capacity.result import FILE as CAPACITY
from reports.capacity.result import Capacity, Limit, Measured, read_capacity
from reports.capacity.scaling import own_rate
from reports.capacity.search import Search
from reports.capacity.words import measure_in_words
from reports.claims import claim
from reports.numbers import shown
from reports.plan.answers import PACKAGE, answer_lines
from reports.plan.buying import has_of
from reports.plan.confirmed_months import to_confirm
from reports.plan.models import NoLimit, models_of, node_range, waits_of
from reports.plan.page import write_page
from reports.plan.result import NodeModel, Plan, Reserve, profile_of
from reports.plan.run_out import run_outs
from reports.plan.sensitivity import Basis, swings
from reports.plan.sizing import plan_months
from reports.run_folder import new_folder
from reports.words import Words
from scenarios.calibration import load_calibration
from scenarios.demand import PEAKS, Month, grown, load_peaks, read_forecast
from scenarios.loader import load_scenario, override
from scenarios.passwords import command_line
from scenarios.prices import PRICES, TODAY, load_prices, load_today
from scenarios.schema import Scenario
from scenarios.units import parse_duration, parse_rate, parse_share
from sim.cluster import simulators
from sim.plan import confirmations, for_a_plan, limit_of_a_node, needs_of_a_customer

BARE = Reserve(headroom=0.0, fault=False, degraded=1.0)
"""Nothing to spare: when customers notice."""
_DAY = 86400.0


class PlanOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `bindrill plan`, as `bindrill.cli` describes them."""

    demand: Path | None
    growth: str
    start: str | None
    months: int
    first: str | None
    peaks: Path | None
    uncertainty: str
    headroom: str
    degraded: str
    prices: Path | None
    today: Path | None
    capacity: Path | None
    calibration: Path | None
    seed: int | None
    duration: str | None
    replications: int
    jobs: int | None
    cluster: str | None
    confirm: int
    lang: str
    out: Path
    json: bool


def make_plan(name: str, options: PlanOptions) -> int:
    """Simulate what is needed, reckon the plan, write its folder, print the answer; the exit code:
    99 when a simulation of the plan misses an objective.

    Raises the exceptions of `bindrill.errors.user_problems`.
    """
    lang = checked_language(options.lang)
    months, demand = _demand(options)
    prices = load_prices(options.prices or PRICES)
    today = load_today(options.today or TODAY)
    reserve = Reserve(
        headroom=_share("--headroom", options.headroom, 0.0, 10.0),
        fault=True,
        degraded=_share("--degraded", options.degraded, 0.01, 1.0),
    )
    uncertainty = _share("--uncertainty", options.uncertainty, 0.0, 10.0)
    scenario, dropped = _scenario(name, options)
    measured = _capacity(options.capacity, scenario)
    console = plain_console(stderr=options.json)
    tidy(options.out)
    folder = claim(
        new_folder(options.out, f"{scenario.name}-plan-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    )
    console.print(
        f"{scenario.name}: {months[0].month} to {months[-1].month}, seed {scenario.seed},"
        f" into {folder}",
    )
    with simulators(options.replications, options.jobs, options.cluster) as places:
        console.print(f"simulating what a customer needs ({options.replications} runs)")
        needs = needs_of_a_customer(
            scenario,
            replications=options.replications,
            executor=places.executor,
            ahead=places.ahead,
        )
        console.print("searching what one lender node carries")
        limit, bounds = limit_of_a_node(
            scenario,
            needs.demand,
            executor=places.executor,
            ahead=places.ahead,
            on_measured=_teller(console),
        )
        models, warnings = _models(limit, bounds, measured)
        profile = profile_of(needs, node_range(models), scenario.world.lender.connections)
        basis = Basis(
            months=months,
            profile=profile,
            reserve=reserve,
            prices=prices,
            today=today,
            uncertainty=uncertainty,
        )
        planned = plan_months(months, profile, reserve, prices, today, uncertainty)
        tried = to_confirm(planned, options.confirm)
        with counted(console, "confirming simulations", 2 * len(tried)) as on_done:
            confirmed = confirmations(
                scenario,
                tried,
                reserve,
                executor=places.executor,
                ahead=places.ahead,
                on_done=on_done,
            )
    plan = Plan(
        scenario=scenario.name,
        title=scenario.title,
        seed=scenario.seed,
        command=command_line(["bindrill", *sys.argv[1:]]),
        demand=demand,
        prices=f"{prices.title} ({(options.prices or PRICES).name})",
        today=f"{today.title} ({(options.today or TODAY).name})",
        uncertainty=uncertainty,
        reserve=reserve,
        objectives=scenario.objectives,
        dropped=dropped,
        profile=profile,
        models=models,
        usl_warnings=warnings,
        has=has_of(today, profile),
        months=planned,
        run_out=run_outs(months, profile, reserve, today, uncertainty),
        bare=run_outs(months, profile, BARE, today, uncertainty),
        confirmations=confirmed,
        waits=waits_of(planned, reserve, scenario, needs.demand),
        swings=swings(basis),
    )
    page = write_page(plan, folder, lang)
    for line in (*answer_lines(plan, Words(lang, PACKAGE)), "", f"Report: {page}"):
        console.print(line)
    if options.json:
        print_json({"report": page, "plan": plan})
    return EXIT_MET if plan.confirmed else EXIT_MISSED


def _models(
    limit: Limit, bounds: Sequence[Bound], capacity: Capacity | None
) -> tuple[tuple[NodeModel, ...], tuple[str, ...]]:
    try:
        return models_of(limit, bounds, capacity)
    except NoLimit as problem:
        raise InputProblem(str(problem)) from None


def _teller(console: Console) -> Callable[[Measured, Search], None]:
    def tell(measure: Measured, search: Search) -> None:
        told = measure_in_words(measure)
        console.print(f"  one node at {shown(measure.rate, '/s')}: {told}")

    return tell


def _scenario(name: str, options: PlanOptions) -> tuple[Scenario, tuple[str, ...]]:
    scenario = override(load_scenario(name), seed=options.seed)
    if options.calibration is not None:
        scenario = load_calibration(options.calibration).applied(scenario)
    if own_rate(scenario) <= 0:
        raise InputProblem(f"{name}: its own rate of arrivals is 0, which has no multiple")
    plain, dropped = for_a_plan(scenario, _window(options.duration))
    if not plain.objectives:
        raise InputProblem(f"{name} has no objectives to hold; add some, such as p95(confirm) < 1s")
    return plain, dropped


def _window(text: str | None) -> float | None:
    if text is None:
        return None
    return positive("--duration", text, parse_duration, "a duration such as 30s")


def _demand(options: PlanOptions) -> tuple[tuple[Month, ...], str]:
    peaks = load_peaks(options.peaks or PEAKS)
    if options.demand is not None:
        if options.start is not None:
            raise InputProblem("--start: goes with --growth, not with --demand; leave out one")
        return read_forecast(options.demand, peaks), options.demand.name
    if options.start is None:
        raise InputProblem(
            "--demand: is missing; give a forecast, or --start 2000/day --growth 5% --months 24"
        )
    growth = _share("--growth", options.growth, -0.9, 10.0)
    months = grown(_a_day(options.start), growth, options.months, _first(options.first), peaks)
    return months, f"{options.start}, {options.growth} a month"


def _a_day(text: str) -> float:
    try:
        a_day = parse_rate(re.sub(r"/\s*day$", "/d", text)) * _DAY
    except ValueError:
        raise InputProblem(f"--start: {text!r} is not a rate; write 2000/day or 100/h") from None
    if a_day <= 0:
        raise InputProblem(f"--start: {text} is not above 0; write a rate such as 2000/day")
    return a_day


def _first(text: str | None) -> date:
    if text is None:
        now = datetime.now(UTC)
        return date(now.year + now.month // 12, now.month % 12 + 1, 1)
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise InputProblem(f"--first: {text!r} is not a month; write one as 2027-01") from None


def _share(option: str, text: str, least: float, most: float) -> float:
    share = parsed(option, text, parse_share)
    if not least <= share <= most:
        raise InputProblem(
            f"{option}: {text} is not between {least:.0%} and {most:.0%}; write one such as 10%"
        )
    return share


def _capacity(path: Path | None, scenario: Scenario) -> Capacity | None:
    if path is None:
        return None
    if not path.is_dir() and path.name != CAPACITY:
        raise InputProblem(f"--capacity: {path} is not a {CAPACITY} of `bindrill capacity`")
    found = read_capacity(path if path.is_dir() else path.parent)
    if found.scenario != scenario.name:
        raise InputProblem(
            f"--capacity: {path} is of {found.scenario}; give one of `bindrill capacity"
            f" {scenario.name}`"
        )
    if found.limit("live") is None:
        raise InputProblem(
            f"--capacity: {path} holds no live measures; give one of `bindrill capacity` without"
            " --sim"
        )
    return found
