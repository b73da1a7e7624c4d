"""What a service's answers to the contract's operations may hold: read once, at the edge.

Only what a journey uses is asked for, and nothing else is kept. A service that leaves out what may
be left out, or gives its identifiers as numbers, is played against like any other.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec

from scenarios.contract import BAD_ANSWER, State
from scenarios.directives import Answer, answered

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)] | int
"""An identifier of the service's: a text, or a number, which is sent back as it came."""
_MOST_DOCUMENTS = 100
_WORD = re.compile(r"(?!.*[0-9]{5})[A-Za-z][A-Za-z0-9_.:-]{0,59}", re.ASCII)


class _Registered(msgspec.Struct):
    applicant_id: Identifier
    documents: Annotated[list[str], msgspec.Meta(max_length=_MOST_DOCUMENTS)] = []


class _Submitted(msgspec.Struct):
    binding_id: Identifier


class _InState(msgspec.Struct):
    """`reason` is a word where there is one."""

    state: State
    reason: str | None = None


class _Done(msgspec.Struct):
    """Nothing is needed."""


_BODIES: dict[str, type[msgspec.Struct]] = {
    "register": _Registered,
    "documents": _Done,
    "submit": _Submitted,
    "resend": _Done,
    "confirm": _InState,
    "authorise": _Done,
    "test_payment": _InState,
    "status": _InState,
}


def read_answer(op: str, status: int, body: dict[str, Any] | None) -> Answer:
    """The `Answer` of an HTTP reply to operation `op`; `body` is its JSON object, None when it is
    none.

    A success that does not hold what the contract says is a BAD_ANSWER; an error without a code is
    one of `HTTP_<status>`, and so is a redirect.
    """
    if 200 <= status < 300:
        kept = _kept(op, body)
        return bad_answer(status) if kept is None else Answer(status, kept, "OK")
    told = body if body is not None and status >= 400 else {}
    return answered(status, _refusal(status, told))


def bad_answer(status: int) -> Answer:
    """An answer that cannot be used; `status` 0 when it is not even HTTP."""
    return Answer(status, {"error": {"code": BAD_ANSWER}}, BAD_ANSWER)


def is_word(value: object) -> bool:
    """Whether `value` can stand in a table as a code or reason: a short word of ASCII, without
    digits enough to name a phone or a card."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _kept(op: str, body: dict[str, Any] | None) -> dict[str, Any] | None:
    if body is None:
        return None
    try:
        kept: dict[str, Any] = msgspec.to_builtins(msgspec.convert(body, _BODIES[op]))
    except msgspec.ValidationError:
        return None
    if "reason" in kept:
        kept["reason"] = kept["reason"] if is_word(kept["reason"]) else ""
    return {**_state(body), **kept}


def _refusal(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """The error with its words, and the state beside it."""
    error = body.get("error")
    given = error if isinstance(error, dict) else {}
    words: dict[str, Any] = {
        name: given[name] for name in ("code", "field", "reason") if is_word(given.get(name))
    }
    words.setdefault("code", f"HTTP_{status}")
    return {"error": words, **_state(body), **_binding(body)}


def _state(body: dict[str, Any]) -> dict[str, Any]:
    """The binding's state, where the answer tells one that the contract has."""
    state = body.get("state")
    return {"state": state} if isinstance(state, str) and state in _STATES else {}


def _binding(body: dict[str, Any]) -> dict[str, Any]:
    """The binding that a refusal is about: it exists, though its code could not be sent."""
    try:
        return {"binding_id": msgspec.convert(body, _Submitted).binding_id}
    except msgspec.ValidationError:
        return {}


_STATES = frozenset(State)
