"""The SMS gateway's second carrier."""

from __future__ import annotations

from mocks.messages import Call, FollowUp, Reply, Timer
from mocks.sms.model import SmsGateway
from scenarios.faults import parse_fault
from scenarios.world import SmsWorld

PHONES = [f"1355253{number:04d}" for number in range(300)]


def _send(
    gateway: SmsGateway, op: str, phone: str, now: float = 0.0
) -> tuple[Reply, list[FollowUp]]:
    payload = {"phone": phone, "text": "code 123456", "out_id": f"{op}-{phone}-{now}"}
    return gateway.handle(Call(op, payload), now)


def _world(**changes: object) -> SmsWorld:
    return SmsWorld.model_validate({"limits": {"minute": 2, "hour": 9, "day": 9}, **changes})


def _arrives(follow_ups: list[FollowUp]) -> bool:
    return any(isinstance(item, Timer) and item.event == "deliver" for item in follow_ups)


def test_carriers_lose_different_messages_each_at_its_own_rate() -> None:
    world = _world(carrier={"loss": 0.5}, backup={"loss": 0.2})
    gateway = SmsGateway(world, seed=1)
    by_op = {
        op: [_arrives(_send(gateway, op, phone)[1]) for phone in PHONES]
        for op in ("send", "send_backup")
    }
    shares = {op: sum(arrived) / len(PHONES) for op, arrived in by_op.items()}
    assert 0.4 < shares["send"] < 0.6
    assert 0.7 < shares["send_backup"] < 0.9
    saved = [b for a, b in zip(*by_op.values(), strict=True) if not a]
    assert sum(saved) > 0.6 * len(saved), "a lost message has its own chance at the other carrier"


def test_carriers_share_the_limits_of_a_number() -> None:
    gateway = SmsGateway(_world(), seed=1)
    codes = [_send(gateway, op, PHONES[0])[0].code for op in ("send", "send_backup", "send_backup")]
    assert codes == ["OK", "OK", "isv.BUSINESS_LIMIT_CONTROL"]


def test_a_fault_of_send_strikes_the_first_carrier_alone() -> None:
    gateway = SmsGateway(_world(), seed=1)
    gateway.put_fault("default", parse_fault({"kind": "outage", "target": "sms", "ops": ["send"]}))
    assert _send(gateway, "send", PHONES[0])[0].status == 503
    assert _send(gateway, "send_backup", PHONES[0])[0].status == 200


def test_the_second_carrier_answers_as_fast_unless_the_scenario_says_otherwise() -> None:
    like = SmsGateway(_world(latency={"send": 0.3}), seed=1)
    own = SmsGateway(_world(latency={"send": 0.3, "send_backup": 0.7}), seed=1)
    assert _send(like, "send_backup", PHONES[0])[0].delay == 0.3
    assert _send(own, "send_backup", PHONES[0])[0].delay == 0.7
