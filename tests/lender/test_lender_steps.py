"""The six steps of a binding, on every store."""

from __future__ import annotations

import pytest
from lender_world import AGREEMENT, CARD, NAME, FakeWorld, Shop, answer, error

from mocks.lender.memory_store import MemoryStore
from mocks.lender.records import AuditEntry, Binding
from mocks.lender.store import StoreUnavailable
from scenarios.contract import State
from scenarios.policy import LenderPolicy
from scenarios.population.identity import check_digit


def test_whole_binding(world: FakeWorld) -> None:
    shop = Shop(world)
    assert shop.register().status == 201
    assert shop.upload("id_card_front").status == 201
    shop.upload("id_card_back")
    assert shop.upload("bank_card").body == {
        "documents": ["id_card_front", "id_card_back", "bank_card"]
    }
    submitted = shop.submit()
    assert submitted.status == 201
    assert submitted.body == {
        "binding_id": shop.binding,
        "state": "OTP_SENT",
        "card": "621626*********0018",
        "otp_expires_in": 300,
    }
    confirmed = shop.confirm()
    assert (confirmed.status, confirmed.body["state"]) == (200, "VERIFIED")
    assert AGREEMENT not in str(confirmed.body)
    assert shop.authorise().body == {"state": "AUTHORISED"}
    paid = shop.pay()
    assert (paid.status, paid.body["state"]) == (200, "ACTIVE")
    assert shop.ask("status").body == {
        "binding_id": shop.binding,
        "state": "ACTIVE",
        "reason": "",
        "card": "621626*********0018",
    }
    world.advance(1)
    assert shop.gateways.charges == {f"{shop.binding}-charge": 1}
    assert shop.gateways.refunds == {f"{shop.binding}-refund": 1}
    assert shop.call("refund").result == "done"
    sent = shop.gateways.made("bank", "open")
    assert [(p["card_number"], p["holder"]) for p in sent] == [(CARD, NAME)]


def test_same_person_is_recognised(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.registered()
    first = shop.applicant
    again = shop.register(phone="13800138000")
    assert again.status == 200
    assert again.body["applicant_id"] == first
    assert len(again.body["documents"]) == 3
    other = shop.register(name="李四")
    assert (other.status, error(other)) == (409, "IDENTITY_CONFLICT")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "3"}, "name"),
        ({"name": ["张三"]}, "name"),
        ({"id_number": "341126197709218365"}, "id_number"),
        ({"phone": "23552535506"}, "phone"),
        ({"phone": None}, "phone"),
    ],
)
def test_register_names_the_wrong_field(
    memory_world: FakeWorld, changes: dict[str, object], field: str
) -> None:
    refused = Shop(memory_world).register(**changes)
    assert (refused.status, error(refused)) == (400, "INVALID_FIELD")
    assert refused.body["error"]["field"] == field


@pytest.mark.parametrize(
    ("start", "id_number", "status"),
    [
        (0.0, "11010120080101001X", 201),  # 18 on the reference day, 2026-01-01
        (0.0, "110101200801020014", 403),  # a day later
        (1.7672256e9, "110101200801020014", 201),  # 2026-01-01T00:00Z is past 8 h there
    ],
)
def test_age(start: float, id_number: str, status: int) -> None:
    id_number = id_number[:17] + check_digit(id_number[:17])
    world = FakeWorld(MemoryStore(), start + (86_400 if start else 0))
    response = Shop(world).register(id_number=id_number)
    world.close()
    assert response.status == status
    if status == 403:
        assert error(response) == "UNDER_AGE"


@pytest.mark.parametrize(
    ("kind", "changes", "status", "code"),
    [
        ("passport", {}, 400, "INVALID_FIELD"),
        ("bank_card", {"content_type": "image/gif"}, 415, "DOCUMENT_TYPE"),
        ("bank_card", {"size": 9_999}, 413, "DOCUMENT_SIZE"),
        ("bank_card", {"size": 2_000_001}, 413, "DOCUMENT_SIZE"),
        ("bank_card", {"sha256": "no"}, 400, "INVALID_FIELD"),
    ],
)
def test_documents_refused(
    memory_world: FakeWorld, kind: str, changes: dict[str, object], status: int, code: str
) -> None:
    shop = Shop(memory_world)
    shop.register()
    refused = shop.upload(kind, **changes)
    assert (refused.status, error(refused)) == (status, code)


def test_documents_of_nobody(memory_world: FakeWorld) -> None:
    refused = Shop(memory_world).upload("bank_card")
    assert (refused.status, error(refused)) == (404, "NOT_FOUND")


