"""How a customer binds a card: a generator of directives, the same for both clocks.

Whoever plays it carries out each directive and sends back what `scenarios.directives` promises. All
draws are keyed by the customer, so that both clocks meet the same typos, patience and habits.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from functools import partial
from typing import Any, NamedTuple

from scenarios.contract import (
    BAD_ANSWER,
    CONSENT_SCOPES,
    RETRYABLE,
    TERMS_VERSION,
    TESTBED_LIMIT,
    ErrorCode,
    State,
)
from scenarios.customer import Customer
from scenarios.directives import Answer, Directive, Ending, Message, Now, ReadOtp, Request, Think
from scenarios.distributions import Delay
from scenarios.keyed import Keyed, unit
from scenarios.population.images import image_size, render
from scenarios.population.typos import mistype
from scenarios.schema import Journey, Scenario

DOCUMENTS = ("id_card_front", "id_card_back", "bank_card")
NO_PICTURE = "0" * 64
"""Digest of the uploads of virtual time, which have a size but no bytes."""
ABANDONED = "ABANDONED"
MAX_BINDINGS = 4
"""Bindings one visit may open: the first, and new ones after corrected fields."""

_CODE = re.compile(r"(?<!\d)\d{4,8}(?!\d)")
_NOW = Now()
_FIELDS = ("id_number", "holder", "phone", "card_number")
_ENDS = frozenset({BAD_ANSWER, TESTBED_LIMIT})
"""Codes after which no button helps. Nor does it after a redirect, which is never followed: what a
customer typed is for the service that was asked."""

Steps = Generator[Directive, Any, Any]


def journey(
    customer: Customer, scenario: Scenario, keyed: Keyed
) -> Generator[Directive, Any, Ending]:
    """Bind one card, coming back once after giving up if that is this customer's habit."""
    visitor = _Visitor(customer, scenario, keyed)
    try:
        return (yield from visitor.visit())
    except _GivesUp as gives_up:
        ending = Ending(ABANDONED, gives_up.cause)
    except _Over as over:
        return over.ending
    if unit(visitor.nature.come_back) >= scenario.journey.come_back:
        return ending
    yield Think(visitor.human(scenario.journey.come_back_after, visitor.nature.come_back_after))
    try:
        return (yield from visitor.visit())
    except _GivesUp as gives_up:
        return Ending(ABANDONED, gives_up.cause)
    except _Over as over:
        return over.ending


