"""The model of drills against what can be worked out by hand, or in closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from reports.drills.prediction import DrillPrediction, chance, distribution
from reports.drills.result import PHASES
from scenarios.distributions import Delay, constant
from scenarios.drill_calibration import (
    ACTIONS,
    DESTROYING,
    DrillCalibration,
    load_drill_calibration,
)
from scenarios.drill_library import load_drill
from scenarios.drill_steps import STEP_KINDS
from scenarios.keyed import Keyed
from scenarios.library_index import drill_names
from scenarios.problems import ScenarioProblems
from scenarios.schema import Scenario
from sim.drills.history import History
from sim.drills.plan import Fate, Moment, Plan
from sim.drills.play import DESTROY, HEAL, Outcome, play_drill
from sim.drills.prediction import predict

RATE = 20.0
DETECT = ({"do": "detect"}, {"do": "decide"})
KILL = {"do": "kill", "target": "primary", "at": "20s"}
SQLITE = {"kind": "sqlite-backup", "backup_every": "30s"}
STANDBY = {"kind": "postgres-standby"}
SYNCHRONOUS = {"kind": "postgres-standby", "synchronous": True}
SITES = {"kind": "two-sites", "ttl": "0s"}


def scenario(topology: dict[str, Any], *steps: dict[str, Any], **drill: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "drilled",
            "duration": "200s",
            "arrivals": {"kind": "poisson", "rate": "2/s"},
            "topology": topology,
            "drill": {"steps": steps, **drill},
        }
    )


def calibration(**changes: Any) -> DrillCalibration:
    """Everything that heals takes a second, everything else no time, unless changed."""
    fields: dict[str, Any] = {
        "measured": "made up",
        "actions": {name: constant(1.0) for name in ACTIONS if name not in DESTROYING},
        **dict.fromkeys(
            ("check", "warm_up", "back", "replication", "backup", "ship"), constant(0.0)
        ),
        "flush_delay": 0.6,
        "backup_age": 86400.0,
        "copy_rate": 100e6,
        "replay_rate": 50e6,
        "log_size": 8e3,
        "database": 0.0,
        **changes,
    }
    return DrillCalibration.model_validate(fields)


@pytest.fixture(scope="module")
def poisson() -> History:
    """A long run of Poisson acknowledgements, each of another binding."""
    until = 40_000.0
    gaps = np.random.default_rng(5).exponential(1 / RATE, int(until * RATE * 1.1))
    told = np.cumsum(gaps)
    told = told[told < until]
    return History(told, np.arange(len(told)), until=until)


def outcomes(
    drilled: Scenario,
    history: History,
    drills: int = 600,
    moment: Moment = "any",
    **changes: Any,
) -> list[Outcome]:
    assert drilled.drill is not None
    database = changes.pop("database", 0.0)
    figures = calibration(**changes)
    plan = Plan(drilled, drilled.drill, figures, history, database, moment)
    keyed = Keyed(7)
    return [play_drill(plan, Fate(keyed, number)) for number in range(drills)]


def fits(values: list[float], cdf: Any) -> bool:
    """Kolmogorov and Smirnov's test; the seed is fixed, so that it is not a matter of luck."""
    return float(stats.kstest(values, cdf).pvalue) > 0.01


# ── what is lost ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("commit", ["remote_write", "on", "remote_apply"])
def test_synchronous_failover_loses_nothing(poisson: History, commit: str) -> None:
    drilled = scenario(SYNCHRONOUS | {"commit": commit}, KILL, *DETECT, {"do": "promote"})
    played = outcomes(drilled, poisson, replication=constant(5.0))
    assert all(each.rto is not None and each.lost == 0 and each.rpo == 0 for each in played)


@pytest.mark.parametrize("commit", ["off", "local"])
def test_a_synchronous_standby_does_not_help_commits_that_do_not_wait(
    poisson: History, commit: str
) -> None:
    drilled = scenario(SYNCHRONOUS | {"commit": commit}, KILL, *DETECT, {"do": "promote"})
    assert any(each.lost for each in outcomes(drilled, poisson, replication=constant(2.0)))


