"""What the soak benchmark concludes from what it saw."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from benchmarks.soak import PERIOD, growth, lost, recurring, still_bound
from mocks.lender.key_ring import KeyRing
from mocks.lender.records import Binding
from mocks.lender.sql_store import SqlStore
from mocks.lender.vault import AesGcmVault
from scenarios.contract import State
from scenarios.loader import load_scenario
from scenarios.population import Population


def test_growth_leaves_the_warm_up_out() -> None:
    level = [(t, 50.0 + t if t < 20 else 70.0) for t in range(0, 100, 2)]
    assert growth(level, 20) == pytest.approx((0.0, 0.0))
    assert growth(level, 0)[0] > 10
    leak = [(t, 70.0 + t / 10) for t in range(0, 101, 2)]
    grown, slope = growth(leak, 20)
    assert grown == pytest.approx(7.2, abs=0.5)
    assert slope == pytest.approx(360.0)


def test_too_few_looks_prove_nothing() -> None:
    assert growth([(t, 50.0) for t in range(0, 40, 2)], 30) is None


def test_the_incident_comes_again_and_ends_before_the_run() -> None:
    once = load_scenario("bank-outage")
    (fault,) = once.faults
    again = recurring(once, 3 * PERIOD)
    assert [f.start for f in again.faults] == [fault.start + n * PERIOD for n in range(3)]
    assert len({f.label for f in again.faults}) == 3
    assert recurring(once, fault.end - 1).faults == ()


def test_a_customer_without_an_active_binding_is_lost(tmp_path: Path) -> None:
    scenario = load_scenario("bank-outage")
    population = Population(scenario.population, scenario.seed)
    vault = AesGcmVault(KeyRing.create(tmp_path / "keys.json"))
    store = SqlStore(f"sqlite:///{tmp_path / 'lender.db'}")
    for number, state in ((3, State.ACTIVE), (4, State.PAYING)):
        card = population.customer(number).card_number
        binding = Binding(
            binding_id=f"b{number}",
            applicant_id=f"a{number}",
            state=state,
            card_number=b"",
            card_index=vault.blind_index(card, "card_number"),
            card_shown="",
            holder=b"",
            id_number=b"",
            phone=b"",
            created_at=0.0,
            updated_at=0.0,
        )
        store.transact(lambda tx, binding=binding: tx.save(binding))
    store.close()
    assert lost([3, 4, 5], scenario, tmp_path) == [4, 5]


def test_a_server_that_stayed_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert still_bound([url]) == [url]
    assert still_bound([url]) == []