class _GivesUp(Exception):
    """The customer walks away, and may come back."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class _Over(Exception):
    """The lender ended the journey."""

    def __init__(self, state: str, cause: str) -> None:
        super().__init__(cause)
        self.ending = Ending(state, cause)


class _Corrected(Exception):
    """A field was wrong: the card details are to be submitted again."""


class _Nature(NamedTuple):
    """What is drawn once for a customer, as 32-bit words."""

    id_number: int
    holder: int
    phone: int
    card_number: int
    otp: int
    attacker: int
    come_back: int
    come_back_after: int
    patience: int
    second_patience: int
    id_card_front: int
    id_card_back: int
    bank_card: int


class _Visitor:
    """One customer in front of the app: what was typed so far, and how often what was tried."""

    def __init__(self, customer: Customer, scenario: Scenario, keyed: Keyed) -> None:
        self._customer = customer
        self._keyed = keyed
        self._habits: Journey = scenario.journey
        self._attempts: dict[str, int] = {}
        self._thoughts = 0
        self._thought_words: tuple[int, ...] = ()
        self._seen = 0
        self._visits = 0
        self._deadline = 0.0
        nature = _Nature._make(keyed.words("journey", customer.number)[:13])
        self.nature = nature
        typos = scenario.population.typos
        truth = (customer.id_number, customer.name, customer.phone, customer.card_number)
        self._truth = dict(zip(_FIELDS, truth, strict=True))
        self._typed = dict(self._truth)
        shares = (typos.id_number, typos.name, typos.phone, typos.card_number)
        for field, word, share in zip(_FIELDS, nature, shares, strict=False):
            if unit(word) < share:
                self._typed[field] = mistype(self._truth[field], self._how(field))
        self._otp_typo = unit(nature.otp) < typos.otp

    # ── draws ───────────────────────────────────────────────────────────────────────────────────

    def human(self, delay: Delay, word: int) -> float:
        """A paced human time in seconds."""
        return delay.at(unit(word)) * self._habits.pace

    def _how(self, field: str) -> float:
        """The draw that makes the mistake in `field`."""
        return self._keyed.uniform("journey", self._customer.number, "typo", field, "how")

    def _correct(self, *fields: str) -> bool:
        """Put right what was mistyped among `fields`; False when nothing was."""
        wrong = [f for f in fields if f in self._typed and self._typed[f] != self._truth[f]]
        for field in wrong:
            self._typed[field] = self._truth[field]
        return bool(wrong)

    # ── small moves ─────────────────────────────────────────────────────────────────────────────

    def _think(self, delay: Delay) -> Steps:
        """Look at the screen; walk away when patience has run out."""
        nth = self._thoughts
        self._thoughts = nth + 1
        if nth % 16 == 0:
            number = self._customer.number
            self._thought_words = self._keyed.words("journey", number, "think", nth // 16)
        yield Think(self.human(delay, self._thought_words[nth % 16]))
        now: float = yield _NOW
        if now > self._deadline:
            raise _GivesUp("patience")

    def _ask(self, op: str, body: dict[str, Any], path: dict[str, str], **more: Any) -> Steps:
        """Press a button, again if it fails in a way that invites it; returns the Answer. Raises
        _GivesUp or _Over."""
        for press in range(self._habits.retries + 1):
            if press:
                yield from self._think(self._habits.think.retry)
            attempt = self._attempts[op] = self._attempts.get(op, 0) + 1
            answer: Answer = yield Request(
                op,
                body,
                path,
                attempt=attempt,
                timeout=self._habits.request_timeout,
                **more,
            )
            if answer.code in _ENDS or 300 <= answer.status < 400:
                raise _Over(State.FAILED, answer.code.lower())
            if answer.code not in RETRYABLE:
                return answer
        raise _GivesUp(answer.code.lower())

    def _look(self, binding: str) -> Steps:
        """Read the binding's state until no partner's answer is outstanding; returns the body."""
        while True:
            yield Think(self._habits.status_poll)
            now: float = yield _NOW
            answer: Answer = yield from self._ask("status", {}, {"binding": binding})
            if answer.code != "OK":
                raise _Over(State.FAILED, answer.code.lower())
            if answer.body["state"] not in (State.VERIFYING, State.PAYING):
                return answer.body
            if now > self._deadline:
                raise _GivesUp(f"{answer.body['state'].lower()}_too_long")

    # ── the six steps ───────────────────────────────────────────────────────────────────────────

    def visit(self) -> Generator[Directive, Any, Ending]:
        """From the first screen to the end. Raises _GivesUp or _Over."""
        habits = self._habits
        self._visits += 1
        nature = self.nature
        began: float = yield _NOW
        word = nature.patience if self._visits == 1 else nature.second_patience
        self._deadline = began + self.human(habits.patience, word)
        applicant = yield from self._register()
        if self._customer.returning or self._visits > 1:
            # Old messages are on this handset already: only newer ones count.
            newest: Message | None = yield ReadOtp(self._customer.phone, self._seen, 0.0)
            if newest is not None:
                self._seen = newest.seen
        if unit(nature.attacker) < habits.attackers:
            yield from self._bomb(applicant)
        for _ in range(MAX_BINDINGS):
            try:
                binding = yield from self._submit(applicant)
                yield from self._confirm(binding)
            except _Corrected:
                continue
            yield from self._authorise(binding)
            yield from self._pay(binding)
            return Ending(State.ACTIVE, "ok")
        raise _GivesUp("too_many_corrections")

    def _register(self) -> Steps:
        """Identity and documents; returns the applicant's identifier as the service gave it."""
        customer, think = self._customer, self._habits.think
        yield from self._think(think.register_)
        while True:
            identity = {
                "name": customer.name,
                "id_number": self._typed["id_number"],
                "phone": customer.phone,
            }
            answer: Answer = yield from self._ask("register", identity, {})
            if answer.code == "OK":
                break
            if not self._correct(answer.body["error"].get("field", "")):
                raise _Over(State.REJECTED, _cause(answer))
            yield from self._think(think.correct)
        applicant: str | int = answer.body["applicant_id"]
        for kind in DOCUMENTS:
            if kind in answer.body["documents"]:
                continue
            yield from self._think(think.documents)
            size = image_size(getattr(self.nature, kind))
            upload: Answer = yield from self._ask(
                "documents",
                {"kind": kind, "content_type": "image/jpeg", "size": size, "sha256": NO_PICTURE},
                {"applicant": str(applicant)},
                image=partial(render, customer, kind, size),
            )
            if upload.code != "OK":
                raise _Over(State.REJECTED, _cause(upload))
        return applicant

    def _submit(self, applicant: str | int) -> Steps:
        """Card details; returns the binding's identifier."""
        submission = self._attempts.get("binding", 0)
        self._attempts["binding"] = submission + 1
        yield from self._think(self._habits.think.submit)
        press = 0
        while True:
            details = {
                "applicant_id": applicant,
                "card_number": self._typed["card_number"],
                "holder": self._typed["holder"],
                "id_number": self._truth["id_number"],
                "phone": self._typed["phone"],
            }
            key = f"{self._customer.number}-{submission}-{press}"
            answer: Answer = yield from self._ask("submit", details, {}, idempotency_key=key)
            if answer.code == "OK":
                return str(answer.body["binding_id"])
            if answer.code == ErrorCode.SMS_LIMIT:
                raise _GivesUp("sms_limit")
            if not self._correct(answer.body["error"].get("field", "")):
                raise _Over(State.REJECTED, _cause(answer))
            press += 1
            yield from self._think(self._habits.think.correct)

    def _confirm(self, binding: str) -> Steps:
        """Read the code and confirm it until the bank has verified and signed."""
        habits = self._habits
        sent, path = 0, {"binding": binding}
        code = ""
        while True:
            if not code:
                patience = habits.otp_wait * habits.pace
                message: Message | None = yield ReadOtp(self._customer.phone, self._seen, patience)
                if message is None:
                    if self._correct("phone"):
                        yield from self._think(habits.think.correct)
                        raise _Corrected
                    sent = yield from self._send_again(path, sent)
                    continue
                self._seen = message.seen
                found = _CODE.search(message.text)
                if found is None:
                    continue
                code = found[0]
                yield from self._think(habits.think.read_otp)
            typed = code
            if self._otp_typo:
                self._otp_typo = False
                typed = mistype(code, self._how("otp"))
            answer: Answer = yield from self._ask("confirm", {"otp": typed}, path)
            state, cause = answer.body.get("state", ""), _cause(answer)
            if answer.status == 202:
                seen: dict[str, Any] = yield from self._look(binding)
                state, cause = seen["state"], seen["reason"]
            if state == State.VERIFIED:
                return
            if answer.code == ErrorCode.OTP_WRONG:
                if typed == code:
                    code = ""
                yield from self._think(habits.think.correct)
            elif answer.code == ErrorCode.OTP_EXPIRED or state == State.OTP_SENT:
                code = ""
                sent = yield from self._send_again(path, sent)
            elif answer.code == ErrorCode.OTP_LOCKED:
                raise _Over(State.LOCKED, "otp_locked")
            elif cause == "identity_mismatch" and self._correct("holder", "phone"):
                yield from self._think(habits.think.correct)
                raise _Corrected
            elif answer.code == ErrorCode.BANK_DECLINED or state == State.REJECTED:
                raise _Over(State.REJECTED, cause)
            elif answer.code == ErrorCode.WRONG_STATE:
                yield from self._ended_meanwhile(binding)
            else:
                raise _Over(state or State.FAILED, cause)

    def _send_again(self, path: dict[str, str], sent: int) -> Steps:
        """Ask for another code; returns how many were asked for by now."""
        if sent >= self._habits.resends:
            raise _GivesUp("otp_not_received")
        answer: Answer = yield from self._ask("resend", {}, path)
        if answer.code == ErrorCode.WRONG_STATE:
            yield from self._ended_meanwhile(path["binding"])
        elif answer.code not in ("OK", ErrorCode.SMS_LIMIT):
            raise _Over(State.FAILED, _cause(answer))
        return sent + 1

    def _bomb(self, applicant: str | int) -> Steps:
        """Have codes sent to a number that is not one's own, until refused; never returns."""
        try:
            binding = yield from self._submit(applicant)
            for _ in range(self._habits.attacker_presses):
                answer: Answer = yield from self._ask("resend", {}, {"binding": binding})
                if answer.code != "OK":
                    raise _Over(ABANDONED, "attacker_refused")
        except _GivesUp:
            raise _Over(ABANDONED, "attacker_refused") from None
        raise _Over(ABANDONED, "attacker_done")

    def _ended_meanwhile(self, binding: str) -> Steps:
        """The binding is not where this screen thought: learn how it ended."""
        seen: dict[str, Any] = yield from self._look(binding)
        raise _Over(seen["state"], seen["reason"] or "wrong_state")

    def _authorise(self, binding: str) -> Steps:
        yield from self._think(self._habits.think.authorise)
        consent = {"terms_version": TERMS_VERSION, "consents": list(CONSENT_SCOPES)}
        answer: Answer = yield from self._ask("authorise", consent, {"binding": binding})
        if answer.code != "OK":
            raise _Over(State.FAILED, _cause(answer))

    def _pay(self, binding: str) -> Steps:
        yield from self._think(self._habits.think.test_payment)
        answer: Answer = yield from self._ask("test_payment", {}, {"binding": binding})
        state, cause = answer.body.get("state", ""), _cause(answer)
        if answer.status == 202:
            seen: dict[str, Any] = yield from self._look(binding)
            state, cause = seen["state"], seen["reason"]
        if state != State.ACTIVE:
            raise _Over(State.FAILED, cause or "payment_unknown")


def _cause(answer: Answer) -> str:
    """Why an answer was not what was hoped for, in one word."""
    error = answer.body.get("error", {})
    cause = error.get("reason") or answer.code
    if answer.code == ErrorCode.INVALID_FIELD:
        cause = f"invalid_{error.get('field', 'field')}"
    return str(cause).lower()
