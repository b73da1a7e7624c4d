from __future__ import annotations

import polars as pl
import pytest
from tiny_scenarios import TINY, VARIANTS

from reports.stability import recovers
from reports.summary_schema import Summary
from reports.swept import measure_named
from scenarios.loader import load_scenario
from scenarios.problems import ScenarioProblems
from scenarios.varied import parse_dimension
from sim.executor import InTurn
from sim.sweep import grid, sweep


@pytest.mark.parametrize(
    ("text", "values", "numbers", "kind"),
    [
        ("a=5s..120s:2", ("5s", "120s"), (5, 120), "s"),
        ("a=500ms..2s:4", ("0.5s", "1s", "1.5s", "2s"), (0.5, 1, 1.5, 2), "s"),
        ("a=2/s..12/s", ("2/s", "7/s", "12/s"), (2, 7, 12), "/s"),
        ("a=1/s..100/s:geometric", ("1/s", "10/s", "100/s"), (1, 10, 100), "/s"),
        ("a=1s..16s:geometric:5", ("1s", "2s", "4s", "8s", "16s"), (1, 2, 4, 8, 16), "s"),
        ("a=0%..50%", ("0%", "25%", "50%"), (0, 0.25, 0.5), "share"),
        ("a=1..4:8", (1, 2, 3, 4), (1, 2, 3, 4), "number"),
        ("a=0.5..1.5", (0.5, 1.0, 1.5), (0.5, 1.0, 1.5), "number"),
        ("a=5s,1m", ("5s", "1m"), (5, 60), "s"),
        ("a=hang, reset", ("hang", "reset"), None, ""),
        ("a='503',hang", ("503", "hang"), None, ""),
        ("a=true,false", (True, False), None, ""),
        ("a=120s..5s:2", ("120s", "5s"), (120, 5), "s"),
    ],
)
def test_values_are_read_as_written(text, values, numbers, kind):
    found = parse_dimension(text, 3)
    assert found.path == "a"
    assert found.values == values
    assert found.kind == kind
    assert found.numbers == (None if numbers is None else pytest.approx(numbers))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fault.bank.duration", "does not say what to vary"),
        ("a=", "does not say what to vary"),
        ("a=5s..2/s", "not two of one kind"),
        ("a=x..y", "not two of one kind"),
        ("a=0s..5s:geometric", "cannot be geometric"),
        ("a=1s..5s:1", "1 points are not a range"),
        ("a=1s..5s:logarithmic", "'logarithmic' is not a number of points"),
        ("a=1,1", "repeated"),
        ("a=1,,2", "empty"),
    ],
)
def test_bad_values_are_one_clear_line(text, words):
    with pytest.raises(ValueError, match=words):
        parse_dimension(text, 3)


def test_the_grid_changes_its_last_dimension_fastest(written):
    scenario = load_scenario(written(TINY))
    dimensions = [
        parse_dimension("fault.bank.duration=1s,2s", 2),
        parse_dimension("arrivals.rate=2/s,3/s,4/s", 2),
    ]
    cells = grid(scenario, dimensions)
    assert [cell.at for cell in cells] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert [(c.scenario.faults[0].duration, c.scenario.arrivals.rate) for c in cells] == [
        (1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4),
    ]  # fmt: skip
    assert {cell.scenario.seed for cell in cells} == {scenario.seed}
    with pytest.raises(ScenarioProblems, match=r"--vary arrivals\.rat: .*did you mean rate"):
        grid(scenario, [parse_dimension("arrivals.rat=2/s,3/s", 2)])


