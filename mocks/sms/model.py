"""The SMS gateway, the carrier behind it, and the handsets where the messages arrive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, ClassVar

import msgspec

from mocks.gateway import DELIVER, Gateway, Space
from mocks.messages import Arrived, Call, CallRecord, FollowUp, Notification, Reply, Timer
from mocks.payload import complaint, text
from mocks.recent import Keep, Recent
from mocks.redelivery import AGAIN, Redelivery
from mocks.sms.codes import CODES, MAGIC_PHONES, MESSAGE_STATES, REPORT_GAPS, MagicPhone
from mocks.sms.send_limits import SendLimits
from scenarios.directives import Message
from scenarios.population.phones import is_mobile
from scenarios.world import Carrier, SmsWorld

VALIDITY = 300.0
"""Seconds for which the carrier tries; then the message is EXPIRED. Assumed: a code's validity."""

_REPORT = "report"
_LIMITS_ZH = {"minute": "分钟", "hour": "小时", "day": "天"}
_FIELDS = ("phone", "text", "out_id")
_DRAWN_AS = {"send": "message", "send_backup": "backup message"}
"""The key of a message's draws by operation: a second carrier loses other messages."""
_DRAWS = Struct("<8Q")
_UNIT = 2.0**-64


class Submission(msgspec.Struct, gc=False):
    """An accepted message. `report`: status word that its delivery report will have, empty for no
    report; `status`: the one it has now; `done_at`: seconds, 0 while under way."""

    biz_id: str
    out_id: str
    phone: str
    text: str
    report: str
    status: str = "ENROUTE"
    done_at: float = 0.0


class SmsState:
    """One namespace: submissions by message id, ids by `out_id`, handsets, limits, reports."""

    __slots__ = ("handsets", "limits", "messages", "out_ids", "reports")

    def __init__(self, world: SmsWorld, keep: Keep) -> None:
        self.messages: Recent[str, Submission] = Recent(keep.orders, keep.few)
        self.out_ids: Recent[str, str] = Recent(keep.orders, keep.few)
        self.handsets: Recent[str, tuple[str, ...]] = Recent(keep.handsets, keep.few)
        self.limits = SendLimits(world.limits)
        self.reports = Redelivery(REPORT_GAPS)


