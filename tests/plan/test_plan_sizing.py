"""What is needed, bought and paid: against hand calculations, and in the right direction."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace
from plan_basis import GB, PROFILE, RESERVE, basis, exactly, months, plan_of

from reports.plan.buying import purchases
from reports.plan.result import GATEWAYS, Plan, Reserve
from reports.plan.run_out import run_outs
from reports.plan.sensitivity import Basis, cost_of, first_date, scaled_prices, swings
from reports.plan.sizing import needs_of, plan_months
from scenarios.demand import Month
from scenarios.prices import load_prices, load_today

SECOND_IN_JANUARY = 31 * 86400.0
"""Applications of January that are one a second on average."""


def needed(month: Month, reserve: Reserve = RESERVE) -> dict[str, float]:
    [found] = needs_of((month,), PROFILE, reserve, load_today(), 0.1)
    return {name: each.value for name, each in found.items()}


def run_out_of(plan: Plan, resource: str) -> str | None:
    return next(each.date for each in plan.run_out if each.resource == resource)


def test_needs_by_hand() -> None:
    [january] = months(2 * SECOND_IN_JANUARY)  # a peak of 20 a second, 26 with headroom
    need = needed(january)
    assert need["nodes"] == math.ceil(26 / 10) + 1
    assert need["commits"] == pytest.approx(26 * 16)
    assert need["sms_rate"] == pytest.approx(26 + 3 * math.sqrt(26))
    assert need["bank_rate"] == pytest.approx((26 + 3 * math.sqrt(26)) / 0.75)
    assert need["payment_rate"] == pytest.approx(52 + 3 * math.sqrt(52))
    assert need["sms_month"] == pytest.approx(2 * SECOND_IN_JANUARY * 1.3)
    # 5.2 calls in progress on average, and three standard deviations more.
    assert need["connections_bank"] == math.ceil(5.2 + 3 * math.sqrt(5.2))


def test_without_reserve_nothing_is_to_spare() -> None:
    [january] = months(2 * SECOND_IN_JANUARY)
    need = needed(january, Reserve(headroom=0.0, fault=False, degraded=1.0))
    assert need["nodes"] == 2
    assert need["bank_rate"] == pytest.approx(20 + 3 * math.sqrt(20))


def test_storage_is_bytes_of_all_customers_so_far() -> None:
    found = needs_of(months(1e6, 2e6), PROFILE, RESERVE, load_today(), 0.1)
    used = load_today().database.used_gb
    assert found[1]["database_gb"].value == pytest.approx(used + 3e6 * 5000 * 1.3 / GB)
    pictures = load_today().documents.used_gb
    assert found[1]["documents_gb"].value == pytest.approx(pictures + 3e6 * 500_000 * 1.3 / GB)


def test_run_out_of_disk_by_hand() -> None:
    today = load_today()
    disk = today.database.model_copy(update={"gb": 70.0, "used_gb": 60.0})
    today = today.model_copy(update={"database": disk})
    # January adds 6.5 GB with headroom, so 3.5 GB are left for February's 6.5: day 15 of 28.
    found = run_outs(months(1e6, 1e6, 1e6), PROFILE, RESERVE, today, 0.1)
    of_disk = next(each for each in found if each.resource == "database_gb")
    assert of_disk.date == "2027-02-16"
    assert (of_disk.early or "") < "2027-02-16" < (of_disk.late or "9")


def test_run_out_of_nodes_is_the_first_day_of_the_month() -> None:
    today = load_today()  # two nodes, one of which may fail: 10 a second, so a peak of 7.69
    steady = [SECOND_IN_JANUARY * share for share in (0.5, 0.6, 0.6, 0.85)]
    found = run_outs(months(*steady), PROFILE, RESERVE, today, 0.0)
    nodes = next(each for each in found if each.resource == "nodes")
    # April has 30 days: 0.85 × 31 / 30 × 10 = 8.8 a second.
    assert nodes.date == nodes.early == "2027-04-01"


def test_first_to_run_out_comes_first() -> None:
    plan = plan_of(basis())
    dates = [each.date or "9999" for each in plan.run_out]
    assert dates == sorted(dates)
    assert plan.first_out is plan.run_out[0]


@pytest.mark.parametrize("resource", ["sms", "bank", "payment"])
def test_a_larger_quota_lasts_longer(resource: str) -> None:
    def with_rate(factor: float) -> Plan:
        today = load_today()
        quota = getattr(today, resource)
        larger = quota.model_copy(update={"rate": quota.rate * factor})
        return plan_of(basis(today=today.model_copy(update={resource: larger})))

    name = f"{resource}_rate"
    small, usual, large = (run_out_of(with_rate(factor), name) for factor in (0.4, 1.0, 2.0))
    assert (small or "9999") < (usual or "9999") < (large or "9999")


def test_a_smaller_quota_is_bought_sooner_and_costs_the_same_calls() -> None:
    today = load_today()
    smaller = today.sms.model_copy(update={"rate": 20.0})
    scarce = plan_of(basis(today=today.model_copy(update={"sms": smaller})))
    usual = plan_of(basis())

    def first_bought(plan: Plan) -> str:
        return next(
            month.month for month, steps in purchases(plan) if "sms_rate" in {s[0] for s in steps}
        )

    assert first_bought(scarce) < first_bought(usual)


def test_more_growth_costs_more_and_runs_out_sooner() -> None:
    def growing(points: float) -> Basis:
        found = basis()
        return replace(
            found,
            months=tuple(
                replace(m, applications=m.applications * (1 + points) ** (m.ahead - 1))
                for m in found.months
            ),
        )

    slow, usual, fast = growing(-0.04), growing(0.0), growing(0.04)
    assert cost_of(slow) < cost_of(usual) < cost_of(fast)
    assert (first_date(slow) or "9999") > (first_date(fast) or "9999")
    nodes = [plan_of(each).months[-1].bought["nodes"] for each in (slow, usual, fast)]
    assert nodes[0] < nodes[1] < nodes[2]


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("node_month", "nodes"),
        ("sms.each", "sms"),
        ("bank.each", "bank"),
        ("payment.each", "payment"),
        ("sms.quota.month", "sms"),
        ("database.gb_month", "database"),
        ("documents.gb_month", "documents"),
    ],
)
def test_a_dearer_price_costs_more_of_its_part_alone(path: str, part: str) -> None:
    prices = load_prices().model_dump()
    at = prices
    *above, last = path.split(".")
    for key in above:
        at = at[key]
    at[last] *= 2
    usual, dearer = plan_of(basis()), plan_of(basis(prices=type(load_prices())(**prices)))
    assert dearer.total.value > usual.total.value
    for before, after in zip(usual.months, dearer.months, strict=True):
        for name, cost in before.cost.items():
            assert (after.cost[name].value > cost.value) == (name == part)
        assert after.bought == before.bought


def test_cost_of_a_month_by_hand() -> None:
    january = months(1e6, peak_factor=1.0)
    prices, today = load_prices(), load_today()
    [month] = plan_months(january, PROFILE, RESERVE, prices, today, 0.1)
    assert month.bought["nodes"] == today.nodes == 2
    assert month.cost["nodes"].value == 2 * prices.node_month
    # Seven steps of 10 a second are there today.
    assert month.cost["sms"].value == pytest.approx(1e6 * 4.5 + 7 * 15000)
    medium = prices.database.classes[1]
    assert month.database_class == "medium"
    assert month.cost["database"].value == pytest.approx(medium.month + 400 * 120)
    parts = month.cost.values()
    assert month.total.value == pytest.approx(sum(part.value for part in parts))


def test_what_is_bought_covers_every_month_and_is_kept() -> None:
    plan = plan_of(basis())
    before = dict(plan.has)
    for month in plan.months:
        for name, there in before.items():
            assert month.bought[name] >= month.needed[name].value
            assert month.bought[name] >= there
        before = month.bought
    assert purchases(plan)


def test_beyond_the_largest_class_is_said() -> None:
    wide = replace(PROFILE, transactions=exactly(4000.0))
    plan = plan_of(basis(profile=wide))
    assert plan.months[-1].database_class is None
    assert plan.months[-1].bought["commits"] == load_prices().database.classes[-1].commits


def test_intervals_are_around_their_values() -> None:
    plan = plan_of(basis())
    for month in plan.months:
        ranges = [month.applications, month.peak, month.total, *month.needed.values()]
        for each in (*ranges, *month.cost.values()):
            assert each.low <= each.value <= each.high
    assert plan.months[-1].peak.low < plan.months[-1].peak.high
    for each in plan.run_out:
        assert (each.early or "9999") <= (each.date or "9999") <= (each.late or "9999")


def test_tornado_is_sorted_and_every_assumption_moves_the_right_way() -> None:
    found = basis()
    by_name = {swing.name: swing for swing in swings(found)}
    sizes = [swing.size for swing in swings(found)]
    assert sizes == sorted(sizes, reverse=True)
    for swing in by_name.values():
        assert swing.low_cost <= cost_of(found) <= swing.high_cost
        assert (swing.low_date or "9999") >= (swing.high_date or "9999")
    assert by_name["prices"].high_cost == pytest.approx(1.1 * cost_of(found))
    assert by_name["prices"].high_date == by_name["prices"].low_date == first_date(found)
    assert by_name["service_time"].high_cost > by_name["service_time"].low_cost
    assert by_name["sms_per_customer"].high_cost > by_name["sms_per_customer"].low_cost
    assert by_name["peak_factor"].low_date != by_name["peak_factor"].high_date


def test_scaled_prices_scale_every_price() -> None:
    usual, doubled = load_prices(), scaled_prices(load_prices(), 2.0)
    cost = cost_of(basis(prices=usual))
    assert cost_of(basis(prices=doubled)) == pytest.approx(2 * cost)


def test_connections_of_the_working_nodes_are_enough() -> None:
    slow = replace(PROFILE, held=dict.fromkeys(GATEWAYS, 20.0))
    plan = plan_of(basis(profile=slow))
    for month in plan.months:
        nodes = month.bought["nodes"]
        for gateway in GATEWAYS:
            there = month.bought[f"connections_{gateway}"]  # type: ignore[index]
            wanted = month.needed[f"connections_{gateway}"].value  # type: ignore[index]
            assert there / nodes * (nodes - 1) >= wanted
