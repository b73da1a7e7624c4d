"""Whether every customer fails at one and the same step: then the run tests nothing beyond it, and
what was sent and answered there tells more than any figure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mocks.masking import mask_payload, mask_text
from scenarios.contract import OPERATIONS, TESTBED_LIMIT, ErrorCode
from scenarios.directives import BEWILDERED, Answer, Ending, ReadOtp, Request
from scenarios.faults import Fault

ENOUGH = 20
"""Customers, the first that ended, after whom a run need not go on: with a failure that hits half
of all, one run in a million would be ended."""
SHOWN = 200
"""Characters of what was sent, and of what was answered."""
_READ = 2_000
"""Bytes of an answer that are looked at."""

_ABOUT_THE_CUSTOMER = frozenset(
    {
        *(ErrorCode.UNDER_AGE, ErrorCode.BANK_DECLINED, ErrorCode.PAYMENT_DECLINED),
        *(ErrorCode.OTP_WRONG, ErrorCode.OTP_EXPIRED, ErrorCode.OTP_LOCKED, ErrorCode.SMS_LIMIT),
        *(ErrorCode.IDENTITY_CONFLICT, ErrorCode.ALREADY_BOUND),
    }
)
"""What a service that works says of customers whom a scenario makes so."""

_EXPLAINS: dict[str, tuple[str, ...]] = {
    "sms": ("submit", "resend", "otp"),
    "bank": ("confirm", "status"),
    "payment": ("test_payment", "status"),
}
"""The steps that fail when a gateway does; a fault of the lender explains them all."""


class Stuck(msgspec.Struct, frozen=True, kw_only=True):
    """`customers` ended, every one of them at `step` with an answer of `status` (0: none) and
    `code`; `sent` and `answered` are those of the first, masked."""

    step: str
    status: int
    code: str
    customers: int
    sent: str
    answered: str

    @property
    def line(self) -> str:
        """All of it in one line, with what to look at."""
        who = "the only customer" if self.customers == 1 else f"all {self.customers} customers"
        hint = (
            "do its messages go to the SMS gateway of this run?"
            if self.step == "otp"
            else "does it speak the contract (docs/lender.md; /openapi.json of our lender)?"
        )
        return f"{who} failed at {self.step}: sent {self.sent}; answered {self.answered}; {hint}"


class OneStep:
    """Follows the customers of one process. `foreign`: the lender is a team's own, of whose answers
    those that the contract knows count too, unless they are about the customer."""

    def __init__(self, *, foreign: bool) -> None:
        self.passed: set[str] = set()
        """Steps that somebody got beyond."""
        self.stuck: Stuck | None = None
        self._foreign = foreign
        self._split = False

    def ended(self, ending: Ending, last: Request | ReadOtp, answer: Answer, raw: bytes) -> None:
        """A journey ended after `answer`, whose body was `raw`, to what it asked `last`; a message
        that did not come is an Answer of code TIMEOUT."""
        step = "otp" if isinstance(last, ReadOtp) else last.op
        if self._split or not self._counts(ending, step, answer):
            self._split, self.stuck = True, None
            return
        if self.stuck is None:
            self.stuck = Stuck(
                step=step,
                status=answer.status,
                code=answer.code,
                customers=1,
                sent=_sent(last),
                answered=_answered(last, answer, raw),
            )
        elif (step, answer.status, answer.code) == _kind(self.stuck):
            count = self.stuck.customers + 1
            self.stuck = msgspec.structs.replace(self.stuck, customers=count)
        else:
            self._split, self.stuck = True, None

    def _counts(self, ending: Ending, step: str, answer: Answer) -> bool:
        """Whether the journey failed by this answer, and not by how the scenario made customer,
        world and lender."""
        if ending == BEWILDERED:
            return True
        if answer.code in ("OK", TESTBED_LIMIT) or answer.code in _ABOUT_THE_CUSTOMER:
            return False
        return self._foreign or (step != "otp" and answer.code not in set(ErrorCode))


def joined(found: Sequence[tuple[Stuck | None, Sequence[str]]], ended: int) -> Stuck | None:
    """Where the customers of all processes are stuck, by each one's `stuck` and `passed`: None when
    one of the `ended` was not, or anybody got beyond the step."""
    stuck = [each for each, _ in found if each is not None]
    if not stuck or len({_kind(each) for each in stuck}) > 1:
        return None
    together = sum(each.customers for each in stuck)
    if together < ended or any(stuck[0].step in passed for _, passed in found):
        return None
    return msgspec.structs.replace(stuck[0], customers=together)


def explained(stuck: Stuck, faults: Sequence[Fault], now: float) -> bool:
    """Whether a fault that has begun by `now` may be why."""
    return any(
        fault.start <= now
        and (
            fault.target == "lender"
            or fault.where == "process"
            or stuck.step in _EXPLAINS[fault.target]
        )
        for fault in faults
    )


def _kind(stuck: Stuck) -> tuple[str, int, str]:
    return stuck.step, stuck.status, stuck.code


def _sent(last: Request | ReadOtp) -> str:
    if isinstance(last, ReadOtp):
        return f"nothing, waited {last.patience:g} s for a code at the handset"
    operation = OPERATIONS[last.op]
    body = _shown(msgspec.json.encode(mask_payload(last.body)).decode()) if last.body else ""
    return f"{operation.method} {operation.path} {body}".rstrip()


def _answered(last: Request | ReadOtp, answer: Answer, raw: bytes) -> str:
    if isinstance(last, ReadOtp):
        return "no message"
    if not answer.status:
        return f"nothing ({answer.code})"
    return f"{answer.status} {_shown(_masked(last, raw[:_READ]))}".rstrip()


def _masked(asked: Request, raw: bytes) -> str:
    """An answer's beginning without personal data: by its fields, by the look of its numbers, and
    by what was sent."""
    try:
        text = msgspec.json.encode(mask_payload(msgspec.json.decode(raw, type=dict))).decode()
    except msgspec.MsgspecError:
        text = mask_text(raw.decode(errors="replace"))
    for field, masked in mask_payload(asked.body).items():
        sent = asked.body.get(field)
        if isinstance(sent, str) and len(sent) > 1 and sent != masked:
            text = text.replace(sent, masked)
    return text


def _shown(text: str) -> str:
    """In one line: blanks are one space, and other controls are escaped."""
    line = " ".join(text.split())
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line[: SHOWN + 1])
    return shown if len(line) <= SHOWN else shown[:SHOWN] + "…"
