"""Little's law on every run: a simulator that lost count says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.schema import Scenario
from sim import player
from sim.littles_law import Inside, LittlesLawBroken
from sim.run import run_sim


def scenario(**changes: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "count",
            "duration": 20.0,
            "drain": 30.0,
            "population": {"size": 1000},
            "arrivals": {"kind": "constant", "rate": 3.0},
            "journey": {"pace": 0.03},
            **changes,
        }
    )


def test_both_sides_agree_whoever_comes_and_goes() -> None:
    inside = Inside("customers")
    inside.enter(1, 0.0)
    inside.enter(2, 1.0)
    inside.leave(1, 4.0, 4.0)
    inside.check(5.0)
    inside.leave(2, 6.0, 5.0)
    inside.check(10.0)
    inside.enter(3, 11.0)
    inside.empty(13.0)
    inside.check(20.0)
    assert len(inside) == 0


def test_a_clock_that_runs_apart_is_noticed_with_both_figures() -> None:
    inside = Inside("customers")
    inside.enter(1, 0.0)
    inside.leave(1, 4.0, 4.5)
    with pytest.raises(LittlesLawBroken) as broken:
        inside.check(10.0)
    assert str(broken.value) == (
        "virtual time lost count of customers: 0.4 inside on average, but 0.1/s staying 4.5 s make"
        " 0.45 (Little's law); please report this as a defect of the simulator"
    )


def test_nobody_leaves_twice() -> None:
    inside = Inside("requests")
    inside.enter(7, 0.0)
    inside.leave(7, 1.0, 1.0)
    with pytest.raises(LittlesLawBroken, match="number 7 leaves without being inside"):
        inside.leave(7, 2.0, 2.0)


def test_a_run_keeps_the_law_and_a_planted_breach_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill = {"kind": "kill", "target": "lender", "start": "8s", "down": "3s"}
    assert run_sim(scenario(faults=[kill]), tmp_path / "sound").state == "complete"
    sound = player._Visit.__init__

    def early(visit: Any, owner: Any, customer: Any, planned: float) -> None:
        sound(visit, owner, customer, planned)
        visit.came -= 0.01 * (customer.number == 5)

    monkeypatch.setattr(player._Visit, "__init__", early)
    with pytest.raises(LittlesLawBroken, match="lost count of customers"):
        run_sim(scenario(), tmp_path / "broken")