def test_asynchronous_loss_is_what_was_acknowledged_within_the_lag(poisson: History) -> None:
    lag = 3.0
    drilled = scenario(
        STANDBY,
        {"do": "lag-replication", "delay": f"{lag}s", "at": "5s"},
        KILL,
        *DETECT,
        {"do": "promote"},
    )
    played = outcomes(drilled, poisson, 2000)
    lost = np.array([each.lost for each in played])
    # Poisson arrivals in a window of 3 s.
    expected = stats.poisson(RATE * lag)
    assert abs(lost.mean() - expected.mean()) < 4 * expected.std() / len(lost) ** 0.5
    assert np.var(lost) == pytest.approx(expected.var(), rel=0.15)
    # The oldest of them is as old as the lag but for one exponential gap.
    assert fits([lag - each.rpo for each in played], stats.expon(scale=1 / RATE).cdf)


def test_without_lag_the_loss_is_the_replication_delay(poisson: History) -> None:
    drilled = scenario(STANDBY, KILL, *DETECT, {"do": "promote"})
    played = outcomes(drilled, poisson, replication=constant(0.5))
    assert np.mean([each.lost for each in played]) == pytest.approx(RATE * 0.5, rel=0.1)


def test_a_lag_that_began_a_second_ago_holds_back_a_second(poisson: History) -> None:
    drilled = scenario(
        STANDBY,
        {"do": "lag-replication", "delay": "10s", "at": "19s"},
        KILL,
        *DETECT,
        {"do": "promote"},
    )
    assert max(each.rpo for each in outcomes(drilled, poisson)) <= 1.0


def test_a_cut_link_loses_all_since_the_cut(poisson: History) -> None:
    steps = ({"do": "cut-replication", "at": "8s"}, KILL, *DETECT, {"do": "promote"})
    assert np.mean(
        [each.rpo for each in outcomes(scenario(STANDBY, *steps), poisson)]
    ) == pytest.approx(12 - 1 / RATE, abs=0.05)
    # Nobody is told anything while a commit waits for a standby that cannot be reached.
    assert not any(each.lost for each in outcomes(scenario(SYNCHRONOUS, *steps), poisson))


def test_restore_loses_a_uniform_part_of_the_interval_and_the_backup_itself(
    poisson: History,
) -> None:
    drilled = scenario(SQLITE, KILL, *DETECT, {"do": "restore"})
    copying = 4.0
    played = outcomes(drilled, poisson, 1500, backup=constant(1.0), database=3 * 100e6)
    # The gap to the oldest acknowledgement (1 / RATE) is small beside the interval.
    assert fits([each.rpo for each in played], stats.uniform(copying, 30.0).cdf)


def test_shipped_log_loses_a_part_of_its_own_interval(poisson: History) -> None:
    drilled = scenario(SQLITE | {"ship_every": "2s"}, KILL, *DETECT, {"do": "restore"})
    played = outcomes(drilled, poisson, ship=constant(0.5))
    assert max(each.rpo for each in played) <= 2.5
    assert np.mean([each.rpo for each in played]) == pytest.approx(1.5, abs=0.15)


def test_an_unreadable_backup_costs_an_interval_and_a_read(poisson: History) -> None:
    good = scenario(SQLITE, KILL, *DETECT, {"do": "restore"})
    spoiled = scenario(
        SQLITE, {"do": "spoil-backup", "at": "20s"}, KILL, *DETECT, {"do": "restore"}
    )
    for before, after in zip(
        outcomes(good, poisson, 50, database=500e6),
        outcomes(spoiled, poisson, 50, database=500e6),
        strict=True,
    ):
        assert before.rto is not None
        assert after.rto == pytest.approx(before.rto + 5.0, abs=1e-6)
        assert after.rpo == pytest.approx(before.rpo + 30.0, abs=10 / RATE)


