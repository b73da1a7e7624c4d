"""Scenario files: the shipped ones, reading, writing, overriding, and the JSON Schema."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from scenarios.arrivals import arrival_times, expected_arrivals
from scenarios.library_index import LIBRARY, library, names
from scenarios.loader import dump, json_schema, load_scenario, override, resolve
from scenarios.schema import Scenario


def reloaded(scenario: Scenario, folder: Path) -> Scenario:
    file = folder / "again.yaml"
    file.write_text(dump(scenario), encoding="utf-8")
    return load_scenario(file)


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """A file that uses each way of writing a value."""
    (tmp_path / "trace.csv").write_text("customer,seconds\n1,0.5\n2,2\n3,2\n4,9.5\n")
    file = tmp_path / "rich.yaml"
    file.write_text(
        "name: rich\n"
        "title: 银行卡绑定\n"
        "duration: 1h30m\n"
        "arrivals: {kind: recorded, file: trace.csv}\n"
        "population: {provinces: {11: 3, 44: 1}}\n"
        "journey:\n"
        "  think: {register: 0.01ms, retry: 0, submit: {p50: 1m}}\n"
        "  come_back: 12.5%\n"
        "world:\n"
        "  bank: {rate_limit: 600/m, decline: {57: 1%, 05: 0.002}}\n"
        "faults:\n"
        "- {kind: error, target: bank, code: '03', share: 10%, first: 5}\n"
        "- {kind: carrier-delay, delay: {p50: 5s, p99: 30s}, duration: 10m}\n"
        "objectives: ['p95(binding) < 2m']\n",
        encoding="utf-8",
    )
    return file


def test_library_lists_the_shipped_scenarios() -> None:
    assert {"baseline", "bank-outage", "sms-delay", "flash-crowd"} <= set(names())
    for entry in library():
        scenario = load_scenario(entry.name)
        assert (entry.name, entry.title) == (scenario.name, scenario.title)
        assert entry.description
        assert "\n" not in entry.description
        assert resolve(entry.name) == entry.path


@pytest.mark.parametrize("name", names())
def test_shipped_scenario_survives_dump(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(name)
    assert scenario.objectives
    assert reloaded(scenario, tmp_path) == scenario


@pytest.mark.parametrize("name", names())
def test_shipped_scenario_fits_the_json_schema(name: str) -> None:
    validator = Draft202012Validator(json_schema())
    written = yaml.safe_load((LIBRARY / f"{name}.yaml").read_text(encoding="utf-8"))
    resolved = yaml.safe_load(dump(load_scenario(name)))
    assert not list(validator.iter_errors(written))
    assert not list(validator.iter_errors(resolved))


def test_every_way_of_writing_is_read_and_survives_dump(rich: Path, tmp_path: Path) -> None:
    scenario = load_scenario(rich)
    assert scenario.duration == 5400
    assert scenario.population.provinces == {"11": 3, "44": 1}
    assert scenario.journey.think.register_.at(0.5) == pytest.approx(1e-5)
    assert scenario.journey.think.retry.at(0.9) == 0
    assert scenario.journey.think.submit.at(0.9) == 60
    assert scenario.journey.come_back == 0.125
    assert scenario.world.bank.rate_limit == 10
    assert scenario.world.bank.decline == {"57": 0.01, "05": 0.002}
    assert scenario.fault_timeline[0].share == 0.1
    assert reloaded(scenario, tmp_path) == scenario


def test_a_recording_is_found_beside_its_scenario(rich: Path, monkeypatch) -> None:
    monkeypatch.chdir("/")
    scenario = load_scenario(rich)
    assert list(arrival_times(scenario.arrivals, 1, 5)) == [0.5, 2.0, 2.0]


def test_the_json_schema_is_one_and_refuses_what_the_loader_refuses() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    good = {"name": "a", "duration": "1m", "arrivals": {"kind": "poisson", "rate": "50/s"}}
    assert validator.is_valid(good)
    assert validator.is_valid({**good, "journey": {"patience": "2m"}})
    assert validator.is_valid({**good, "journey": {"patience": {"p50": "2m"}}})
    for bad in (
        {"duration": "soon"},
        {"arrivals": {"kind": "poisson", "rate": "-5/s"}},
        {"arrivals": {"kind": "poison", "rate": "5/s"}},
        {"sead": 1},
        {"journey": {"patience": {"p99": "2m"}}},
        {"journey": {"patience": "long"}},
        {"population": {"returning": 1.5}},
        {"faults": [{"kind": "outage", "target": "moon"}]},
    ):
        assert not validator.is_valid({**good, **bad}), bad


def test_merge_keys_and_aliases(tmp_path: Path) -> None:
    file = tmp_path / "merged.yaml"
    file.write_text(
        "name: merged\nduration: 1m\narrivals: {kind: poisson, rate: 5/s}\n"
        "lender:\n  bank: &call {timeout: 2s, attempts: 2}\n"
        "  sms: {<<: *call, attempts: 3}\n  payment: *call\n"
    )
    lender = load_scenario(file).lender
    assert (lender.sms.timeout, lender.sms.attempts) == (2.0, 3)
    assert lender.payment == lender.bank


def test_override_changes_what_it_names_alone() -> None:
    scenario = load_scenario("bank-outage")
    changed = override(scenario, seed=9, duration="45s", rate="120/m")
    assert (changed.seed, changed.duration, changed.arrivals.rate) == (9, 45.0, 2.0)
    assert changed.faults == scenario.faults
    assert override(scenario) == scenario


@pytest.mark.parametrize("name", names())
def test_twice_the_rate_is_twice_the_customers(name: str) -> None:
    scenario = load_scenario(name)
    rate = getattr(scenario.arrivals, "rate", None)
    assert rate, "shipped scenarios have a base rate"
    doubled = override(scenario, rate=f"{2 * rate}/s")
    once = expected_arrivals(scenario.arrivals, scenario.duration)
    assert expected_arrivals(doubled.arrivals, doubled.duration) == pytest.approx(2 * once)


def test_the_example_of_the_documentation_loads(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    file = tmp_path / "example.yaml"
    file.write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert load_scenario(file).name == "evening"
