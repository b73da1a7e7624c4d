"""SMS: send limits, the carrier, the handset, delivery reports, magic numbers."""

from __future__ import annotations

from typing import Any

import pytest

from mocks.sms.codes import CODES, MAGIC_PHONES, MESSAGE_STATES, REPORT_GAPS
from mocks.sms.model import VALIDITY, SmsGateway
from mocks.sms.send_limits import SendLimits
from scenarios.distributions import constant
from scenarios.world import Carrier, SmsLimits, SmsWorld

PHONE = "13800000001"
OPEN = SmsLimits(minute=100, hour=100, day=100)


def world(**carrier: Any) -> SmsWorld:
    given = {"delay": constant(2), "loss": 0.0, "duplicate": 0.0, **carrier}
    return SmsWorld(latency={}, carrier=Carrier(**given), limits=OPEN)


def send(sms: Any, phone: str = PHONE, out_id: str = "m1", text: str = "验证码 123456") -> Any:
    return sms.call("send", phone=phone, text=text, out_id=out_id)


class TestDelivery:
    def test_a_message_reaches_the_handset_and_is_reported(self, runner: Any) -> None:
        sms = runner(SmsGateway(world(), 1))
        sent = send(sms)
        assert (sent.status, sent.body["Code"], sent.body["smpp"]) == (200, "OK", "0x00")
        assert sms.gateway.newest("default", PHONE, 0) is None
        assert sms.call("query", out_id="m1").body["status"] == "ENROUTE"
        sms.run_until(10)
        assert sms.arrived == [(2.0, PHONE)]
        assert sms.gateway.inbox("default", PHONE) == ["验证码 123456"]
        [(at, report)] = sms.notified
        assert (at, report.op, report.key) == (2.0, "sms_report", sent.body["BizId"])
        assert report.body["out_id"] == "m1"
        assert report.body["biz_id"] == sent.body["BizId"]
        assert (report.body["status"], report.body["message_state"]) == ("DELIVRD", 2)
        assert report.body["done_at"] == 2.0
        assert PHONE not in str(report.body)
        asked = sms.call("query", out_id="m1").body
        assert (asked["Code"], asked["status"]) == ("OK", "DELIVRD")

    def test_newest_is_newer_than_what_was_seen(self, runner: Any) -> None:
        sms = runner(SmsGateway(world(), 1))
        for n in range(3):
            send(sms, out_id=f"m{n}", text=f"text {n}")
            sms.run_until(sms.now + 5)
        newest = sms.gateway.newest("default", PHONE, 2)
        assert (newest.text, newest.seen) == ("text 2", 3)
        assert sms.gateway.newest("default", PHONE, 3) is None

    def test_lost_messages_are_reported_in_the_end(self, runner: Any) -> None:
        sms = runner(SmsGateway(world(loss=1.0), 1))
        for n in range(40):
            send(sms, phone=f"138{n:08d}", out_id=f"m{n}")
        sms.run_until(VALIDITY)
        assert sms.arrived == []
        assert {report.body["status"] for _, report in sms.notified} == {"EXPIRED", "UNDELIV"}
        assert len(sms.notified) == 40

    def test_carrier_shares(self, runner: Any) -> None:
        sms = runner(SmsGateway(world(loss=0.2, duplicate=0.1), 1))
        for n in range(2000):
            send(sms, phone=f"138{n:08d}", out_id=f"m{n}")
        sms.run_until(60)
        phones = [phone for _, phone in sms.arrived]
        assert len(set(phones)) / 2000 == pytest.approx(0.8, abs=0.03)
        assert (len(phones) - len(set(phones))) / len(set(phones)) == pytest.approx(0.1, abs=0.03)

    def test_a_duplicate_is_reported_once(self, runner: Any) -> None:
        sms = runner(SmsGateway(world(duplicate=1.0), 1))
        send(sms)
        sms.run_until(60)
        assert len(sms.gateway.inbox("default", PHONE)) == 2
        assert len(sms.notified) == 1

    def test_reports_are_sent_again_until_acknowledged(self, runner: Any) -> None:
        sms = runner(SmsGateway(world(), 1), lambda report: report.attempt == 3)
        send(sms)
        sms.run_until(10_000)
        assert [at for at, _ in sms.notified] == [2, 2 + REPORT_GAPS[0], 2 + sum(REPORT_GAPS[:2])]
        assert [report.body["attempt"] for _, report in sms.notified] == [1, 2, 3]
        assert len({report.key for _, report in sms.notified}) == 1

    def test_reports_end_with_the_schedule(self, runner: Any) -> None:
        sms = runner(SmsGateway(world(), 1), lambda report: False)
        send(sms)
        sms.run_until(100_000)
        assert len(sms.notified) == 1 + len(REPORT_GAPS)
        assert len(sms.gateway.space("default").state.reports) == 0


