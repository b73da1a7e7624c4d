"""Load shedding: a bounded line before the lender's workers.

A request that would wait longer than anybody has patience for costs the same work as a useful one;
refusing it at once keeps the wait of those admitted short.
"""

from __future__ import annotations

from mocks.lender.policies.decisions import Decisions


class FrontQueue:
    """Requests in the lender: at most `workers` in progress and `longest` waiting (None: any)."""

    def __init__(self, workers: int, longest: int | None, decisions: Decisions) -> None:
        self._most = None if longest is None else workers + longest
        self._decisions = decisions
        self._inside = 0

    def enter(self) -> bool:
        """Admit a request; False when it must be answered 503 OVERLOADED."""
        if self._most is not None and self._inside >= self._most:
            self._decisions.count("front_queue", "shed", "lender")
            return False
        self._inside += 1
        return True

    def leave(self) -> None:
        """An admitted request was answered."""
        self._inside -= 1
