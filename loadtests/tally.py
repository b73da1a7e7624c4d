"""Running counts of one load-generator process."""

from __future__ import annotations

import msgspec

from loadtests.one_step import Stuck


class Tally(msgspec.Struct):
    """Customers who arrived, whose journey ended, who got an ACTIVE binding, and whose journey
    broke off because it could not be played or written down, with the first `crash`; `all_issued`
    once the last has arrived. `stuck`: where all that ended failed, if it is one step; `passed`:
    the steps that somebody got beyond; `struck`: how often the faults on the customers' way have,
    by label."""

    arrivals: int = 0
    ended: int = 0
    active: int = 0
    crashed: int = 0
    crash: str = ""
    all_issued: bool = False
    stuck: Stuck | None = None
    passed: tuple[str, ...] = ()
    struck: dict[str, int] = {}

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.all_issued and self.ended + self.crashed >= self.arrivals