def test_an_older_backup_goes_back_by_so_many(poisson: History) -> None:
    newest = scenario(SQLITE, KILL, *DETECT, {"do": "restore"})
    older = scenario(SQLITE, KILL, *DETECT, {"do": "restore", "older": 2})
    for before, after in zip(
        outcomes(newest, poisson, 30), outcomes(older, poisson, 30), strict=True
    ):
        assert after.rpo == pytest.approx(before.rpo + 60.0, abs=10 / RATE)


def test_no_backup_old_enough_is_no_recovery(poisson: History) -> None:
    drilled = scenario(SQLITE | {"keep": 1}, KILL, *DETECT, {"do": "restore", "older": 1})
    assert all(each.rto is None for each in outcomes(drilled, poisson, 20))


def test_a_staged_drill_has_one_backup_from_before_its_run(poisson: History) -> None:
    two_back = scenario(SQLITE, KILL, *DETECT, {"do": "restore", "older": 2})
    assert all(each.rto is None for each in outcomes(two_back, poisson, 20, "written"))
    played = outcomes(scenario(SQLITE, KILL, *DETECT, {"do": "restore"}), poisson, 200, "written")
    # Before the run nobody was told anything: at most the 20 s until the fault are lost, give or
    # take the second by which no two runs agree.
    assert all(each.rto is not None and each.rpo <= 21.0 for each in played)
    assert 0.2 < np.mean([each.rpo > 18.5 for each in played]) < 0.5


def test_point_in_time_recovery_loses_what_it_steps_back(poisson: History) -> None:
    drilled = scenario(
        STANDBY | {"archive_every": "5s"},
        {"do": "delete-table", "at": "20s"},
        *DETECT,
        {"do": "recover-to", "before": "2s"},
    )
    played = outcomes(drilled, poisson)
    assert np.mean([each.rpo for each in played]) == pytest.approx(2 - 1 / RATE, abs=0.02)
    assert all(each.rto is not None for each in played)


def test_promotion_does_not_undo_a_deletion(poisson: History) -> None:
    drilled = scenario(STANDBY, {"do": "delete-table", "at": "20s"}, *DETECT, {"do": "promote"})
    assert all(each.rto is None for each in outcomes(drilled, poisson, 5))
    drilled = scenario(STANDBY, {"do": "corrupt-page", "at": "20s"}, *DETECT, {"do": "promote"})
    assert all(each.rto is not None for each in outcomes(drilled, poisson, 5))


def test_commits_that_do_not_wait_for_the_disk_are_lost_with_the_server(poisson: History) -> None:
    steps = (KILL, *DETECT, {"do": "restart", "target": "primary"})
    waits = outcomes(scenario(STANDBY | {"commit": "local"}, *steps), poisson)
    assert not any(each.lost for each in waits)
    hurried = outcomes(scenario(STANDBY | {"commit": "off"}, *steps), poisson)
    assert 0 < max(each.rpo for each in hurried) <= 0.6


@pytest.mark.parametrize(
    "steps",
    [
        ({"do": "lose-key", "at": "20s"}, *DETECT, {"do": "restore-key"}),
        ({"do": "fill-disk", "at": "20s"}, *DETECT, {"do": "free-disk"}),
        (KILL | {"target": "lender"}, *DETECT, {"do": "restart", "target": "lender"}),
        ({"do": "freeze", "target": "primary", "at": "20s"}, {"do": "thaw", "target": "primary"}),
    ],
)
def test_what_keeps_its_data_loses_none(
    poisson: History, steps: tuple[dict[str, Any], ...]
) -> None:
    played = outcomes(scenario(STANDBY, *steps), poisson, 50)
    assert all(each.rto is not None and not each.lost for each in played)


# ── how long it takes ───────────────────────────────────────────────────────────────────────────


def phase(played: list[Outcome], name: str) -> list[float]:
    place = [str(each) for each in PHASES].index(name)
    return [each.phases[place] for each in played if each.phases is not None]


def test_detection_is_a_random_phase_and_the_failed_checks(poisson: History) -> None:
    probe = {"every": "4s", "timeout": "1s", "failures": 3}
    drilled = scenario(STANDBY, KILL, *DETECT, {"do": "promote"}, probe=probe)
    detect = phase(outcomes(drilled, poisson, 1500), "detect")
    assert fits(detect, stats.uniform(2 * 4.0, 4.0).cdf)


