"""What is wrong with a scenario, for the person who wrote it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One mistake: `str()` is one line, `file.yaml:12: arrivals.rate: what is wrong; the mend`.

    `line` counts from 1, 0 where there is none; `file` and `field` may be empty.
    """

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.field, self.message) if part)


class ScenarioProblems(Exception):
    """A scenario cannot be used: every problem found, in the order of their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        super().__init__("\n".join(map(str, self.problems)))
