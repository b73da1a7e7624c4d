"""The bank network as a merchant sees it: verification, signing, terminating, and queries.

Every decision is taken at the switch (field 39) and told in the online gateway's `respCode`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from mocks.bank.agreements import AgreementBook, AgreementRow
from mocks.bank.codes import FIELD39, ONLINE, TO_ONLINE
from mocks.bank.directory import Directory, Elements
from mocks.bank.magic import MAGIC_CARDS, MagicCard
from mocks.gateway import Gateway, Space
from mocks.messages import Call, CallRecord, FollowUp, Reply
from mocks.payload import complaint, text
from mocks.recent import Keep, Recent
from scenarios.distributions import Delay
from scenarios.population.cards import is_luhn, issuer_of
from scenarios.population.identity import is_valid_id_number
from scenarios.population.phones import is_mobile
from scenarios.world import BankWorld

APPROVED = "00"
NO_REPLY = ("98", "91", "09")
"""Field 39 of opens that end unknown: `respCode` 03, 04 and 05."""
NOT_DONE = "22"
"""Field 39 of an open whose request was lost before the issuer acted."""
SETTLES = Delay(p50=1.0, p99=8.0)
"""Seconds until a query tells what became of an unknown open. Assumed."""

NOT_BOUND = "40"
"""`respCode` of terminating an agreement that is not in force, or was signed anew."""

_NORMAL = "00"
_FIELDS = ("order_no", "card_number", "holder", "id_number", "phone")
_TERMINATION = ("order_no", "agreement_no", "original_order_no?")
_LONGEST_ORDER_NO = 64


class BankOrder(msgspec.Struct, gc=False):
    """One open, verify or terminate: field 39 until `settles_at` (seconds) and after it. A
    termination names no card."""

    op: str
    card_number: str
    issuer: str
    first: str
    final: str
    settles_at: float

    def switch_code(self, now: float) -> str:
        """Field 39 as known at `now`."""
        return self.final if now >= self.settles_at else self.first


class BankState:
    """One namespace: orders by the merchant's order number, and agreements."""

    __slots__ = ("agreements", "orders")

    def __init__(self, keep: Keep) -> None:
        self.orders: Recent[str, BankOrder] = Recent(keep.orders, keep.few)
        self.agreements = AgreementBook()