class SmsGateway(Gateway[SmsState]):
    """`send` submits a message to the carrier, `send_backup` to the second carrier, `query` tells
    the state of the latest message with an `out_id`. As at the real platforms, an `out_id` does not
    make `send` idempotent. Both carriers count towards the limits of a number."""

    name = "sms"
    operations: ClassVar[Mapping[str, str]] = {
        "send": "/v1/send",
        "send_backup": "/v1/backup/send",
        "query": "/v1/query",
    }
    latency_like: ClassVar[Mapping[str, str]] = {"send_backup": "send"}

    def __init__(
        self,
        world: SmsWorld,
        seed: int,
        on_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        super().__init__(world, seed, on_call)
        self._sms_world = world

    @property
    def limit_code(self) -> str:
        return "Throttling.User"

    def new_state(self) -> SmsState:
        return SmsState(self._sms_world, self.keep)

    def subject(self, call: Call, state: SmsState) -> tuple[str, str]:
        if call.op in _DRAWN_AS:
            return text(call.payload, "phone"), ""
        message = _latest(state, text(call.payload, "out_id"))
        return ("" if message is None else message.phone), ""

    def refusal(self, op: str, code: str, status: int) -> Reply:
        return _reply(code, http_status=status)

    def answer(
        self,
        call: Call,
        space: Space[SmsState],
        subject: str,
        issuer: str,
        nth: int,
        now: float,
    ) -> tuple[Reply, list[FollowUp]]:
        if call.op == "query":
            return self._query(call.payload, space.state), []
        return self._send(call, space.state, nth, now)

    # ── sending ─────────────────────────────────────────────────────────────────────────────────

    def _send(
        self, call: Call, state: SmsState, nth: int, now: float
    ) -> tuple[Reply, list[FollowUp]]:
        payload = call.payload
        phone, out_id = text(payload, "phone"), text(payload, "out_id")
        refused, message = self._refused(payload, state, phone, now)
        if refused:
            return _reply(refused, message, out_id=out_id), []
        state.limits.accept(phone, now)
        magic = MAGIC_PHONES.get(phone)
        draws = _DRAWS.unpack(self.keyed.block("sms", _DRAWN_AS[call.op], phone, nth))
        biz_id = f"{draws[0]:016x}"
        carrier = self._sms_world.carrier if call.op == "send" else self._sms_world.backup
        fate = _drawn(carrier, *draws[1:5]) if magic is None else magic
        submission = Submission(biz_id, out_id, phone, payload["text"], fate.status)
        state.messages.put(biz_id, submission, now)
        state.out_ids.put(out_id, biz_id, now)
        timers: list[FollowUp] = [
            Timer(now + fate.delay + copy, DELIVER, biz_id, call.namespace)
            for copy in range(fate.copies)
        ]
        if not timers and fate.status:
            after = VALIDITY if fate.status == "EXPIRED" else fate.delay
            timers.append(Timer(now + after, _REPORT, biz_id, call.namespace))
        reply = _reply("OK", BizId=biz_id, out_id=out_id)
        reply.transport = fate.transport
        return reply, timers

    def _refused(
        self, payload: dict[str, Any], state: SmsState, phone: str, now: float
    ) -> tuple[str, str]:
        field, why = complaint(payload, _FIELDS)
        if why == "too long":
            return "isv.PARAM_LENGTH_LIMIT", f"{field} is too long"
        if field:
            return "isv.INVALID_PARAMETERS", f"{field} is {why}"
        if not is_mobile(phone):
            return "isv.MOBILE_NUMBER_ILLEGAL", ""
        magic = MAGIC_PHONES.get(phone)
        if magic is not None and magic.code != "OK":
            return magic.code, ""
        if window := state.limits.exceeded(phone, now):
            permits = getattr(self._sms_world.limits, window)
            return "isv.BUSINESS_LIMIT_CONTROL", f"触发{_LIMITS_ZH[window]}级流控Permits:{permits}"
        return "", ""

    def _query(self, payload: dict[str, Any], state: SmsState) -> Reply:
        field, why = complaint(payload, ("out_id",))
        if field:
            return _reply("isv.INVALID_PARAMETERS", f"{field} is {why}")
        out_id: str = payload["out_id"]
        message = _latest(state, out_id)
        if message is None:
            return _reply("isv.DATA_NOT_EXIST", out_id=out_id)
        return _reply(
            "OK",
            BizId=message.biz_id,
            out_id=out_id,
            status=message.status,
            message_state=MESSAGE_STATES[message.status],
        )

    def carrier_lost(
        self, follow_ups: list[FollowUp], state: SmsState, *, reported: bool
    ) -> list[FollowUp]:
        """The delivery reports of messages that will not be delivered."""
        left: dict[str, FollowUp] = {}
        for item in follow_ups:
            if isinstance(item, Timer) and item.event == DELIVER and reported:
                message = state.messages.get(item.key)
                if message is not None and message.report:
                    message.report = "UNDELIV"
                    left.setdefault(item.key, msgspec.structs.replace(item, event=_REPORT))
        return list(left.values())

    # ── carrier and delivery reports ────────────────────────────────────────────────────────────

    def fire(self, timer: Timer, now: float) -> list[FollowUp]:
        """A message arrives, a lost one is given up, or a report is due again."""
        space = self.known(timer.namespace)
        if space is None:
            return []
        state = space.state
        if timer.event == AGAIN:
            again = state.reports.again(timer.key)
            return [] if again is None else [again]
        message = state.messages.get(timer.key)
        if message is None:
            return []
        effects: list[FollowUp] = []
        if timer.event == DELIVER:
            texts = state.handsets.get(message.phone) or ()
            state.handsets.put(message.phone, (*texts, message.text), now)
            effects.append(Arrived(message.phone, timer.namespace))
        if not message.done_at:
            message.done_at = now
            message.status = message.report or "DELIVRD"
            if message.report:
                effects.append(self._report(message, timer.namespace, state))
        return effects

    def _report(self, message: Submission, namespace: str, state: SmsState) -> Notification:
        body = {
            "out_id": message.out_id,
            "biz_id": message.biz_id,
            "status": message.status,
            "message_state": MESSAGE_STATES[message.status],
            "done_at": message.done_at,
            "attempt": 1,
        }
        return state.reports.begin(
            Notification("sms_report", message.biz_id, body, namespace=namespace)
        )

    def delivered(
        self, notification: Notification, acknowledged: bool, now: float
    ) -> list[FollowUp]:
        """A report was acknowledged, or will be sent again after the schedule's next gap."""
        space = self.known(notification.namespace)
        if space is None:
            return []
        return [*space.state.reports.outcome(notification, acknowledged, now)]

    # ── handsets ────────────────────────────────────────────────────────────────────────────────

    def inbox(self, namespace: str, phone: str) -> list[str]:
        """The texts on the handset of `phone`, oldest first."""
        space = self.known(namespace)
        return [] if space is None else list(space.state.handsets.get(phone) or ())

    def newest(self, namespace: str, phone: str, seen: int) -> Message | None:
        """The newest message, if there are more than the first `seen`."""
        space = self.known(namespace)
        texts = None if space is None else space.state.handsets.get(phone)
        if not texts or len(texts) <= seen:
            return None
        return Message(texts[-1], len(texts))


def _drawn(carrier: Carrier, loss: int, twice: int, expires: int, delay: int) -> MagicPhone:
    """A message's fate at the carrier, from 64-bit draws."""
    way = carrier.delay.at(delay * _UNIT)
    if loss * _UNIT < carrier.loss:
        return MagicPhone("OK", "EXPIRED" if expires & 1 else "UNDELIV", 0, way, "ok")
    copies = 2 if twice * _UNIT < carrier.duplicate else 1
    return MagicPhone("OK", "DELIVRD", copies, way, "ok")


def _latest(state: SmsState, out_id: str) -> Submission | None:
    biz_id = state.out_ids.get(out_id)
    return None if biz_id is None else state.messages.get(biz_id)


def _reply(code: str, message: str = "", http_status: int = 0, **more: Any) -> Reply:
    known = CODES.get(code)
    body: dict[str, Any] = {
        "Code": code,
        "Message": message or (known.en if known else ""),
        "smpp": known.smpp if known else CODES["isp.SYSTEM_ERROR"].smpp,
        **more,
    }
    return Reply(http_status or (known.status if known else 200), body, code)
