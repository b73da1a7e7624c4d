"""The lender's own measurements of a live run."""

from __future__ import annotations

from typing import Any

import msgspec

from loadtests.admin import AdminProblem, fetch, read_reply
from loadtests.process import StackProblem


class _Timings(msgspec.Struct):
    timings: list[list[Any]]


def lender_timings(lender: str) -> list[list[Any]]:
    """The rows of `/__admin/timings` of the lender at this URL. Raises StackProblem when it does
    not answer."""
    try:
        _, answer = fetch(f"{lender}/__admin/timings?after=0")
        return read_reply(lender, answer, _Timings).timings
    except AdminProblem as problem:
        raise StackProblem(str(problem)) from None
