from __future__ import annotations

import json
import os
import signal
from concurrent.futures import Executor, Future
from pathlib import Path

import pytest
from tiny_scenarios import TINY, VARIANTS

from reports.replications import write_replications
from scenarios.loader import load_scenario
from sim import replications
from sim.executor import InTurn, in_order, local_executor
from sim.replications import FEWEST, Part, replicate, replication_seed


def one_folder(base: Path) -> Path:
    (run,) = [path for path in base.iterdir() if path.is_dir()]
    return run


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.json"))
        if path.name in ("replications.json", "summary.json")
    }


def test_seeds_start_with_the_scenarios_own_and_differ():
    seeds = [replication_seed(7, number) for number in range(200)]
    assert seeds[0] == 7
    assert len(set(seeds)) == 200
    assert seeds != [replication_seed(8, number) for number in range(200)]


def test_same_bytes_whatever_the_number_of_jobs(bindrill, written, tmp_path):
    file = written(TINY)
    found = []
    for jobs in (1, 2):
        base = tmp_path / str(jobs)
        outcome = bindrill(
            "run", file, "--sim", "--replications", 3, "--jobs", jobs, "--no-twin", "--out", base
        )
        assert outcome.code == 0, outcome.err
        found.append(bytes_below(one_folder(base)))
    assert found[0] == found[1]
    assert len([name for name in found[0] if "replications/" in name]) == 3


def test_replication_0_is_the_run_itself_and_keeps_its_events(bindrill, written, tmp_path):
    file = written(TINY)
    bindrill("run", file, "--sim", "--out", tmp_path / "once")
    bindrill("run", file, "--sim", "--replications", 2, "--jobs", 1, "--out", tmp_path / "twice")
    once, twice = one_folder(tmp_path / "once"), one_folder(tmp_path / "twice")
    summary = (once / "sim" / "summary.json").read_bytes()
    assert (twice / "sim" / "summary.json").read_bytes() == summary
    assert (twice / "sim/replications/0000/summary.json").read_bytes() == summary
    assert list((twice / "sim" / "events").glob("*.parquet"))
    merged = json.loads((twice / "sim" / "replications.json").read_text())
    values = [each["figures"]["throughput"] for each in merged["replications"]]
    assert values[0] == json.loads(summary)["throughput"]
    assert merged["merged"]["throughput"]["mean"] == pytest.approx(sum(values) / 2, rel=1e-4)


def test_variants_meet_the_same_customers(bindrill, written, tmp_path):
    import polars as pl

    file = written(TINY + VARIANTS)
    outcome = bindrill("run", file, "--sim", "--out", tmp_path / "runs", "--json")
    told = json.loads(outcome.out)
    assert outcome.code == 0
    assert told["verdict"] == "as expected"
    assert told["variants"]["strict"]["verdict"] == "missed"
    run = one_folder(tmp_path / "runs")
    arrivals = [
        pl.scan_parquet(run / "variants" / name / "sim" / "events" / "*.parquet")
        .filter(pl.col("kind") == "arrival")
        .select("customer", "intended")
        .sort("customer")
        .collect()
        for name in ("plain", "strict")
    ]
    assert len(arrivals[0]) > 20
    assert arrivals[0].equals(arrivals[1])
    first = [told["variants"][name]["clocks"]["sim"]["faults"][0] for name in ("plain", "strict")]
    assert first[0]["before"] == first[1]["before"]
    assert first[0]["end"] < first[1]["end"]
    page = (run / "report.html").read_text()
    assert "variants/strict/report.html" in page
    again = bindrill("report", run)
    assert again.code == 0
    assert "Difference to plain" in again.out


def test_one_variant_alone_and_an_unexpected_one(bindrill, written, tmp_path):
    file = written(TINY + VARIANTS.replace("expect: missed", "expect: met"))
    outcome = bindrill(
        "run", file, "--sim", "--variant", "strict", "--no-twin", "--out", tmp_path / "runs"
    )
    assert outcome.code == 99
    assert "not as expected" in outcome.out
    assert [p.name for p in (one_folder(tmp_path / "runs") / "variants").iterdir()] == ["strict"]


