"""Events to disk while a run goes on, in parts, so that a killed run stays readable."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Self

import polars as pl

from reports.events import SCHEMA, Row
from scenarios.whole_file import write_whole


class UnreadablePart(UserWarning):
    """A part file is broken or of another schema; the events in it are left out."""


class Recorder:
    """Writes events to `folder/events/part-<worker>-<n>.parquet`.

    `worker` tells processes apart that write to one folder. A part is written whenever `part_rows`
    events have gathered, and by `flush` and `close`; a process that runs for hours in wall time
    calls `flush` on a timer, so that a kill loses the events since then and no more. Parts appear
    complete or not at all (written aside, then renamed), and none is ever overwritten.

    Raises OSError when the disk refuses.
    """

    def __init__(self, folder: Path, *, worker: str = "0", part_rows: int = 50_000) -> None:
        self.folder = folder / "events"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.worker = worker
        rows: list[Row] = []
        append = rows.append
        flush = self.flush

        def add(row: Row) -> None:
            append(row)
            if len(rows) >= part_rows:
                flush()

        self._rows = rows
        self._part = len(list(self.folder.glob(f"part-{worker}-*.parquet")))
        # A closure, because this is called some 15 times for each simulated customer.
        self.add = add
        """Take one event."""

    def flush(self) -> Path | None:
        """Write what has gathered as a part; its path, or None when there was nothing."""
        rows = self._rows[:]
        if not rows:
            return None
        # Only what was copied: another thread may have added meanwhile.
        del self._rows[: len(rows)]
        path = self.folder / f"part-{self.worker}-{self._part:06d}.parquet"
        self._part += 1
        part = io.BytesIO()  # polars has words of its own for a full disk
        _frame(rows).write_parquet(part, compression="lz4")
        try:
            write_whole(path, part.getbuffer(), sync=False)
        except OSError:
            self._rows[:0] = rows  # not lost: the next flush may find room
            raise
        return path

    def close(self) -> None:
        """Write the last part."""
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _frame(rows: list[Row]) -> pl.DataFrame:
    # Column by column is six times as fast as row by row; only times may mix int and float.
    columns = zip(SCHEMA.items(), zip(*rows, strict=True), strict=True)
    return pl.DataFrame(
        [
            pl.Series(name, values, dtype=dtype, strict=dtype != pl.Float64())
            for (name, dtype), values in columns
        ]
    )


def twin_folder(clock_folder: Path) -> Path:
    """Where the no-fault twin of the clock in `clock_folder` is: beside it."""
    return clock_folder.parent / "twin"


def has_twin(clock_folder: Path) -> bool:
    """Whether the clock in `clock_folder` has a no-fault twin."""
    return (twin_folder(clock_folder) / "events").is_dir()


def scan_events(clock_folder: Path) -> pl.LazyFrame:
    """All events below `clock_folder/events`, in no particular order, with the columns of SCHEMA.

    A part that cannot be read is left out with an `UnreadablePart` warning. No parts: no rows.
    """
    parts = readable_parts(clock_folder)
    if not parts:
        return pl.LazyFrame(schema=SCHEMA)
    return pl.scan_parquet(parts, glob=False)


def readable_parts(clock_folder: Path) -> list[Path]:
    """The part files below `clock_folder/events` that hold events, as `scan_events` reads them."""
    return [part for part in sorted((clock_folder / "events").glob("part-*.parquet")) if _ok(part)]


def _ok(part: Path) -> bool:
    try:
        # Not as a pattern: a folder may be called run[1].
        found = dict(pl.scan_parquet(part, glob=False).collect_schema())
    except (OSError, pl.exceptions.PolarsError) as error:
        warnings.warn(f"{part.name} is left out: {error}", UnreadablePart, stacklevel=4)
        return False
    if found != SCHEMA:
        text = f"{part.name} is left out: its columns are not those of reports.events.SCHEMA"
        warnings.warn(text, UnreadablePart, stacklevel=3)
        return False
    return True
