"""The timeline of a drill, on disk after every step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from loadtests.drill.clock import utc
from loadtests.drill.done import Done
from reports.drills.result import DrillResult, TimelineEntry
from scenarios.drill_steps import DrillStep


class DrillLog:
    """Keeps `result` in `folder/drill.json` up to date; `tell` gets each entry when it begins and
    when it ends."""

    def __init__(
        self, folder: Path, result: DrillResult, tell: Callable[[TimelineEntry], None]
    ) -> None:
        self.result = result
        self._folder = folder
        self._tell = tell
        self.change()

    def change(self, **fields: object) -> None:
        """Replace fields of the result, and write it."""
        self.result = msgspec.structs.replace(self.result, **fields)
        self.result.save(self._folder)

    def begin(self, step: DrillStep, now: float, origin: float) -> None:
        """A step begins, `now` seconds since `origin` (seconds since the epoch)."""
        self._add(
            TimelineEntry(
                do=step.do,
                target=step.subject,
                role=step.role,
                phase=step.phase,
                began=round(now, 3),
                ended=None,
                utc=utc(origin + now),
            )
        )

    def end(self, now: float, done: Done) -> None:
        """The step that began last has ended."""
        self._replace(ended=round(now, 3), detail=done.detail, commands=done.commands)

    def broken(self, why: str) -> None:
        """The step that began last did not end."""
        self._replace(detail=why)

    def _add(self, entry: TimelineEntry) -> None:
        self.change(timeline=(*self.result.timeline, entry))
        self._tell(entry)

    def _replace(self, **fields: object) -> None:
        entry = msgspec.structs.replace(self.result.timeline[-1], **fields)
        self.change(timeline=(*self.result.timeline[:-1], entry))
        self._tell(entry)
