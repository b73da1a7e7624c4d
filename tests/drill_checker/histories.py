"""Made-up histories: what a lender wrote, what customers were told of it, and what stayed."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from reports.drills.audit_chain import GENESIS
from reports.drills.books import AgreementRow, AuditLink, BindingRow, Movement, SiteRecords
from reports.drills.history import Acknowledgement
from scenarios.contract import State

NODES = ("lender-1", "lender-2")

_LINES = (
    "CARD_SUBMITTED OTP_SENT VERIFYING VERIFIED AUTHORISED PAYING ACTIVE",
    "CARD_SUBMITTED OTP_SENT VERIFYING VERIFIED AUTHORISED PAYING FAILED",
    "CARD_SUBMITTED OTP_SENT VERIFYING VERIFIED EXPIRED",
    "CARD_SUBMITTED OTP_SENT VERIFYING REJECTED",
    "CARD_SUBMITTED OTP_SENT LOCKED",
    "CARD_SUBMITTED EXPIRED",
)
_LOOPS = (
    "CARD_SUBMITTED OTP_SENT VERIFYING OTP_SENT VERIFYING VERIFIED AUTHORISED PAYING ACTIVE",
    "CARD_SUBMITTED OTP_SENT VERIFYING VERIFIED AUTHORISED PAYING AUTHORISED PAYING ACTIVE",
    "CARD_SUBMITTED OTP_SENT VERIFYING OTP_SENT OTP_SENT VERIFYING OTP_SENT EXPIRED",
)
_ACTIONS = {"LOCKED": "otp_wrong"}


@dataclass
class Write:
    """One durable change of state."""

    subject: str
    state: str
    at: float
    node: str


@dataclass
class World:
    """The truth: every write in the order of time, and what was told."""

    writes: list[Write]
    history: list[Acknowledgement]
    cards: dict[str, str] = field(default_factory=dict)

    def until(self, moment: float = float("inf")) -> SiteRecords:
        """What a database has that kept the writes up to `moment`."""
        kept = [write for write in self.writes if write.at <= moment]
        bindings = {
            write.subject: BindingRow(
                binding_id=write.subject,
                state=State(write.state),
                card=f"card-{write.subject}",
                agreement_no=f"agreement-{write.subject}",
            )
            for write in kept
        }
        return SiteRecords(bindings=bindings, audit=chains(kept))

    def states(self, subject: str, moment: float = float("inf")) -> list[str]:
        return [w.state for w in self.writes if w.subject == subject and w.at <= moment]

    def told(self, subject: str) -> list[Acknowledgement]:
        return [ack for ack in self.history if ack.subject == subject and ack.tells]

    def agreements(self) -> list[AgreementRow]:
        return [
            AgreementRow(
                agreement_no=f"agreement-{write.subject}",
                order_no=f"{write.subject}-open",
                kind="signed",
                time=write.at,
            )
            for write in self.writes
            if write.state == "VERIFIED"
        ]

    def movements(self) -> list[Movement]:
        return [
            Movement(order_no=f"{write.subject}-charge", kind="charge", amount_fen=1, time=write.at)
            for write in self.writes
            if write.state == "ACTIVE"
        ]


def chains(writes: list[Write]) -> tuple[AuditLink, ...]:
    """The audit chains of these writes, a digest being just a name here."""
    links: list[AuditLink] = []
    for node in NODES:
        previous = GENESIS
        for sequence, write in enumerate((w for w in writes if w.node == node), start=1):
            digest = f"{node}-{sequence}-{write.subject}-{write.state}-{write.at}"
            links.append(
                AuditLink(
                    node=node,
                    sequence=sequence,
                    at=write.at,
                    action=_ACTIONS.get(write.state, write.state.lower()),
                    subject=write.subject,
                    previous=previous,
                    digest=digest,
                )
            )
            previous = digest
    return tuple(links)


@st.composite
def worlds(draw: st.DrawFn, loops: bool = True, finished: str = "") -> World:
    """Concurrent customers, each on a way through the lender's states; some requests are told
    nothing. `finished`: the last state of the first one, who is told of it."""
    lines = _LINES + (_LOOPS if loops else ())
    seconds = st.integers(1, 40).map(lambda tenths: tenths / 10)
    writes: list[Write] = []
    history: list[Acknowledgement] = []
    for customer in range(draw(st.integers(1, 6))):
        must = finished if customer == 0 else ""
        line = draw(st.sampled_from([one for one in lines if one.endswith(must)])).split()
        if not must:
            line = line[: draw(st.integers(1, len(line)))]
        at = draw(seconds)
        subject, node = f"bnd_{customer}", draw(st.sampled_from(NODES))
        for nth, state in enumerate(line):
            at += draw(seconds)
            writes.append(Write(subject, state, at, node))
            last = bool(must) and nth == len(line) - 1
            outcome = draw(st.sampled_from(("ok", "fail", "unknown", "none")))
            if outcome == "none" and not last:
                continue
            tells = outcome in ("ok", "fail") or last
            history.append(
                Acknowledgement(
                    customer=customer,
                    step=draw(st.sampled_from(("confirm", "status"))),
                    subject=subject,
                    state=state if tells else "",
                    outcome="ok" if tells else "unknown",
                    code="OK" if tells else "TIMEOUT",
                    invoked=at - draw(seconds),
                    completed=at + draw(seconds),
                )
            )
    writes.sort(key=lambda write: write.at)
    history = draw(st.permutations(history))
    return World(writes, list(history))
