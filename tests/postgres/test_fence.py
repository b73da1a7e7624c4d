"""Split brain: an old primary that comes back accepts no write that anybody sees."""

from __future__ import annotations

import psycopg
import pytest

from loadtests.postgres.endpoint import Endpoint
from loadtests.postgres.fence import Fence, Fenced
from loadtests.postgres.replication import make_standby, promote
from loadtests.process import StackProblem

pytestmark = pytest.mark.live


def prepare(pair) -> None:
    with psycopg.connect(pair.endpoint.url, autocommit=True) as line:
        line.execute("CREATE TABLE work (i int)")
    pair.primary.set_synchronous([pair.standby.name], "remote_apply")
    with psycopg.connect(pair.endpoint.url, autocommit=True) as line:
        line.execute("INSERT INTO work VALUES (0)")
    pair.primary.set_synchronous([])


def rejected(url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba.conf rejects|refused"):
        psycopg.connect(url)


@pytest.mark.parametrize("end", ["killed", "frozen", "well"])
def test_stubborn_client_of_the_old_primary_cannot_commit(pair, end):
    prepare(pair)
    stubborn = psycopg.connect(pair.primary.url())
    stubborn.execute("INSERT INTO work VALUES (666)")
    if end == "killed":
        pair.primary.kill()
    elif end == "frozen":
        pair.primary.freeze()
    promote(pair.standby)
    assert not pair.primary.running
    with pytest.raises(Fenced, match="rewind it first"):
        pair.primary.start()
    assert pair.primary.revive() is True
    assert pair.primary.fenced
    with pytest.raises(psycopg.OperationalError):
        stubborn.commit()
    stubborn.close()
    for address in (pair.primary.address, pair.line.address):
        rejected(pair.primary.url(through=address))
        rejected(pair.primary.url("replicator", through=address))
    assert pair.primary.sql("SELECT i FROM work") == [(0,)]
    with pytest.raises(StackProblem, match="read-only"):
        pair.primary.sql("INSERT INTO work VALUES (666)")

    rejected_by_the_relay(pair.endpoint.url)
    with pytest.raises((Fenced, StackProblem)):
        pair.endpoint.follow(pair.primary)
    pair.endpoint.follow(pair.standby)
    with psycopg.connect(pair.endpoint.url) as line:
        line.execute("INSERT INTO work VALUES (1)")
    assert pair.standby.sql("SELECT i FROM work ORDER BY i") == [(0,), (1,)]
    assert pair.primary.sql("SELECT i FROM work") == [(0,)]


def rejected_by_the_relay(url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"reset|closed the connection"):
        psycopg.connect(url)


def test_old_primary_is_fenced_whoever_starts_it(pair):
    prepare(pair)
    pair.primary.kill()
    promote(pair.standby)
    pair.primary.tool(
        "pg_ctl", "start", "-w", "-D", pair.primary.data, "-l", f"{pair.primary.data}/by-hand.log"
    )
    try:
        rejected(pair.primary.url())
        assert pair.primary.sql("SHOW default_transaction_read_only") == [("on",)]
        assert pair.primary.sql("SHOW archive_mode") == [("off",)]
    finally:
        pair.primary.tool("pg_ctl", "stop", "-m", "immediate", "-D", pair.primary.data)


def test_endpoint_cuts_before_the_promotion_and_never_follows_a_closed_timeline(pair):
    prepare(pair)
    line = psycopg.connect(pair.endpoint.url)
    line.execute("INSERT INTO work VALUES (1)")
    pair.fence.close(1, pair.standby.name)
    with pytest.raises(psycopg.OperationalError):
        line.commit()
    line.close()
    rejected_by_the_relay(pair.endpoint.url)
    pair.primary.revive()
    with pytest.raises(Fenced, match="timeline 1, which a promotion has closed"):
        pair.endpoint.follow(pair.primary)
    with pytest.raises(Fenced):
        Endpoint(pair.primary, pair.fence)
    with pytest.raises(StackProblem, match="is a standby"):
        pair.endpoint.follow(pair.standby)


def test_endpoint_that_is_closed_does_not_hinder_a_promotion(pair):
    prepare(pair)
    pair.endpoint.close()
    promote(pair.standby)
    assert not pair.standby.in_recovery()
    Endpoint(pair.standby, pair.fence).close()


def test_failing_power_fence_keeps_the_standby_from_being_promoted(pair):
    told = []

    def broken() -> None:
        raise StackProblem("the power switch does not answer")

    end = pair.fence.watch(broken)
    pair.fence.watch(lambda: told.append(True))
    with pytest.raises(StackProblem, match="power switch"):
        promote(pair.standby)
    assert told == [True]
    assert pair.standby.in_recovery()
    end()
    promote(pair.standby)
    assert not pair.standby.in_recovery()


def test_only_one_of_two_standbys_can_be_promoted(pair, unique, made):
    rival = make_standby(pair.primary, unique("rival"))
    made.append(rival)
    promote(pair.standby)
    with pytest.raises(Fenced, match=f"{pair.standby.name} was promoted from timeline 1"):
        promote(rival)
    assert rival.in_recovery()


def test_fence_outlives_its_process_and_never_opens_again(tmp_path):
    file = tmp_path / "fence"
    assert Fence(file).admits(1)
    Fence(file).close(3, "b")
    again = Fence(file)
    assert (again.closed, again.admits(3), again.admits(4)) == (3, False, True)
    again.close(2, "b")
    again.close(3, "b")
    assert again.closed == 3
    with pytest.raises(Fenced):
        again.close(3, "c")


def test_fence_that_cannot_be_read_lets_nobody_serve(pair):
    prepare(pair)
    pair.primary.stop()
    file = pair.fence._file
    file.write_bytes(b"\xff not a fence")
    with pytest.raises(StackProblem, match="cannot be read"):
        pair.primary.start()
    rejected_by_the_relay(pair.endpoint.url)
