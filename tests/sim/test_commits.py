import pytest

from sim.commits import GroupCommit


def test_idle_writer_commits_at_once():
    assert GroupCommit().delay(10.0, 0.5) == pytest.approx(0.5)


def test_arrivals_during_a_commit_share_the_next_one():
    commits = GroupCommit()
    assert commits.delay(0.0, 1.0) == pytest.approx(1.0)
    assert commits.delay(0.2, 1.0) == pytest.approx(1.8)
    assert commits.delay(0.9, 1.0) == pytest.approx(1.1)


def test_a_third_commit_forms_while_the_second_runs():
    commits = GroupCommit()
    commits.delay(0.0, 1.0)
    commits.delay(0.5, 1.0)
    assert commits.delay(1.5, 1.0) == pytest.approx(1.5)
    assert commits.delay(1.6, 1.0) == pytest.approx(1.4)


def test_a_saturated_writer_never_needs_more_than_two_commits():
    commits = GroupCommit()
    delays = [commits.delay(n * 0.01, 1.0) for n in range(1000)]
    assert max(delays) <= 2.0