def test_a_sweep_leaves_map_page_and_table(bindrill, written, tmp_path):
    outcome = bindrill(
        "sweep", written(TINY + VARIANTS), "--vary", "fault.bank.duration=1s,6s",
        "--vary", "arrivals.rate=3/s..5/s:2", "--measure", "success_rate", "--jobs", 1,
        "--variant", "plain", "--out", tmp_path / "runs",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    (folder,) = (tmp_path / "runs").iterdir()
    table = pl.read_csv(folder / "sweep.csv")
    assert table.equals(pl.read_parquet(folder / "sweep.parquet").cast(table.schema))
    assert table.select("fault.bank.duration", "arrivals.rate").rows() == [
        (1, 3), (1, 5), (6, 3), (6, 5),
    ]  # fmt: skip
    rates = table["success_rate"].to_list()
    assert rates[0] > rates[2]
    assert rates[1] > rates[3]
    assert (folder / "sweep.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "sweep.html").read_text()
    assert "<svg" in page
    assert "fault.bank.duration (seconds)" in page
    assert "arrivals.rate (per second)" in page
    header, high, low = outcome.out.split("success_rate\n")[1].splitlines()[:3]
    assert header.split()[-2:] == ["1s", "6s"]
    assert (high.split()[0], low.split()[0]) == ("5/s", "3/s")


@pytest.mark.parametrize("measure", ["recovers", "time_to_recover", "p95(confirm)"])
def test_one_dimension_with_each_kind_of_measure(bindrill, written, tmp_path, measure):
    outcome = bindrill(
        "sweep", written(TINY), "--vary", "fault.bank.mode='503',reset", "--measure", measure,
        "--jobs", 1, "--out", tmp_path / "runs",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    (folder,) = (tmp_path / "runs").iterdir()
    assert pl.read_csv(folder / "sweep.csv")["fault.bank.mode"].cast(pl.String).to_list() == [
        "503",
        "reset",
    ]
    assert (folder / "sweep.png").stat().st_size > 5000


def test_an_interrupted_sweep_keeps_what_is_finished(written, tmp_path, monkeypatch):
    scenario = load_scenario(written(TINY))
    cells = grid(scenario, [parse_dimension("arrivals.rate=1/s,2/s,3/s", 2)])
    shown: list[int] = []

    class Stops(InTurn):
        def submit(self, fn, /, *args, **kwargs):
            if len(shown) == 2:
                raise KeyboardInterrupt
            return super().submit(fn, *args, **kwargs)

    points, whole = sweep(cells, Stops(), scratch=tmp_path, ahead=1, on_done=shown.append)
    assert not whole
    assert [point.at for point in points] == [(0,), (1,)]
    assert not list(tmp_path.glob("*/sim"))


def test_bad_input_is_one_line(bindrill, written, tmp_path):
    file, calm = written(TINY), tmp_path / "calm.yaml"
    calm.write_text("name: calm\nduration: 5s\narrivals: {kind: constant, rate: 1/s}\n")
    vary = ("--vary", "arrivals.rate=1/s,2/s")
    for arguments, says in (
        (("sweep", file), "--vary"),
        (("sweep", file, "--vary", "arrivals.rate"), "does not say what to vary"),
        (("sweep", file, "--vary", "arrivals.rtae=1/s..2/s"), "did you mean rate?"),
        (("sweep", file, "--vary", "fault.bnk.start=1s..2s"), "write one of outage-bank, bank"),
        (("sweep", file, *vary, *vary), "varied twice"),
        (("sweep", file, *vary, *vary, *vary), "one or two"),
        (("sweep", file, *vary, "--measure", "speed"), "--measure: there is no measure 'speed'"),
        (("sweep", file, *vary, "--measure", "p95(cnfirm)"), "did you mean confirm?"),
        (("sweep", file, *vary, "--variant", "x"), "--variant: tiny has no variants"),
        (("sweep", calm, *vary), "no fault to recover from"),
        (("sweep", "retri-storm", *vary), "retri-storm"),
        (("run", file, "--sim", "--variant", "x"), "--variant"),
        (("run", file, "--live", "--replications", 3), "--live"),
        (("run", file, "--sim", "--precision", "5%"), "--replications"),
        (("run", file, "--sim", "--replications", 3, "--precision", "much"), "--precision"),
        (("run", file, "--sim", "--replications", 3, "--precision", "200%"), "--precision"),
        (("run", file, "--sim", "--replications", 0), "--replications"),
        (("run", file, "--sim", "--replications", 2, "--jobs", 0), "--jobs"),
    ):
        outcome = bindrill(*arguments, "--out", tmp_path / "runs")
        assert outcome.code == 2, arguments
        assert says in outcome.err, (arguments, outcome.err)
        assert len(outcome.err.strip().splitlines()) == 1, outcome.err
    assert not (tmp_path / "runs").exists()


def summary_with(active: list[int], time_to_recover: float | None, end: float = 20.0) -> Summary:
    """60 s in windows of 1 s with 20 arrivals each and a fault from 15 s to `end`."""
    import msgspec

    fault = {
        "label": "x", "kind": "outage", "target": "bank", "start": 15.0, "end": end,
        "steps": [], "before": 1.0, "during": 0.0, "resolution": 1.0,
        "time_to_recover": time_to_recover,
    }  # fmt: skip
    flat = [20] * 60
    return msgspec.convert(
        {
            "duration": 60.0,
            "customers": {"planned": 1200, "issued": 1200, "ended": 1200, "under_way": 0},
            "states": {}, "causes": [], "throughput": 1.0, "success_rate": 1.0, "binding": None,
            "steps": {}, "funnel": [], "gateways": [], "lateness": None, "faults": [fault],
            "in_system": None,
            "series": {"width": 1.0, "offered": flat, "issued": flat, "active": active,
                       "ended": flat, "steps": {}},
        },
        Summary,
    )  # fmt: skip


def test_recovery_needs_answers_and_bindings():
    good, collapsed = [19] * 60, [19] * 15 + [2] * 45
    slightly = [19] * 15 + [2] * 15 + [18] * 30
    assert recovers(summary_with(good, 1.0)) is True
    assert recovers(summary_with(slightly, 1.0)) is True
    assert recovers(summary_with(good, None)) is False
    assert recovers(summary_with(collapsed, 1.0)) is False
    assert recovers(summary_with(good, None, end=59.0)) is None
    assert recovers(summary_with(good, None, end=70.0)) is None
    assert recovers(summary_with([0] * 60, 1.0)) is None


def test_measures_have_units():
    assert measure_named("p95(confirm)").unit == "s"
    assert measure_named(" success_rate ").unit == "share"
    assert measure_named("recovers").shown(False) == "does not"
