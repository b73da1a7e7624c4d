"""What customers were told, as recorded outside the system under test.

A history is a list of acknowledgements, one for each request that a customer made about an
applicant or a binding. It lies beside a run's events in `acknowledgements/<worker>.jsonl`, a JSON
object a line, appended while the run goes on: after a kill everything up to the last whole line can
be read. Identifiers of applicants and bindings are random and name nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from scenarios.contract import TESTBED_LIMIT, ErrorCode, State
from scenarios.directives import Answer, Request

FOLDER = "acknowledgements"

Outcome = Literal["ok", "fail", "unknown"]
"""`ok`: done; `fail`: certainly not done; `unknown`: no answer that says, so either is fine."""

REGISTERED = "REGISTERED"
DOCUMENT = "DOCUMENT"

_TOLD_BY_CODE = {ErrorCode.OTP_LOCKED: State.LOCKED}
"""States that an error tells without naming them in its body."""
_NOT_SENT = frozenset({"UNREACHABLE", TESTBED_LIMIT})


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """One request and what its answer told.

    `subject`: the applicant's or binding's identifier, empty when none was told. `state`: the
    binding's state that the answer told, `REGISTERED` or `DOCUMENT <kind>` of an applicant, empty
    when it told none. `invoked` and `completed`: seconds since the epoch at which the request was
    sent and its answer was there, or was given up. `code`: that of the `Answer`.
    """

    customer: int
    step: str
    attempt: int = 1
    subject: str = ""
    state: str = ""
    outcome: Outcome
    code: str = "OK"
    invoked: float
    completed: float

    @property
    def tells(self) -> bool:
        """Whether the customer learned a state, which must hold from then on."""
        return bool(self.subject and self.state)


def acknowledgement(
    customer: int, request: Request, answer: Answer, invoked: float, completed: float
) -> Acknowledgement:
    """What customer `customer` learned from `answer`; times in seconds since the epoch."""
    subject, state = _told(request, answer)
    return Acknowledgement(
        customer=customer,
        step=request.op,
        attempt=request.attempt,
        subject=subject,
        state=state,
        outcome=_outcome(answer, state),
        code=answer.code,
        invoked=invoked,
        completed=completed,
    )


class AcknowledgementLog:
    """Appends to `folder/acknowledgements/<worker>.jsonl`, each line in one write.

    Lines are handed to the operating system at once, so killing the process loses none; a machine
    that loses power may lose the last ones. Raises OSError when the disk refuses.
    """

    def __init__(self, folder: Path, worker: str = "0") -> None:
        path = folder / FOLDER
        path.mkdir(parents=True, exist_ok=True)
        self._file = (path / f"{worker}.jsonl").open("ab", buffering=0)
        self._encode = msgspec.json.Encoder().encode

    def add(self, told: Acknowledgement) -> None:
        """Append one."""
        self._file.write(self._encode(told) + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_acknowledgements(folder: Path) -> list[Acknowledgement]:
    """All acknowledgements below `folder/acknowledgements`, by the time of the answer. A torn last
    line is left out. Raises ValueError when a whole line cannot be read."""
    decode = msgspec.json.Decoder(Acknowledgement).decode
    found: list[Acknowledgement] = []
    for path in sorted((folder / FOLDER).glob("*.jsonl")):
        lines = path.read_bytes().split(b"\n")
        # The last piece is empty, or what a kill left of a line.
        for number, line in enumerate(lines[:-1], start=1):
            try:
                found.append(decode(line))
            except msgspec.MsgspecError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from None
    return sorted(found, key=lambda told: (told.completed, told.invoked))


def _told(request: Request, answer: Answer) -> tuple[str, str]:
    body, succeeded = answer.body, answer.code == "OK"
    if request.op == "register":
        subject = _text(body, "applicant_id") if succeeded else ""
        return subject, REGISTERED if subject else ""
    if request.op == "documents":
        kind = request.body.get("kind", "")
        return request.path.get("applicant", ""), f"{DOCUMENT} {kind}" if succeeded else ""
    subject = request.path.get("binding", "") or _text(body, "binding_id")
    state = _text(body, "state") or _TOLD_BY_CODE.get(answer.code, "")  # type: ignore[call-overload]
    return subject, state if state in _STATES else ""


def _outcome(answer: Answer, state: str) -> Outcome:
    if answer.code == "OK":
        return "ok"
    if answer.status == 0:
        return "fail" if answer.code in _NOT_SENT else "unknown"
    # A server error that does not tell the state may have come after the work, and so may a success
    # that cannot be read.
    refused = 400 <= answer.status < 500 or bool(state)
    return "fail" if refused else "unknown"


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    # Some services number their records.
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def by_subject(history: Iterable[Acknowledgement]) -> dict[str, list[Acknowledgement]]:
    """What was told of each applicant and binding, by the time of the answer."""
    told: dict[str, list[Acknowledgement]] = {}
    for each in sorted(history, key=lambda one: (one.completed, one.invoked)):
        if each.tells:
            told.setdefault(each.subject, []).append(each)
    return told


_STATES = frozenset(State)