def test_a_frozen_server_also_costs_the_timeouts_of_the_checks(poisson: History) -> None:
    probe = {"every": "4s", "timeout": "1s", "failures": 3}
    frozen = {"do": "freeze", "target": "primary", "at": "20s"}
    drilled = scenario(STANDBY, frozen, *DETECT, {"do": "promote"}, probe=probe)
    detect = phase(outcomes(drilled, poisson, 1500), "detect")
    # The last check is over when it has run into its timeout.
    assert fits(detect, stats.uniform(2 * 4.0 + 1.0, 4.0).cdf)
    probe = {"every": "500ms", "timeout": "1s", "failures": 3}
    drilled = scenario(STANDBY, frozen, *DETECT, {"do": "promote"}, probe=probe)
    detect = phase(outcomes(drilled, poisson, 1500), "detect")
    assert fits(detect, stats.uniform(3 * 1.0, 0.5).cdf)


def test_a_check_that_is_under_way_at_the_fault_counts(poisson: History) -> None:
    probe = {"every": "4s", "timeout": "6s", "failures": 3}
    drilled = scenario(STANDBY, KILL, *DETECT, {"do": "promote"}, probe=probe)
    # Checks take as long as the pause between their beginnings: one is always under way.
    detect = phase(outcomes(drilled, poisson, 1500, check=constant(4.0)), "detect")
    assert fits(detect, stats.uniform(4.0, 4.0).cdf)
    frozen = {"do": "freeze", "target": "primary", "at": "20s"}
    drilled = scenario(STANDBY, frozen, *DETECT, {"do": "promote"}, probe=probe)
    detect = phase(outcomes(drilled, poisson, 1500, check=constant(4.0)), "detect")
    assert fits(detect, stats.uniform(3 * 6.0 - 4.0, 4.0).cdf)


def test_an_outage_that_no_probe_sees_in_time_ends_the_drill(poisson: History) -> None:
    drilled = scenario(STANDBY, KILL, {"do": "detect", "timeout": "1ms"}, {"do": "promote"})
    assert all(each.rto is None for each in outcomes(drilled, poisson, 20))


def test_decision_is_distributed_as_written(poisson: History) -> None:
    decision = Delay(p50=60, p99=300)
    drilled = scenario(
        STANDBY,
        KILL,
        *DETECT,
        {"do": "promote"},
        decision={"p50": "60s", "p99": "300s"},
    )
    found = phase(outcomes(drilled, poisson, 1500), "decide")
    sigma = np.log(decision.p99 / decision.p50) / stats.norm.ppf(0.99)
    assert fits(found, stats.lognorm(sigma, scale=decision.p50).cdf)


def test_phases_add_up_to_the_time_to_recovery(poisson: History) -> None:
    drilled = scenario(SITES | {"ttl": "8s"}, {"do": "lose-site", "at": "20s"}, *DETECT,
                       {"do": "promote"}, {"do": "switch-traffic"})  # fmt: skip
    for each in outcomes(drilled, poisson, 50, warm_up=constant(0.5), back=constant(0.25)):
        assert each.phases is not None
        assert min(each.phases) >= 0
        assert sum(each.phases) == pytest.approx(each.rto)
        # Promote and switch take 2 s; then old addresses expire, 95 % of them after 7.6 s, and
        # service is back with the next whole second. The step ends after 8 s.
        detect, decide, act, *_ = each.phases
        assert each.rto == pytest.approx(math.ceil(detect + decide + 9.6))
        assert act == pytest.approx(min(10.0, (each.rto or 0.0) - detect - decide))


def test_recovery_that_does_not_last_is_none(poisson: History) -> None:
    again = {"do": "kill", "target": "lender", "at": "40s"}
    steps = (KILL, *DETECT, {"do": "promote"}, again, *DETECT)
    restart = {"do": "restart", "target": "lender"}
    quick = outcomes(scenario(STANDBY, *steps, restart, stable_for="1s"), poisson, 20)
    slow = outcomes(scenario(STANDBY, *steps, restart, stable_for="1000s"), poisson, 20)
    assert all(each.rto is not None and each.rto < 20 for each in quick)
    assert all(each.rto is not None and each.rto > 20 for each in slow)


