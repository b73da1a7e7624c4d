"""The record of acknowledgements that drills are laid over."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.schema import Scenario
from sim.drills.history import History, Loss, record_history

# Binding 1 at 10, 12 and 25; binding 2 at 11 and 30; an applicant at 13.
TOLD = np.array([10.0, 11.0, 12.0, 13.0, 25.0, 30.0])
SUBJECTS = np.array([1, 2, 1, -1, 1, 2])


def test_a_binding_counts_once_and_an_applicant_counts_for_time_only() -> None:
    history = History(TOLD, SUBJECTS, until=40)
    assert history.lost(9, 20, endless=False) == Loss(10.0, 2)
    assert history.lost(11.5, 26, endless=False) == Loss(12.0, 1)
    assert history.lost(12, 20, endless=False) == Loss(13.0, 0)
    assert history.lost(14, 20, endless=False) == Loss(None, 0)
    assert history.lost(20, 20, endless=False) == Loss(None, 0)


def test_committed_before_the_copy_though_told_after_it_is_not_lost() -> None:
    history = History(TOLD, SUBJECTS, until=40, way=0.5)
    assert history.lost(24.7, 26, endless=False) == Loss(None, 0)
    assert history.lost(24.4, 26, endless=False) == Loss(25.0, 1)


def test_an_endless_history_repeats_its_steady_part() -> None:
    told = np.arange(0.5, 100)
    history = History(told, np.arange(100), until=100, steady=20)
    for since, until in ((30.0, 35.0), (15.0, 25.0), (-500.0, 21.0), (20.0, 2000.0)):
        loss = history.lost(since, until, endless=True)
        assert loss.bindings == pytest.approx(until - since, abs=1)
        assert loss.first == pytest.approx(since + 0.5)
        expected = history.acknowledged(since, until, endless=True)
        assert expected == pytest.approx(until - since)
    assert history.lost(-500.0, 1.0, endless=False).bindings == 1


def test_a_simulated_run_gives_what_its_customers_were_told() -> None:
    scenario = Scenario.model_validate(
        {
            "name": "short",
            "duration": "30s",
            "arrivals": {"kind": "constant", "rate": "3/s"},
            "journey": {"pace": 0.05},
        }
    )
    history = record_history(scenario)
    whole = history.lost(0, 30, endless=False)
    assert 60 < whole.bindings <= 90
    # Three documents and five other steps each, of those who got that far.
    assert 6 * 60 < history.acknowledged(0, 30, endless=False) < 9 * 90
    assert 0 < history.steady <= 15
    assert history.way == pytest.approx(scenario.world.network.p50 / 2)
    again = record_history(scenario)
    assert again.lost(3.3, 17.7, endless=True) == history.lost(3.3, 17.7, endless=True)
