"""`bindrill capacity`: its folder, page and table, and what it says of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from capacity_worlds import narrow

from reports.capacity import words
from reports.capacity.page import write_page
from reports.capacity.result import Capacity, Measured, read_capacity
from reports.run_folder import RunProblem
from scenarios.loader import dump


@pytest.fixture(scope="module")
def scenario_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("capacity") / "narrow.yaml"
    file.write_text(dump(narrow(duration=4.0, world__lender__workers=1)))
    return file


@pytest.fixture
def searched(bindrill, scenario_file, tmp_path):
    """The folder and the output of a search in virtual time."""
    options = ("--sim", "--jobs", "1", "--replications", "1", "--precision", "60%")
    bounds = ("--from", "4/s", "--to", "40/s")
    done = bindrill("capacity", scenario_file, *options, *bounds, "--out", tmp_path)
    assert done.code == 0, done.err
    (folder,) = tmp_path.glob("narrow-capacity-*")
    return folder, done.out


def test_the_answer_is_printed_and_kept(searched):
    folder, printed = searched
    capacity = read_capacity(folder)
    limit = capacity.limit("sim")
    assert limit.state == "found"
    assert "saturates first: lender workers" in printed
    assert str(folder / "capacity.html") in printed
    kept = [
        msgspec.json.decode(line, type=Measured)
        for line in (folder / "measures.jsonl").read_bytes().splitlines()
    ]
    assert sorted(each.rate for each in kept) == sorted(each.rate for each in limit.measures)
    assert capacity.bounds
    page = (folder / "capacity.html").read_text()
    for text in ("What gives way", "lender workers", "What the models say", "How to reproduce"):
        assert text in page
    assert page.count("<svg") == 4
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_two_clocks_stand_side_by_side_with_their_ratio(searched, tmp_path):
    folder, _ = searched
    found = read_capacity(folder)
    sim = found.limits[0]
    live = msgspec.structs.replace(
        sim,
        clock="live",
        low=sim.low / 1.1,
        high=sim.high / 1.1,
        measures=tuple(msgspec.structs.replace(m, clock="live") for m in sim.measures),
    )
    both = msgspec.structs.replace(found, limits=(sim, live))
    assert both.ratio == pytest.approx(1.1)
    page = write_page(both, narrow(), tmp_path).read_text()
    assert "1.100 of the measurement" in page
    assert "Live run" in page
    assert read_capacity(tmp_path) == both
    assert any("within 15 %" in line for line in words.lines(both))
    beyond = msgspec.structs.replace(
        both, limits=(sim, msgspec.structs.replace(live, low=sim.low / 2, high=sim.high / 2))
    )
    assert any("beyond 15 %" in line for line in words.lines(beyond))
    assert words.model_rows(both)[1][0] == "measured"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--from", "5"), "--from: '5' is not a rate; write 50/s"),
        (("--to", "0/s"), "--to: 0/s is not above 0"),
        (("--from", "9/s", "--to", "3/s"), "--from 9/s is above --to 3/s"),
        (("--precision", "0%"), "--precision: 0% is not between"),
        (("--within", "soon"), "--within: 'soon' is not a duration"),
        (("--sim", "--live"), "--sim and --live exclude each other"),
        (("--sim", "--target", "http://127.0.0.1:9"), "leave out --sim"),
    ],
)
def test_bad_options_are_one_line_and_leave_nothing(
    bindrill, scenario_file, tmp_path, options, message
):
    done = bindrill("capacity", scenario_file, *options, "--out", tmp_path)
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_scenario_without_objectives_has_no_limit(bindrill, tmp_path):
    file = tmp_path / "free.yaml"
    file.write_text(dump(narrow(objectives=[])))
    done = bindrill("capacity", file, "--sim", "--out", tmp_path)
    assert done.code == 2
    assert "has no objectives to hold" in done.err


def test_never_is_an_exit_code_and_json_goes_to_standard_output(bindrill, tmp_path):
    file = tmp_path / "strict.yaml"
    file.write_text(dump(narrow(duration=2.0, objectives=["p95(confirm) < 1ms"])))
    options = ("--sim", "--jobs", "1", "--replications", "1", "--from", "8/s", "--to", "10/s")
    done = bindrill("capacity", file, *options, "--out", tmp_path, "--json")
    assert done.code == 99
    told = json.loads(done.out)
    assert told["capacity"]["limits"][0]["state"] == "never"
    assert msgspec.convert(told["capacity"], Capacity).limits[0].high == 8.0
    assert "fail at every rate down to 8/s" in done.err


def test_a_folder_without_a_search_is_refused(tmp_path):
    with pytest.raises(RunProblem, match=r"holds no capacity\.json"):
        read_capacity(tmp_path)