class BankGateway(Gateway[BankState]):
    """`open` verifies and signs, `verify` only verifies, `terminate` ends an agreement, `query`
    tells an order's outcome.

    Cards that `directory` knows must come with their holder's elements; of other cards, all
    well-formed elements are accepted, so that teams can bring their own.
    """

    name = "bank"
    operations: ClassVar[Mapping[str, str]] = {
        "open": "/v1/open",
        "verify": "/v1/verify",
        "terminate": "/v1/terminate",
        "query": "/v1/query",
    }
    latency_like: ClassVar[Mapping[str, str]] = {"verify": "open", "terminate": "open"}

    def __init__(
        self,
        world: BankWorld,
        seed: int,
        on_call: Callable[[CallRecord], None] | None = None,
        directory: Directory | None = None,
    ) -> None:
        super().__init__(world, seed, on_call)
        self._directory = directory
        self._keeps_agreements = False
        self._unknown = world.unknown
        self._issuers = world.issuers
        self._declines = _ladder(world.decline)
        self._issuer_declines = {
            name: _ladder({**world.decline, **issuer.decline})
            for name, issuer in world.issuers.items()
        }

    @property
    def limit_code(self) -> str:
        return "37"

    def new_state(self) -> BankState:
        return BankState(self.keep)

    def keep_agreements(self) -> None:
        """Keep agreements from now on, for the agreement file and `terminate`. A simulation has no
        use for them, and a day of them fills memory."""
        self._keeps_agreements = True

    def subject(self, call: Call, state: BankState) -> tuple[str, str]:
        if call.op == "query":
            order = state.orders.get(text(call.payload, "order_no"))
            return ("", "") if order is None else (order.card_number, order.issuer)
        if call.op == "terminate":
            return text(call.payload, "agreement_no"), ""
        card_number = text(call.payload, "card_number")
        return card_number, issuer_of(card_number) or ""

    def latency_factor(self, op: str, issuer: str) -> float:
        world = self._issuers.get(issuer)
        return 1.0 if world is None else world.latency_factor

    def refusal(self, op: str, code: str, status: int) -> Reply:
        # An `error` fault may name a code of either table; where both have it, the online one is
        # meant, because that is the one which merchants see.
        switch_code = code if code not in ONLINE and code in FIELD39 else ""
        return self._reply(TO_ONLINE[switch_code] if switch_code else code, switch_code, status)

    def answer(
        self,
        call: Call,
        space: Space[BankState],
        subject: str,
        issuer: str,
        nth: int,
        now: float,
    ) -> tuple[Reply, list[FollowUp]]:
        if call.op == "query":
            return self._query(call.payload, space.state.orders, now), []
        if call.op == "terminate":
            return self._terminate(call.payload, space.state, now), []
        return self._verify(call, space.state, issuer, nth, now), []

    # ── verification and signing ────────────────────────────────────────────────────────────────

    def _verify(self, call: Call, state: BankState, issuer: str, nth: int, now: float) -> Reply:
        payload = call.payload
        order_no = text(payload, "order_no")
        refused = self._unfit(payload, _FIELDS, state)
        if refused is not None:
            return refused
        card_number = payload["card_number"]
        elements = Elements(payload["holder"], payload["id_number"], payload["phone"])
        magic = MAGIC_CARDS.get(card_number)
        if magic is None:
            first, final = self._decide(card_number, elements, issuer, nth)
        elif magic.concerns(nth):
            first, final = magic.switch_code, magic.final
        else:
            first = final = APPROVED
        settles_at = now
        if FIELD39[first].kind == "unknown":
            settles_at += SETTLES.at(self.keyed.uniform("bank", "settles", card_number, nth))
        order = BankOrder(call.op, card_number, issuer, first, final, settles_at)
        state.orders.put(order_no, order, now)
        if self._keeps_agreements and order.op == "open" and FIELD39[final].kind == "approved":
            state.agreements.sign(self.agreement_no(card_number), order_no, settles_at)
        reply = self._reply(TO_ONLINE[first], first, 200, order_no=order_no, issuer=issuer)
        self._sign(reply, order, first)
        if magic is not None and magic.concerns(nth):
            reply.delay, reply.transport = magic.delay, magic.transport
        return reply

    def _unfit(
        self, payload: dict[str, Any], fields: tuple[str, ...], state: BankState
    ) -> Reply | None:
        """The refusal of an order that is malformed, or whose number was used; None of others."""
        order_no = text(payload, "order_no")
        field, why = complaint(payload, fields)
        if not field and len(order_no) > _LONGEST_ORDER_NO:
            field = "order_no"
        if field:
            code = "13" if why == "missing" else "10"
            return self._reply(code, "", 400, order_no=order_no, field=field)
        if state.orders.get(order_no) is not None:
            return self._reply("12", "", 200, order_no=order_no)
        return None

    def _decide(
        self, card_number: str, elements: Elements, issuer: str, nth: int
    ) -> tuple[str, str]:
        # A stranger must not learn the state of a card, so the elements are looked at first.
        code = self._mismatch(card_number, elements, issuer)
        if not code and (ladder := self._issuer_declines.get(issuer, self._declines)):
            uniform = self.keyed.uniform("bank", "card", card_number)
            if uniform < ladder[-1][0]:
                code = next(code for below, code in ladder if uniform < below)
        if code:
            return code, NOT_DONE if FIELD39[code].kind == "unknown" else code
        if self._unknown:
            draw = self.keyed.uniform("bank", "unknown", card_number, nth)
            if draw < self._unknown:
                pick = self.keyed.integer("bank", "no-reply", card_number, nth)
                executed = pick >> 32 & 1
                return NO_REPLY[pick % len(NO_REPLY)], APPROVED if executed else NOT_DONE
        return APPROVED, APPROVED

    def _mismatch(self, card_number: str, elements: Elements, issuer: str) -> str:
        if not is_luhn(card_number) or not 16 <= len(card_number) <= 19:
            return "14"
        if not issuer:
            return "15"
        agrees = self._directory and self._directory.agrees(card_number, elements)
        if agrees is None:
            agrees = is_valid_id_number(elements.id_number) and is_mobile(elements.phone)
        return "" if agrees else "05"

    def _sign(self, reply: Reply, order: BankOrder, switch_code: str) -> None:
        if order.op == "open" and FIELD39[switch_code].kind == "approved":
            reply.body["agreement_no"] = self.agreement_no(order.card_number)

    def agreement_no(self, card_number: str) -> str:
        """The card's agreement number: 20 digits, the same at every opening. The last two are 00,
        or the field 39 with which every charge will fail."""
        magic: MagicCard | None = MAGIC_CARDS.get(card_number)
        serial = self.keyed.integer("bank", "agreement", card_number) % 10**18
        return f"{serial:018d}{magic.charge if magic else _NORMAL}"

    # ── agreements ──────────────────────────────────────────────────────────────────────────────

    def _terminate(self, payload: dict[str, Any], state: BankState, now: float) -> Reply:
        refused = self._unfit(payload, _TERMINATION, state)
        if refused is not None:
            return refused
        order_no: str = payload["order_no"]
        original = text(payload, "original_order_no")
        if not state.agreements.terminate(payload["agreement_no"], order_no, now, original):
            return self._reply(NOT_BOUND, "", 200, order_no=order_no)
        order = BankOrder("terminate", "", "", APPROVED, APPROVED, now)
        state.orders.put(order_no, order, now)
        return self._reply(TO_ONLINE[APPROVED], APPROVED, 200, order_no=order_no)

    def agreements(self, namespace: str, start: float, end: float) -> list[AgreementRow]:
        """What was signed and terminated in [start, end) seconds, in order; only since
        `keep_agreements`."""
        space = self.known(namespace)
        return [] if space is None else space.state.agreements.between(start, end)

    # ── queries and replies ─────────────────────────────────────────────────────────────────────

    def _query(self, payload: dict[str, Any], orders: Recent[str, BankOrder], now: float) -> Reply:
        field, why = complaint(payload, ("order_no",))
        if field:
            return self._reply("13" if why == "missing" else "10", "", 400, field=field)
        order_no = payload["order_no"]
        order = orders.get(order_no)
        if order is None:
            return self._reply("34", "", 200, order_no=order_no, origRespCode="", origRespMsg="")
        switch_code = order.switch_code(now)
        original = ONLINE[TO_ONLINE[switch_code]]
        reply = self._reply(
            APPROVED,
            switch_code,
            200,
            order_no=order_no,
            origRespCode=original.code,
            origRespMsg=original.zh,
        )
        self._sign(reply, order, switch_code)
        return reply

    def _reply(self, code: str, switch_code: str, status: int, **more: str) -> Reply:
        known = ONLINE.get(code)
        body: dict[str, Any] = {
            "respCode": code if known else "",
            "respMsg": known.zh if known else "",
            "switchCode": switch_code,
            **more,
        }
        return Reply(status, body, code)


def _ladder(shares: Mapping[str, float]) -> tuple[tuple[float, str], ...]:
    """Codes with the bound below which a uniform draw picks each; the rest picks none."""
    ladder, below = [], 0.0
    for code, share in shares.items():
        below += share
        ladder.append((below, code))
    return tuple(ladder)
