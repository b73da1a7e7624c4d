"""What the simulator is asked for a plan: needs, a node's limit, storage, and whether N+1 holds."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from plan_basis import PROFILE, RESERVE, months, world

from reports.plan.result import MonthPlan
from reports.plan.sizing import plan_months
from scenarios.prices import load_prices, load_today
from sim.executor import InTurn
from sim.plan import confirmations, for_a_plan, limit_of_a_node, needs_of_a_customer, of_nodes
from sim.storage import stored_bytes


@pytest.fixture(scope="module")
def measured() -> tuple[MonthPlan, MonthPlan]:
    """The month of a peak of 15 a second, as planned, and with the nodes for the load alone."""
    plain, _ = for_a_plan(world())
    needs = needs_of_a_customer(plain, replications=2, executor=InTurn(), ahead=1)
    profile = replace(
        PROFILE,
        calls=needs.calls,
        billed=needs.billed,
        held=needs.held,
        node=replace(PROFILE.node, value=8.0),
    )
    [planned] = plan_months(
        months(31 * 86400 * 1.5), profile, RESERVE, load_prices(), load_today(), 0.0
    )
    return planned, replace(planned, bought=planned.bought | {"nodes": 2.0})


def test_needs_are_counted_without_the_partners_limits() -> None:
    scenario = world()
    plain, dropped = for_a_plan(
        world(objectives=["success_rate >= 90%", "time_to_recover(bank) < 5s"])
    )
    assert dropped == ("time_to_recover(bank) < 5s",)
    assert plain.world.bank.rate_limit is None
    assert scenario.world.bank.rate_limit == 1.0
    needs = needs_of_a_customer(plain, replications=2, executor=InTurn(), ahead=1)
    # A code, a verification, a charge and its refund each, retries and failures aside.
    assert needs.calls["sms"].value == pytest.approx(1.0, abs=0.2)
    assert needs.calls["bank"].value == pytest.approx(1.0, abs=0.15)
    assert needs.calls["payment"].value == pytest.approx(2.0, abs=0.25)
    assert needs.billed["payment"].value == pytest.approx(needs.calls["payment"].value / 2, rel=0.1)
    assert needs.calls["bank"].low <= needs.calls["bank"].value <= needs.calls["bank"].high
    assert needs.held["bank"] == pytest.approx(0.02 + 0.002, rel=0.05)
    assert 12 < needs.transactions.value < 20
    assert 0.85 < needs.bindings.value <= 1
    # Three pictures of 51,200 to 300,000 bytes.
    assert needs.document_bytes == pytest.approx(3 * 175_600, rel=0.1)


def test_a_customer_s_bytes_in_a_real_database() -> None:
    plain, _ = for_a_plan(world(duration=20.0))
    stored = stored_bytes(plain)
    assert set(stored) == {"applicants", "audit", "bindings", "partner_calls"}
    # A live run of 397 customers with its indexes took 505, 3849, 795 and 712 bytes each.
    assert stored["audit"] == pytest.approx(3849, rel=0.2)
    assert stored["bindings"] == pytest.approx(795, rel=0.35)
    assert sum(stored.values()) == pytest.approx(5861, rel=0.2)
    assert stored == stored_bytes(plain)


def test_one_node_s_limit_is_where_its_processor_is_full() -> None:
    plain, _ = for_a_plan(world())
    needs = needs_of_a_customer(plain, replications=2, executor=InTurn(), ahead=1)
    limit, bounds = limit_of_a_node(plain, needs.demand, executor=InTurn(), ahead=1)
    full = next(bound.rate for bound in bounds if bound.model == "utilisation")
    assert limit.low is not None
    assert 0.7 * full < limit.low <= 1.2 * full
    assert {"Erlang C", "Allen-Cunneen", "utilisation"} == {bound.model for bound in bounds}


def test_nodes_multiply_the_machine() -> None:
    one = world().world.lender
    three = of_nodes(world(), 3).world.lender
    assert (three.cores, three.workers) == (3 * one.cores, 3 * one.workers)
    assert three.connections["bank"] == 3 * one.connections["bank"]


def test_plan_holds_with_a_node_fewer_and_too_small_a_one_does_not(
    measured: tuple[MonthPlan, MonthPlan],
) -> None:
    planned, small = measured
    plain, _ = for_a_plan(world())
    # 19.5 a second with headroom, at 8 a node: three and the spare.
    assert planned.bought["nodes"] == 4
    found = confirmations(plain, (planned, small), RESERVE, executor=InTurn(), ahead=1)
    assert [(each.fault, each.nodes) for each in found] == [
        ("node", 3),
        ("bank", 4),
        ("node", 1),
        ("bank", 2),
    ]
    assert all(each.held for each in found[:2])
    assert not found[2].held
    assert any("p95(confirm)" in text for text in found[2].missed)


def test_too_small_a_bank_quota_is_found_out(measured: tuple[MonthPlan, MonthPlan]) -> None:
    planned, _ = measured
    starved = replace(planned, bought=planned.bought | {"bank_rate": 8.0})
    plain, _ = for_a_plan(world(objectives=["success_rate >= 90%"]))
    found = confirmations(plain, (starved,), RESERVE, executor=InTurn(), ahead=1)
    assert not any(each.held for each in found)
