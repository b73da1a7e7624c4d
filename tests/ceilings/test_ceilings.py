"""Which readings show that the testbed was the limit, and which do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from looks import ORIGIN, looks, reading, write

from scenarios.ceilings.judge import ceilings_met, met_in
from scenarios.ceilings.readings import Reading, read_readings, readings_path


def names(readings: list[Reading]) -> list[str]:
    return [met.ceiling for met in met_in(readings)]


def test_a_calm_run_met_nothing() -> None:
    gateways = looks(60, process="gateways", role="gateways", lateness=None)
    assert met_in(looks(60) + gateways) == ()
    assert met_in([]) == ()


@pytest.mark.parametrize(
    ("ceiling", "changes", "enough"),
    [
        ("open files", {"open_files": 1014}, 1),
        ("open files", {"errors": {"EMFILE": 3}}, 1),
        ("open files", {"errors": {"ENFILE": 1}}, 1),
        ("ports to one address", {"ports": 27000}, 1),
        ("ports to one address", {"errors": {"EADDRNOTAVAIL": 1}}, 1),
        ("memory", {"errors": {"ENOMEM": 1}}, 1),
        ("memory", {"memory_left": 0.015}, 10),
        ("arrivals", {"lateness": 1.2}, 3),
        ("processor", {"loop": 0.97}, 10),
        ("event loop", {"lag": 0.3}, 10),
    ],
)
def test_a_ceiling_is_met_after_so_many_looks_and_not_before(
    ceiling: str, changes: dict[str, Any], enough: int
) -> None:
    calm = looks(5, start=enough)
    assert names(looks(enough, **changes) + calm) == [ceiling]
    assert names(looks(enough - 1, **changes) + calm) == []


@pytest.mark.parametrize(
    "changes",
    [{"memory_left": 0.015}, {"lateness": 1.2}, {"loop": 0.97}, {"lag": 0.3}],
)
def test_what_comes_and_goes_is_no_ceiling(changes: dict[str, Any]) -> None:
    on_and_off = [reading(n, **(changes if n % 3 else {})) for n in range(60)]
    assert names(on_and_off) == []


def test_the_lender_may_fill_its_processor_and_be_late() -> None:
    # That is the limit which a capacity search looks for.
    full = {"loop": 1.0, "processor": 1.0, "lag": 0.9, "lateness": None}
    assert names(looks(60, process="lender", role="lender", **full)) == []
    assert names(looks(60, process="gateways", role="gateways", **full)) == [
        "processor",
        "event loop",
    ]


def test_the_lender_may_not_run_out_of_files() -> None:
    met = met_in(looks(3, process="lender", role="lender", open_files=1024))
    assert [each.process for each in met] == ["the lender"]


def test_a_gateway_that_a_fault_lets_stand_still_is_late_once() -> None:
    one = reading(30, seconds=30.0, lag=29.0, process="gateways", role="gateways", lateness=None)
    calm = looks(20, process="gateways", role="gateways", lateness=None)
    assert names([*calm, one]) == []


def test_seconds_without_arrivals_neither_count_nor_break_a_row() -> None:
    sparse = [reading(n, lateness=None if n % 4 else 2.0) for n in range(12)]
    assert names(sparse) == ["arrivals"]


def together(lender: float, others: float, cores: float) -> list[Reading]:
    """Twelve seconds of three processes that do not look at the same moments."""
    shares = {"lender": lender, "gateways": others / 2, "load generator": others / 2}
    found = []
    for nth, (name, used) in enumerate(shares.items()):
        own = {"process": name, "role": name, "processor": used, "loop": min(0.9, used)}
        found += [
            reading(second * 1.04 + 0.3 * nth, seconds=1.04, cores=cores, **own)
            for second in range(14)
        ]
    return found


def test_one_core_that_all_share_is_the_testbeds_limit() -> None:
    (met,) = met_in(together(0.5, 0.48, cores=1))
    assert met.ceiling == "cores"
    assert "0.98 of 1 were used" in met.detail
    assert "lender 0.50" in met.detail


def test_cores_with_room_or_a_lender_that_fills_its_own_are_not() -> None:
    assert names(together(0.4, 0.4, cores=1)) == []
    assert names(together(0.97, 0.97, cores=2)) == []  # the lender can use one, and does
    assert names(together(0.8, 1.12, cores=2)) == ["cores"]


def test_without_a_lender_of_ours_full_cores_keep_nobody_back() -> None:
    without = [each for each in together(0.0, 2.0, cores=2) if each.role != "lender"]
    assert names(without) == []


def test_cores_are_counted_machine_by_machine() -> None:
    here = together(0.5, 0.0, cores=1)
    there = [reading(n, process="load generator 1", host="there", cores=1.0, processor=0.9)
             for n in range(14)]  # fmt: skip
    assert names(here + there) == []


def test_processes_of_one_name_on_two_machines_are_two() -> None:
    late = [reading(n, host=host, lateness=2.0 if host == "there" else 0.0)
            for n in range(4) for host in ("here", "there")]  # fmt: skip
    assert names(late) == ["arrivals"]


def test_the_line_says_what_whose_how_far_and_when() -> None:
    full = looks(6, start=12, open_files=1020, errors={"EMFILE": 200})
    (met,) = met_in(looks(12) + full)
    assert (met.at, met.until) == (12.0, 18.0)
    assert met.text == (
        "open files of the load generator: 1,020 of 1,024 were open, 1,200 times EMFILE,"
        " from 12s to 18s"
    )


def test_times_count_from_the_first_look_where_nobody_knew_the_origin() -> None:
    (met,) = met_in([reading(5, origin=None), reading(6, origin=None, open_files=1024)])
    assert met.at == 0.0


def test_readings_outlive_a_kill_in_the_middle_of_a_line(tmp_path: Path) -> None:
    write(tmp_path, looks(3, open_files=1023))
    with readings_path(tmp_path, "load generator").open("ab") as file:
        file.write(b'{"process":"load gen')
    assert len(read_readings(tmp_path)) == 3
    assert read_readings(tmp_path)[0].at == ORIGIN + 1.0
    assert [met.ceiling for met in ceilings_met(tmp_path)] == ["open files"]
    assert ceilings_met(tmp_path / "sim") == ()
