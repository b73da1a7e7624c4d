"""Amounts of data, and the file of measured times."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scenarios.data_size import format_size, parse_size
from scenarios.drill_calibration import ACTIONS, DESTROYING, SHIPPED, load_drill_calibration
from scenarios.problems import ScenarioProblems


@pytest.mark.parametrize(
    ("text", "size"),
    [("0B", 0), ("20MB", 20_000_000), ("500GB", 500e9), ("1.5 TB", 1.5e12), ("64MiB", 64 * 2**20)],
)
def test_sizes_are_read(text: str, size: float) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "500", "500 gigabytes", "-1GB", "5G", "GB"])
def test_what_is_no_size_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"write 20MB, 500GB, 2TB or 64MiB"):
        parse_size(text)


def test_sizes_are_shown_shortly() -> None:
    assert [format_size(size) for size in (12, 48e6, 500e9, 2.5e15)] == [
        "12 B",
        "48 MB",
        "500 GB",
        "2,500 TB",
    ]


def test_the_shipped_figures_have_every_action_that_heals() -> None:
    shipped = load_drill_calibration()
    assert set(ACTIONS) - DESTROYING <= shipped.actions.keys()
    # Every figure that somebody else measured names its source beside it.
    for source in ("gp3", "pgsql-general", "wal_writer_delay"):
        assert source in SHIPPED.read_text()


def test_a_saved_file_loads_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "drill-calibration.yaml"
    shipped = load_drill_calibration()
    shipped.save(file)
    assert load_drill_calibration(file) == shipped


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"actions": {"pomote": "1s"}}, "'pomote' is not known here"),
        ({"copy_rate": "fast"}, "copy_rate: 'fast' is not an amount of data"),
        ({"copy_rate": "0B"}, "copy_rate: '0B' is not above 0; write more than 0"),
        ({"warm_up": 3}, "warm_up: 3 has no unit; write 3s"),
        ({"speed": "1s"}, "speed: there is no such field; write one of measured"),
    ],
)
def test_mistakes_in_it_are_one_line_with_field_and_mend(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    file = tmp_path / "drill-calibration.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(SHIPPED.read_text()) | change))
    with pytest.raises(ScenarioProblems) as refused:
        load_drill_calibration(file)
    assert says in str(refused.value)
    assert "; write " in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ScenarioProblems, match=r"no such file; write one with `bindrill drill"):
        load_drill_calibration(tmp_path / "none.yaml")


def test_an_action_without_a_time_is_named() -> None:
    shipped = load_drill_calibration()
    bare = shipped.model_copy(update={"actions": {}})
    with pytest.raises(ScenarioProblems, match="actions: no time for 'promote'"):
        bare.action("promote")
    assert bare.action("kill").p50 == 0