def test_submit_needs_documents_key_and_card(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.register()
    shop.upload("bank_card")
    missing = shop.submit()
    assert (missing.status, error(missing)) == (409, "DOCUMENTS_MISSING")
    shop.upload("id_card_front")
    shop.upload("id_card_back")
    keyless = shop.submit(key="")
    assert keyless.status == 400
    assert keyless.body["error"]["field"] == "Idempotency-Key"
    for card in ("6216261000000000019", "4111111111111111", "62"):
        refused = shop.submit(card_number=card)
        assert (refused.status, refused.body["error"]["field"]) == (400, "card_number")
    stranger = shop.submit(applicant_id="app_0")
    assert (stranger.status, error(stranger)) == (404, "NOT_FOUND")
    assert not shop.gateways.texts


def test_card_is_bound_once(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.authorised()
    assert shop.pay().status == 200
    again = shop.submit()
    assert (again.status, error(again)) == (409, "ALREADY_BOUND")
    assert shop.submit(card_number="6216269900000000011").status == 201


def test_unfinished_binding_is_superseded(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    first, code = shop.binding, shop.gateways.code()
    assert shop.submit().status == 201
    assert shop.binding != first
    old = shop.ask("status", binding=first).body
    assert (old["state"], old["reason"]) == ("EXPIRED", "superseded")
    refused = shop.ask("confirm", {"otp": code}, binding=first)
    assert (refused.status, error(refused)) == (409, "WRONG_STATE")


def test_unknown_binding(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.binding = "bnd_0"
    for response in (
        shop.ask("status"),
        shop.ask("resend"),
        shop.confirm("123456"),
        shop.authorise(),
        shop.pay(),
        shop.ask("nonsense"),
    ):
        assert (response.status, error(response)) == (404, "NOT_FOUND")


def test_authorise(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    early = shop.authorise()
    assert (early.status, error(early), early.body["state"]) == (409, "WRONG_STATE", "OTP_SENT")
    shop.confirm()
    stale = shop.authorise(terms_version="2019-01")
    assert (stale.status, error(stale)) == (409, "TERMS_STALE")
    partial = shop.authorise(consents=["card_binding"])
    assert (partial.status, error(partial)) == (400, "CONSENT_MISSING")
    assert partial.body["error"]["reason"] == "identity_check"
    assert shop.authorise(consents="all").body["error"]["field"] == "consents"
    assert shop.authorise().status == 200
    assert shop.authorise().body == {"state": "AUTHORISED"}
    assert shop.stored().terms_version == "2026-01"


def test_abandoned_binding_expires(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    world.advance(1700)
    assert shop.state() == "OTP_SENT"
    world.advance(200)
    body = shop.ask("status").body
    assert (body["state"], body["reason"]) == ("EXPIRED", "abandoned")


def test_store_down_is_said_as_overload(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    memory_world.store_down = StoreUnavailable("database is gone")
    refused = shop.register()
    assert (refused.status, error(refused)) == (503, "OVERLOADED")
    assert refused.headers == {"Retry-After": "1"}
    assert shop.world.run(shop.lender.callback("payment_notify", {"order_no": "x"})) is False


# ── SMS ─────────────────────────────────────────────────────────────────────────────────────────


def test_sms_limit(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    code = shop.gateways.code()
    shop.gateways.script["sms", "send"].append(answer(Code="isv.BUSINESS_LIMIT_CONTROL"))
    limited = shop.ask("resend")
    assert (limited.status, error(limited)) == (429, "SMS_LIMIT")
    assert limited.headers == {"Retry-After": "60"}
    assert shop.confirm(code).status == 200, "the code at hand stays good"


def test_sms_refused(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.registered()
    shop.gateways.script["sms", "send"].append(answer(Code="isv.MOBILE_NUMBER_ILLEGAL"))
    refused = shop.submit()
    assert (refused.status, error(refused)) == (502, "SMS_REFUSED")
    assert refused.body["error"]["reason"] == "isv.MOBILE_NUMBER_ILLEGAL"


@pytest.mark.parametrize(
    "failure", ["unreachable", "timeout", answer(503, Code="isp.SYSTEM_ERROR"), answer(429)]
)
def test_sms_unavailable_then_resent(world: FakeWorld, failure: object) -> None:
    shop = Shop(world)
    shop.registered()
    shop.gateways.script["sms", "send"].extend([failure, failure])
    refused = shop.submit()
    assert (refused.status, error(refused)) == (503, "SMS_UNAVAILABLE")
    assert len(shop.gateways.made("sms", "send")) == 2
    assert shop.state() == "CARD_SUBMITTED"
    assert shop.ask("resend").body == {"state": "OTP_SENT", "otp_expires_in": 300}
    assert shop.confirm().status == 200


def test_sms_is_repeated_with_the_same_code(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.registered()
    shop.gateways.script["sms", "send"].append("reset_done")
    assert shop.submit().status == 201
    first, second = shop.gateways.texts
    assert first == second


def test_sms_reports_in_any_order(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    shop.ask("resend")

    def report(number: int, status: str) -> bool:
        body = {"out_id": f"{shop.binding}-{number}", "biz_id": "1", "status": status}
        return world.run(shop.lender.callback("sms_report", body))

    assert report(2, "DELIVRD")
    assert report(1, "UNDELIV")
    assert report(2, "DELIVRD")
    assert shop.ask("status").body["otp_delivery"] == "DELIVRD"
    assert not world.run(shop.lender.callback("sms_report", {"out_id": "bnd_0-1"}))
    assert not world.run(shop.lender.callback("sms_report", {"out_id": "nonsense"}))
    assert not world.run(shop.lender.callback("something", {}))


# ── one-time codes ──────────────────────────────────────────────────────────────────────────────


def test_wrong_codes_lock(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    for _ in range(4):
        wrong = shop.confirm(shop.wrong_code())
        assert (wrong.status, error(wrong)) == (403, "OTP_WRONG")
    locked = shop.confirm(shop.wrong_code())
    assert (locked.status, error(locked)) == (423, "OTP_LOCKED")
    right = shop.confirm()
    assert (right.status, error(right)) == (423, "OTP_LOCKED")
    assert shop.state() == "LOCKED"
    assert not shop.gateways.made("bank", "open")


def test_resending_does_not_reset_the_tries(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    for _ in range(4):
        shop.confirm(shop.wrong_code())
    shop.ask("resend")
    assert shop.confirm(shop.wrong_code()).status == 423


def test_new_code_voids_the_old(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    old = shop.gateways.code()
    shop.ask("resend")
    assert shop.gateways.code() != old
    assert shop.confirm(old).status == 403
    assert shop.confirm().status == 200


def test_code_expires(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    memory_world.advance(300)
    late = shop.confirm()
    assert (late.status, error(late)) == (410, "OTP_EXPIRED")
    assert shop.stored().otp_tries == 0
    shop.ask("resend")
    assert shop.confirm().status == 200


@pytest.mark.parametrize("otp", ["12345", "1234567", "12345x", "１２３４５６", 123456, None])
def test_malformed_code_costs_no_try(memory_world: FakeWorld, otp: object) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    refused = shop.ask("confirm", {"otp": otp})
    assert (refused.status, refused.body["error"]["field"]) == (400, "otp")
    assert shop.stored().otp_tries == 0


def test_code_is_single_use(memory_world: FakeWorld) -> None:
    shop = Shop(memory_world)
    shop.submitted()
    shop.confirm()
    again = shop.confirm()
    assert (again.status, again.body["state"]) == (200, "VERIFIED")
    assert len(shop.gateways.made("bank", "open")) == 1
    wrong = shop.confirm(shop.wrong_code())
    assert (wrong.status, error(wrong)) == (409, "WRONG_STATE")
    assert shop.ask("resend").status == 409


def test_two_confirms_at_once_ask_the_bank_once(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    body = {"otp": shop.gateways.code()}
    first = world.start(shop.lender.handle(shop.request("confirm", body)))
    second = world.start(shop.lender.handle(shop.request("confirm", body)))
    world.advance(1)
    assert sorted(reply[0].status for reply in (first, second)) == [200, 202]
    assert len(shop.gateways.made("bank", "open")) == 1


# ── traces ──────────────────────────────────────────────────────────────────────────────────────


def test_audit_tells_the_story(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    shop.confirm(shop.wrong_code())
    shop.confirm()
    shop.authorise()
    shop.pay()
    world.advance(1)
    actions = [entry.action for entry in shop.audit() if entry.subject == shop.binding]
    assert actions == [
        "card_submitted",
        "otp_sent",
        "otp_wrong",
        "verifying",
        "verified",
        "authorised",
        "paying",
        "charged",
        "active",
        "refunded",
    ]


def test_policy_digits_and_validity(memory_world: FakeWorld) -> None:
    policy = LenderPolicy.model_validate(
        {"otp": {"digits": 8, "validity": "30s", "tries": 1}, "sms": {"attempts": 1}}
    )
    shop = Shop(memory_world, policy=policy)
    shop.registered()
    shop.gateways.script["sms", "send"].append("unreachable")
    assert shop.submit().status == 503
    assert shop.ask("resend").body["otp_expires_in"] == 30
    code = shop.gateways.texts[-1].split("验证码")[1][:8]
    assert "30秒" in shop.gateways.texts[-1]
    assert shop.confirm("0" * 8 if code != "0" * 8 else "1" * 8).status == 423


def test_rolled_back_work_leaves_no_trace(world: FakeWorld) -> None:
    shop = Shop(world)
    shop.submitted()
    before = len(shop.audit())
    assert shop.register(name="李四").status == 409
    assert shop.authorise().status == 409
    assert len(list(world.store.records(AuditEntry))) == before
    assert [b.state for b in world.store.records(Binding)] == [State.OTP_SENT]