@pytest.mark.parametrize(
    "worse",
    [
        {"database": 50e9},
        {"copy_rate": 1e6, "database": 1e9},
        {"replay_rate": 1e3},
        {"warm_up": constant(3.0)},
        {"actions": {name: constant(20.0) for name in ACTIONS}},
    ],
)
def test_what_is_slower_makes_every_drill_longer(poisson: History, worse: dict[str, Any]) -> None:
    drilled = scenario(SQLITE | {"ship_every": "2s"}, KILL, *DETECT, {"do": "restore"})
    base = outcomes(drilled, poisson, 40, database=1e9)
    for before, after in zip(
        base, outcomes(drilled, poisson, 40, **{"database": 1e9} | worse), strict=True
    ):
        assert before.rto is not None
        assert after.rto is not None
        assert after.rto > before.rto


def test_more_failed_checks_and_longer_intervals_make_it_worse(poisson: History) -> None:
    steps = (KILL, *DETECT, {"do": "restore"})
    base = outcomes(scenario(SQLITE, *steps), poisson, 300)
    patient = outcomes(scenario(SQLITE, *steps, probe={"failures": 9}), poisson, 300)
    rare = outcomes(scenario(SQLITE | {"backup_every": "90s"}, *steps), poisson, 300)
    assert np.mean([each.rto or 0 for each in patient]) > np.mean([each.rto or 0 for each in base])
    assert np.mean([each.rpo for each in rare]) > 2 * np.mean([each.rpo for each in base])


# ── thousands of them ───────────────────────────────────────────────────────────────────────────


def predicted(history: History, **more: Any) -> DrillPrediction:
    drilled = scenario(
        STANDBY,
        KILL,
        *DETECT,
        {"do": "promote"},
        objectives={"rto": "6s", "rpo": "1s", "lost": 0},
    )
    return predict(
        drilled, drills=400, calibration=load_drill_calibration(), history=history, **more
    )


def test_the_seed_gives_the_same_bytes(poisson: History, tmp_path: Any) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        (tmp_path / name).mkdir()
        predicted(poisson, seed=seed).save(tmp_path / name)
    one, two, three = ((tmp_path / name / "prediction.json").read_bytes() for name in
                       ("one", "two", "three"))  # fmt: skip
    assert one == two
    assert one != three


def test_chances_and_quantiles_say_the_same(poisson: History) -> None:
    found = predicted(poisson)
    assert [each.objective for each in found.chances] == ["RTO", "RPO", "bindings lost"]
    for each in (*found.chances, found.recovered):
        assert 0 <= each.low <= each.share <= each.high <= 1
    assert found.rto is not None
    assert (found.chances[0].share >= 0.95) == (found.rto.p95 <= 6)
    assert sum(found.rto.counts) == round(found.recovered.share * found.drills)
    assert [each.phase for each in found.phases] == list(PHASES)
    assert sum(each.seconds.mean.mean for each in found.phases) == pytest.approx(
        found.rto.mean.mean, rel=1e-4
    )


def test_a_drill_that_never_recovers_has_no_time(poisson: History) -> None:
    drilled = scenario(STANDBY, KILL, *DETECT, objectives={"rto": "1h"})
    found = predict(drilled, drills=50, calibration=load_drill_calibration(), history=poisson)
    assert found.rto is None
    assert found.phases == ()
    assert found.recovered.share == 0
    assert found.chances[0].share == 0


def test_a_scenario_without_a_drill_is_refused_in_one_line(poisson: History) -> None:
    plain = scenario(STANDBY, KILL).model_copy(update={"drill": None})
    with pytest.raises(ScenarioProblems) as refused:
        predict(plain, drills=5, calibration=load_drill_calibration(), history=poisson)
    assert str(refused.value).count("\n") == 0
    assert "drill" in str(refused.value)