class TestRefusals:
    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"phone": "12345678901"}, "isv.MOBILE_NUMBER_ILLEGAL"),
            ({"phone": "1380000000"}, "isv.MOBILE_NUMBER_ILLEGAL"),
            ({"text": "x" * 501}, "isv.PARAM_LENGTH_LIMIT"),
            ({"text": None}, "isv.INVALID_PARAMETERS"),
            ({"out_id": 7}, "isv.INVALID_PARAMETERS"),
        ],
    )
    def test_bad_messages_are_not_sent(
        self, runner: Any, changed: dict[str, Any], code: str
    ) -> None:
        sms = runner(SmsGateway(world(), 1))
        reply = sms.call("send", **{"phone": PHONE, "text": "t", "out_id": "m", **changed})
        assert (reply.body["Code"], reply.status) == (code, CODES[code].status)
        sms.run_until(100)
        assert sms.arrived == []

    def test_a_query_for_nothing(self, runner: Any) -> None:
        sms = runner(SmsGateway(world(), 1))
        assert sms.call("query", out_id="never").body["Code"] == "isv.DATA_NOT_EXIST"
        assert sms.call("query").status == 400

    def test_throttled_is_429_in_smpp_terms(self, runner: Any) -> None:
        sms = runner(SmsGateway(SmsWorld(latency={}, rate_limit=1.0), 1))
        send(sms)
        refused = send(sms, phone="13800000002", out_id="m2")
        assert (refused.status, refused.body["smpp"]) == (429, "0x58")

    def test_accepted_messages_count_even_when_lost(self, runner: Any) -> None:
        lossy = SmsWorld(latency={}, carrier=Carrier(loss=1.0))
        sms = runner(SmsGateway(lossy, 1))
        assert send(sms).body["Code"] == "OK"
        sms.run_until(59)
        refused = send(sms, out_id="m2").body
        assert refused["Code"] == "isv.BUSINESS_LIMIT_CONTROL"
        assert refused["Message"] == "触发分钟级流控Permits:1"
        sms.run_until(60)
        assert send(sms, out_id="m3").body["Code"] == "OK"


class TestSendLimits:
    def test_minute_hour_and_day(self) -> None:
        limits = SendLimits(SmsLimits(minute=1, hour=5, day=10))
        refused: dict[str, float] = {}
        accepted, now = [], 0.0
        while len(accepted) < 11:
            name = limits.exceeded(PHONE, now)
            if name:
                refused.setdefault(name, now)
            else:
                limits.accept(PHONE, now)
                accepted.append(now)
            now += 30
        assert refused == {"minute": 30, "hour": 300, "day": 7200}
        assert accepted[:6] == [0, 60, 120, 180, 240, 3600]
        assert accepted[10] == 86400

    def test_another_number_is_free(self) -> None:
        limits = SendLimits(SmsLimits())
        limits.accept(PHONE, 0)
        assert limits.exceeded(PHONE, 1) == "minute"
        assert limits.exceeded("13800000002", 1) == ""

    def test_the_calendar_day_ends_at_midnight_in_china(self) -> None:
        limits = SendLimits(SmsLimits(minute=9, hour=9, day=1, day_is="calendar"))
        midnight = 16 * 3600.0
        limits.accept(PHONE, midnight - 60)
        assert limits.exceeded(PHONE, midnight - 1) == "day"
        assert limits.exceeded(PHONE, midnight) == ""
        limits.accept(PHONE, midnight)
        assert limits.exceeded(PHONE, midnight + 86399) == "day"
        assert limits.exceeded(PHONE, midnight + 86400) == ""


@pytest.mark.parametrize("phone", MAGIC_PHONES)
def test_each_magic_phone_does_what_its_row_says(runner: Any, phone: str) -> None:
    magic = MAGIC_PHONES[phone]
    sms = runner(SmsGateway(world(), 1))
    reply = send(sms, phone=phone)
    if magic.transport == "ok":
        assert (reply.body["Code"], reply.status) == (magic.code, CODES[magic.code].status)
    else:
        assert reply.transport == magic.transport
    sms.run_until(VALIDITY + 100)
    assert len(sms.arrived) == magic.copies
    if magic.copies:
        assert sms.arrived[0][0] == magic.delay
    reports = [report.body["status"] for _, report in sms.notified]
    assert reports == ([magic.status] if magic.status else [])
    if magic.status:
        assert sms.call("query", out_id="m1").body["message_state"] == MESSAGE_STATES[magic.status]
