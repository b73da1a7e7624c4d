"""Durable commits of one database writer that groups what waits: the store's write-ahead log."""

from __future__ import annotations


class GroupCommit:
    """One commit at a time; all transactions that arrive during a commit share the next one.

    So far: `commits` of `busy` seconds together, and `transactions` that waited `waited` seconds.
    """

    __slots__ = ("_ends", "_next_ends", "busy", "commits", "transactions", "waited")

    def __init__(self) -> None:
        self.busy = 0.0
        self.commits = 0
        self.transactions = 0
        self.waited = 0.0
        self._ends = 0.0
        self._next_ends = 0.0

    def delay(self, now: float, commit: float) -> float:
        """Seconds until a transaction that arrives at `now` is durable; `commit` is how long the
        commit that it would start takes."""
        before = self._next_ends
        if now >= self._next_ends:
            self._ends = self._next_ends = now + commit
        elif now >= self._ends:
            # The commit that was next is running: this transaction starts another queue behind it.
            self._ends = self._next_ends
            self._next_ends = self._ends + commit
        elif self._next_ends == self._ends:
            self._next_ends = self._ends + commit
        if self._next_ends != before:
            self.commits += 1
            self.busy += commit
        wait = self._next_ends - now
        self.transactions += 1
        self.waited += wait
        return wait
