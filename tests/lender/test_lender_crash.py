"""The lender dies at every await there is; its next life loses nothing and doubles nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lender_world import FakeWorld, Killed, Shop, Store

from mocks.lender.audit import verify_chain
from scenarios.policy import LenderPolicy

IMPATIENT = LenderPolicy.model_validate({"outbox_interval": "1s"})


def _bind(shop: Shop, told: list[str]) -> None:
    """A customer who goes on from wherever the binding is, and notes what the lender told."""
    for _ in range(12):
        state = shop.state() if shop.binding else ""
        if state == "ACTIVE":
            return
        if state in ("", "EXPIRED"):
            shop.registered()
            shop.submit(key=f"customer-{len(told)}")
        elif state == "CARD_SUBMITTED":
            shop.ask("resend")
        elif state == "OTP_SENT":
            response = shop.confirm()
            if response.status == 403:
                shop.ask("resend")
        elif state in ("VERIFYING", "PAYING"):
            shop.world.advance(5)
        elif state == "VERIFIED":
            shop.authorise()
        elif state == "AUTHORISED":
            response = shop.pay()
            if response.status == 200:
                told.append(shop.binding)
    raise AssertionError(f"stuck in {shop.state()}")


def _die_and_recover(store: Store, dies_at: int, outcome: str | None) -> bool:
    """Whether the run was long enough to die at this await."""
    world = FakeWorld(store)
    world.dies_at = dies_at
    shop = Shop(world, policy=IMPATIENT)
    if outcome is not None:
        shop.gateways.script["bank", "open"].append(outcome)
        shop.gateways.script["payment", "charge"].append(outcome)
    told: list[str] = []
    try:
        _bind(shop, told)
        world.advance(1)
    except Killed:
        died = True
    else:
        died = False
    reborn = world.after_death()
    after = Shop(reborn, policy=IMPATIENT)
    reborn.run(after.lender.recover())
    after.applicant, after.binding = shop.applicant, shop.binding
    reborn.advance(10)
    if after.binding:
        assert after.state() not in ("VERIFYING", "PAYING"), "recovery settles what was in doubt"
    _bind(after, told)
    reborn.advance(10)

    gateways = reborn.gateways
    for binding in {*told, after.binding}:
        assert after.ask("status", binding=binding).body["state"] == "ACTIVE"
        assert gateways.charges.get(f"{binding}-charge") == 1
    charged = {number.removesuffix("-charge") for number in gateways.charges}
    refunded = {number.removesuffix("-refund") for number in gateways.refunds}
    assert charged == refunded, "whatever was charged is refunded"
    sent = [payload["order_no"] for payload in gateways.made("payment", "charge")]
    assert set(sent) == set(gateways.charges), "one order number a binding"
    assert verify_chain(after.audit()) is None
    world.close()
    return died


@pytest.mark.parametrize("outcome", [None, "timeout_done", "reset_done", "timeout", "unreachable"])
@pytest.mark.parametrize(("kind", "stride"), [("memory", 1), ("sqlite", 7)])
def test_death_at_every_await(
    make_store: Callable[[str], Store], kind: str, stride: int, outcome: str | None
) -> None:
    deaths = 0
    while _die_and_recover(make_store(kind), deaths * stride, outcome):
        deaths += 1
    assert deaths * stride > 50


def test_recover_counts_and_settles_this_nodes_calls(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    world.dies_at = world.awaits + 2  # the opening is committed, the call is not sent
    with pytest.raises(Killed):
        shop.confirm()
    assert not shop.gateways.made("bank", "open")
    other = world.after_death()
    other.node = "node-2"
    assert other.run(Shop(other).lender.recover()) == 0
    reborn = other.after_death()
    after = Shop(reborn)
    after.binding = shop.binding
    assert reborn.run(after.lender.recover()) == 1
    reborn.advance(1)
    assert after.state() == "VERIFIED"
    asked = [op for gateway, op, _ in reborn.gateways.calls if gateway == "bank"]
    assert asked == ["query", "open"], "asked before sent"


def test_another_node_takes_over_when_the_lease_ends(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    world.dies_at = world.awaits + 2
    with pytest.raises(Killed):
        shop.confirm()
    other = world.after_death()
    other.node = "node-2"
    after = Shop(other)
    after.binding = shop.binding
    other.advance(100)
    assert after.state() == "VERIFYING"
    other.advance(30)
    assert after.state() == "VERIFIED"