def test_replicated_variants_are_compared_in_pairs(bindrill, written, tmp_path):
    file = written(TINY + VARIANTS)
    outcome = bindrill(
        "run", file, "--sim", "--replications", 3, "--jobs", 1, "--no-twin",
        "--out", tmp_path / "runs",
    )  # fmt: skip
    assert outcome.code == 0
    assert "simulations: 6 of 6" in outcome.out
    assert "3 replications" in outcome.out
    _, _, differences = outcome.out.partition("Difference to plain, paired")
    (line,) = [line for line in differences.splitlines() if line.startswith("Success rate")]
    assert "−" in line
    assert "pp ±" in line
    assert (
        "± half of its 95 % interval" in (one_folder(tmp_path / "runs") / "report.html").read_text()
    )


@pytest.fixture
def tiny(written):
    return load_scenario(written(TINY))


def test_precision_stops_early_whatever_is_given_out_ahead(tiny, tmp_path):
    counts = []
    for ahead in (1, 4):
        (found,) = replicate(
            [Part(tiny, tmp_path / f"{ahead}" / "sim")],
            40,
            InTurn(),
            scratch=tmp_path / "scratch",
            ahead=ahead,
            precision=0.5,
        )
        assert found.result.stopped == "precise"
        counts.append(len(found.summaries))
        for figure in ("throughput", "success_rate"):
            assert found.result.merged[figure].within(0.5)
    assert counts[0] == counts[1]
    assert FEWEST <= counts[0] < 40


class Interrupted(Executor):
    """Ctrl-C comes while the third piece of work is under way; the fourth is done by then."""

    def __init__(self) -> None:
        self.given = 0

    def submit(self, fn, /, *args, **kwargs):
        self.given += 1
        if self.given != 3:
            return InTurn().submit(fn, *args, **kwargs)
        future: Future[object] = Future()
        future.set_running_or_notify_cancel()
        future.result = _interrupt
        return future


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_interrupted_replications_keep_what_is_finished(tiny, tmp_path):
    (found,) = replicate(
        [Part(tiny, tmp_path / "sim")], 9, Interrupted(), scratch=tmp_path / "scratch", ahead=4
    )
    assert found.result.stopped == "interrupted"
    assert [each.number for each in found.result.replications] == [0, 1, 3, 4, 5]
    write_replications(found.result, found.summaries, tmp_path / "sim")
    assert (tmp_path / "sim/replications/0005/summary.json").is_file()


def test_ctrl_c_ends_a_run_with_its_report(bindrill, written, tmp_path, monkeypatch):
    simulate = replications.simulate

    def once_then_interrupt(task):
        if task.number == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return simulate(task)

    monkeypatch.setattr(replications, "simulate", once_then_interrupt)
    outcome = bindrill(
        "run", written(TINY), "--sim", "--replications", 50, "--jobs", 1, "--no-twin",
        "--out", tmp_path / "runs",
    )  # fmt: skip
    assert outcome.code == 130
    run = one_folder(tmp_path / "runs")
    merged = json.loads((run / "sim" / "replications.json").read_text())
    assert merged["stopped"] == "interrupted"
    assert len(merged["replications"]) == 2
    assert "Interrupted" in (run / "report.html").read_text()


def _fails(number: int) -> int:
    if number == 2:
        raise OSError("disk full")
    return number


def test_results_come_in_the_order_of_tasks_and_errors_come_out():
    with local_executor(2) as executor:
        found = in_order(executor, abs, range(-9, 0), 4)
        assert list(found) == [(n, -n) for n in range(-9, 0)]
        with pytest.raises(OSError, match="disk full"):
            list(in_order(executor, _fails, range(5), 2))


def test_no_worker_is_left_behind():
    import psutil

    me = psutil.Process()
    before = {child.pid for child in me.children(recursive=True)}
    with local_executor(2) as executor:
        assert executor.submit(abs, -3).result() == 3
        assert executor._processes
        workers = set(executor._processes)
    assert not workers & {child.pid for child in me.children(recursive=True)} - before
