"""Commands that are ended in the middle of their work: nothing is left after the next one."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
from child_scenarios import LONG

pytestmark = pytest.mark.live

SCRIPT = Path(__file__).parents[2] / "scripts" / "kill-any-moment"
_spec: Any = spec_from_loader("kills", SourceFileLoader("kills", str(SCRIPT)))
kills: Any = module_from_spec(_spec)
_spec.loader.exec_module(kills)
ENDINGS = (signal.SIGKILL, signal.SIGTERM)


@pytest.fixture
def place() -> Iterator[Any]:
    made = kills.Place()
    (made.folder / "long.yaml").write_text(LONG)
    yield made
    for process in made.processes():
        process.kill()
    made.remove()


def started(place: Any, arguments: list[str], ripe: Callable[[Any], bool] | None = None) -> Any:
    """A command that is in the middle of its work: as `ripe` says, or some customers are served."""
    command = place.start(*arguments)
    ripe = ripe or customers_are_served
    assert kills.waited(lambda: ripe(place) or command.poll() is not None), place.log.read_text()
    assert command.poll() is None, place.log.read_text()
    return command


def customers_are_served(place: Any) -> bool:
    looks = [look for file in place.runs.rglob("progress.jsonl") for look in file.open("rb")]
    return any(json.loads(look)["progress"]["active"] >= 2 for look in looks if look[-1:] == b"\n")


def said(sign: str) -> Callable[[Any], bool]:
    return lambda place: sign in place.log.read_text()


def ended(
    place: Any,
    arguments: list[str],
    number: signal.Signals,
    ripe: Callable[[Any], bool] | None = None,
) -> int:
    """Start a command and end it; its exit code. Nothing is left."""
    command = started(place, arguments, ripe)
    command.send_signal(number)
    code: int = command.wait(kills.PATIENCE)
    assert place.left() == [], place.log.read_text()
    return code


def clock(place: Any, name: str) -> Any:
    (record,) = place.runs.glob("*/run.json")
    return json.loads(record.read_text())["clocks"][name]


@pytest.mark.parametrize("number", [*ENDINGS, signal.SIGHUP])
def test_a_live_run(place, number):
    code = ended(place, ["run", "long.yaml", "--live"], number)
    assert code == (-number if number == signal.SIGKILL else 130)
    assert clock(place, "live")["state"] == "interrupted"
    (summary,) = place.runs.glob("*/live/summary.json")
    assert json.loads(summary.read_text())["customers"]["ended"] >= 2
    if number != signal.SIGKILL:
        assert list(place.runs.glob("*/live/settlement.csv"))


@pytest.mark.parametrize("number", ENDINGS)
def test_replications_on_several_processes(place, number):
    arguments = ["run", "long.yaml", "--sim", "--duration", "1h", "--replications", "40"]
    code = ended(place, [*arguments, "--jobs", "2"], number, said("simulations: 4 of 40"))
    assert code == (-number if number == signal.SIGKILL else 130)
    assert clock(place, "sim")["state"] == "interrupted"


@pytest.mark.parametrize("number", ENDINGS)
def test_a_drill(place, number):
    code = ended(place, ["drill", "sqlite.yaml", "--no-pdf"], number, said("kill lender"))
    assert code == (-number if number == signal.SIGKILL else 130)
    assert clock(place, "live")["state"] == "interrupted"
    (drill,) = place.runs.glob("*/drill.json")
    told = json.loads(drill.read_text())
    assert told["state"] == "interrupted"
    assert "under way" not in told["note"]


@pytest.mark.parametrize("number", ENDINGS)
def test_a_capacity_search(place, number):
    arguments = ["capacity", "long.yaml", "--live", "--duration", "1m", "--from", "2/s"]
    code = ended(place, [*arguments, "--to", "3/s"], number)
    assert code == (-number if number == signal.SIGKILL else 130)
    if number == signal.SIGTERM:
        (found,) = place.runs.glob("*/capacity.json")
        assert json.loads(found.read_text())["limits"][0]["state"] == "interrupted"


def test_two_signals_are_one(place):
    command = started(place, ["run", "long.yaml", "--live"])
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        command.send_signal(number)
    assert command.wait(kills.PATIENCE) == 130
    assert "Report:" in place.log.read_text()
    assert place.left() == []


def test_a_run_whose_lender_is_gone_for_good_is_reported(place):
    command = started(place, ["run", "long.yaml", "--live"])
    (lender,) = [each for each in place.processes() if "lender-options" in str(each.cmdline())]
    lender.kill()
    assert command.wait(kills.PATIENCE) in (2, 97)
    assert place.left() == []
    assert clock(place, "live")["state"] == "failed"
    assert "lender ended with code -9" in clock(place, "live")["note"]