def test_histograms_of_counts_have_a_bar_a_number() -> None:
    found = distribution(np.array([0.0, 0.0, 1.0, 3.0]), "count")
    assert found.edges == (-0.5, 0.5, 1.5, 2.5, 3.5)
    assert found.counts == (2, 1, 0, 1)
    assert distribution(np.zeros(3), "s").counts == (3,)


def test_staging_a_disaster_takes_time(poisson: History) -> None:
    actions = {"lose-key": constant(30.0), "restore-key": constant(1.0)}
    drilled = scenario(STANDBY, {"do": "lose-key", "at": "20s"}, *DETECT, {"do": "restore-key"})
    # Nobody looks at the alarm before the key is gone for good.
    staged = phase(outcomes(drilled, poisson, 20, "written", actions=actions), "detect")
    assert staged == pytest.approx([30.0] * 20)
    assert max(phase(outcomes(drilled, poisson, 20, actions=actions), "detect")) < 2


def test_copying_the_database_that_was_measured_is_in_the_times(poisson: History) -> None:
    drilled = scenario(SQLITE, KILL, *DETECT, {"do": "restore"})
    found = predict(drilled, drills=20, calibration=calibration(database=80e9), history=poisson)
    larger = predict(
        drilled,
        drills=20,
        calibration=calibration(database=80e9),
        database=90e9,
        history=poisson,
    )
    assert found.database == 80e9
    assert found.rto is not None
    assert larger.rto is not None
    # Reading the backup through, then copying it: 10 GB more at 100 MB/s, twice.
    assert larger.rto.p50 == pytest.approx(found.rto.p50 + 200)


def test_wilson_interval_of_a_share() -> None:
    assert chance("RTO", "at most 1s", 1.0, 0, 100).low == 0
    # Wilson's bound at 0 of n is z^2 / (n + z^2).
    assert chance("RTO", "at most 1s", 1.0, 0, 100).high == pytest.approx(
        3.8415 / 103.8415, rel=1e-4
    )
    both = stats.binomtest(37, 50).proportion_ci(method="wilson")
    found = chance("RTO", "at most 1s", 1.0, 37, 50)
    assert (found.low, found.high) == pytest.approx((both.low, both.high), rel=1e-5)


def test_a_grade_has_a_chance_too(poisson: History) -> None:
    steps = (KILL, *DETECT, {"do": "promote"})
    for topology, share in ((STANDBY, 0.0), (SYNCHRONOUS, 1.0)):
        drilled = scenario(topology, *steps, objectives={"grade": 6})
        found = predict(
            drilled,
            drills=30,
            calibration=calibration(replication=constant(2.0)),
            history=poisson,
        )
        (grade,) = found.chances
        assert (grade.objective, grade.share) == ("grade", share)


def test_a_staged_drill_meets_the_load_of_its_own_time() -> None:
    # Nobody but between 18 s and 25 s; the fault is at 20 s.
    told = np.arange(18.0, 25.0, 0.1)
    history = History(told, np.arange(len(told)), until=200)
    drilled = scenario(
        STANDBY, {"do": "cut-replication", "at": "5s"}, KILL, *DETECT, {"do": "promote"}
    )
    lost = [each.lost for each in outcomes(drilled, history, 200, "written")]
    assert 10 <= min(lost) < max(lost) <= 31
    assert np.mean(lost) == pytest.approx(20.5, abs=1)


def test_every_step_is_modelled() -> None:
    assert {*DESTROY, *HEAL} == set(STEP_KINDS)
    assert all((do in DESTROY) == (kind.role == "destroys") for do, kind in STEP_KINDS.items())


@pytest.mark.parametrize("name", drill_names())
def test_shipped_drills_come_back_and_lose_what_their_objectives_allow(
    poisson: History, name: str
) -> None:
    found = predict(
        load_drill(name),
        drills=40,
        calibration=load_drill_calibration(),
        history=poisson,
        moment="written",
    )
    assert found.recovered.share == 1
    for chance_of in found.chances:
        if chance_of.objective in ("RPO", "bindings lost"):
            assert chance_of.share > 0.9
