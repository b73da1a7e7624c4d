"""Idempotency keys."""

from __future__ import annotations

import pytest
from lender_world import FakeWorld, Killed, Shop, answer, error

from mocks.lender.records import IdempotentReply


def test_same_key_same_reply(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.registered()
    first = shop.submit(key="k")
    again = shop.submit(key="k")
    assert (again.status, again.body) == (201, first.body)
    assert len(shop.gateways.texts) == 1


def test_same_key_other_request(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.registered()
    shop.submit(key="k")
    other = shop.submit(key="k", phone="13800138000")
    assert (other.status, error(other)) == (422, "IDEMPOTENCY_MISMATCH")
    assert shop.ask("register", {"name": "x"}, key="k").status == 400, "keys belong to operations"


def test_key_in_flight(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.registered()
    body = {
        "applicant_id": shop.applicant,
        "card_number": "6216261000000000018",
        "holder": "张三",
        "id_number": "341126197709218366",
        "phone": "13552535506",
    }
    running = world.start(shop.lender.handle(shop.request("submit", body, key="k")))
    world.advance(0.05)
    second = shop.ask("submit", body, key="k")
    assert (second.status, error(second)) == (409, "IN_FLIGHT")
    assert second.headers["Retry-After"] == "1"
    world.advance(1)
    assert running[0].status == 201
    assert shop.ask("submit", body, key="k").body == running[0].body


def test_refusals_before_any_work_release_the_key(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.register()
    assert shop.submit(key="k").status == 409
    assert shop.submit(key="k", card_number="1").status == 400
    shop.registered()
    assert shop.submit(key="k").status == 201


def test_unavailable_releases_the_key(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.registered()
    shop.gateways.script["sms", "send"].extend([answer(503), answer(503)])
    assert shop.submit(key="k").status == 503
    assert shop.submit(key="k").status == 201


def test_wrong_code_under_a_key_counts_once(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    wrong = shop.wrong_code()
    for _ in range(3):
        assert shop.confirm(wrong, key="c").status == 403
    assert shop.stored().otp_tries == 1


def test_keys_last_a_day(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.registered()
    shop.submit(key="k")
    world.clock += 86_000
    world.advance(5)
    assert len(list(world.store.records(IdempotentReply))) == 1
    world.clock += 500
    world.advance(5)
    assert not list(world.store.records(IdempotentReply))


@pytest.mark.parametrize(("node", "status"), [("node-1", 201), ("node-2", 409)])
def test_key_left_in_flight_by_a_death(world: FakeWorld, node: str, status: int) -> None:
    shop = Shop(world)
    shop.registered()
    world.dies_at = world.awaits + 4
    with pytest.raises(Killed):
        shop.submit(key="k")
    reborn = world.after_death()
    reborn.node = node
    after = Shop(reborn)
    after.applicant = shop.applicant
    assert after.submit(key="k").status == status
    reborn.advance(60)
    assert after.submit(key="k").status == 201


def test_overlong_key(memory_world: FakeWorld) -> None:
    refused = Shop(memory_world).submit(key="k" * 256)
    assert refused.body["error"]["field"] == "Idempotency-Key"
