from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from reports import events
from reports.recorder import Recorder, UnreadablePart, scan_events


def _request(n: int) -> events.Row:
    return events.request(n, "confirm", 1, n * 1.0, n * 1.0, n + 0.5, 200, "OK")


def test_rows_come_back_as_they_were_added(tmp_path: Path) -> None:
    rows = [
        events.arrival(0, 0, 0.5),
        events.request(0, "submit", 2, 1, 1.25, 2.5, 0, "TIMEOUT"),
        events.otp(0, 1, 2.5, 3.5, "READ"),
        events.call("bank", "open", "icbc", 4.0, float("inf"), 0, "HANG"),
        events.end(0, 0.0, 9.0, "ACTIVE", "bound"),
    ]
    with Recorder(tmp_path) as recorder:
        for row in rows:
            recorder.add(row)
    assert scan_events(tmp_path).collect().rows() == rows
    assert scan_events(tmp_path).collect_schema() == events.SCHEMA


def test_parts_are_written_as_rows_gather(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, part_rows=10)
    for n in range(25):
        recorder.add(_request(n))
    # A kill here loses the five rows since the last part, and nothing else.
    assert scan_events(tmp_path).collect().height == 20
    recorder.flush()
    assert scan_events(tmp_path).collect()["customer"].sort().to_list() == list(range(25))


def test_two_workers_and_a_restarted_one_share_a_folder(tmp_path: Path) -> None:
    for worker, first in (("a", 0), ("b", 5), ("a", 10)):
        with Recorder(tmp_path, worker=worker) as recorder:
            for n in range(first, first + 5):
                recorder.add(_request(n))
    assert scan_events(tmp_path).collect()["customer"].sort().to_list() == list(range(15))


def test_a_broken_part_is_left_out_with_a_note(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        recorder.add(_request(1))
    (tmp_path / "events" / "part-9-000000.parquet").write_bytes(b"PAR1 cut short")
    pl.DataFrame({"other": [1]}).write_parquet(tmp_path / "events" / "part-8-000000.parquet")
    with pytest.warns(UnreadablePart) as notes:
        frame = scan_events(tmp_path)
    assert frame.collect()["customer"].to_list() == [1]
    assert {str(note.message).split()[0] for note in notes} == {
        "part-8-000000.parquet",
        "part-9-000000.parquet",
    }


def test_an_unfinished_part_is_not_read(tmp_path: Path) -> None:
    Recorder(tmp_path)
    (tmp_path / "events" / ".part-0-000000.parquet.writing").write_bytes(b"half")
    assert scan_events(tmp_path).collect().is_empty()


def test_no_events_give_an_empty_frame_with_columns(tmp_path: Path) -> None:
    assert scan_events(tmp_path).collect().schema == pl.Schema(events.SCHEMA)
