"""Primary and standby: streaming, waiting, lagging, promoting and going back."""

from __future__ import annotations

import threading

import psycopg
import pytest

from loadtests.postgres.lsn import Lsn
from loadtests.postgres.replication import (
    make_standby,
    promote,
    replication_state,
    rewind,
    wait_until_replayed,
)
from loadtests.process import StackProblem
from loadtests.relay import Relay

pytestmark = pytest.mark.live
FOREVER = 3600.0
LIMIT = 30.0


def write(url: str, numbers: range) -> dict[int, Lsn]:
    """Acknowledged rows, and where the log ended after each."""
    acknowledged = {}
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("CREATE TABLE IF NOT EXISTS work (i int PRIMARY KEY)")
        for number in numbers:
            line.execute("INSERT INTO work VALUES (%s)", (number,))
            (end,) = line.execute("SELECT pg_current_wal_lsn()::text").fetchone()
            acknowledged[number] = Lsn.parse(end)
    return acknowledged


def rows(cluster) -> set[int]:
    return {number for (number,) in cluster.sql("SELECT i FROM work")}


def test_what_is_written_arrives_at_the_standby(pair):
    written = write(pair.endpoint.url, range(5))
    wait_until_replayed(pair.standby, max(written.values()))
    assert rows(pair.standby) == set(range(5))
    assert pair.standby.in_recovery()
    assert not pair.primary.in_recovery()
    assert pair.standby.standby
    assert pair.standby.system_identifier() == pair.primary.system_identifier()
    (state,) = replication_state(pair.primary)
    assert (state.application_name, state.state, state.sync_state) == (
        pair.standby.name,
        "streaming",
        "async",
    )
    assert pair.line.counts.bytes_downstream > 0
    assert pair.primary.sql("SELECT slot_name, active FROM pg_replication_slots") == [
        (pair.standby.name.replace("-", "_"), True)
    ]
    with pytest.raises(StackProblem, match="read-only"):
        pair.standby.sql("DELETE FROM work")


def test_synchronous_commit_waits_for_the_standby(pair):
    write(pair.endpoint.url, range(1))
    pair.primary.set_synchronous([pair.standby.name], "remote_apply")
    write(pair.endpoint.url, range(1, 2))
    assert rows(pair.standby) == {0, 1}, "remote_apply: visible when it returns"
    (state,) = replication_state(pair.primary)
    assert state.sync_state == "quorum"
    pair.line.cut()
    answered = threading.Event()

    def commit() -> None:
        write(pair.endpoint.url, range(2, 3))
        answered.set()

    writer = threading.Thread(target=commit)
    writer.start()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    pair.primary.wait_for(lambda: pair.primary.sql(waiting) == [(1,)], "waiting", LIMIT)
    assert not answered.is_set()
    pair.line.resume()
    assert answered.wait(LIMIT)
    writer.join()
    assert rows(pair.standby) == {0, 1, 2}


def test_primary_without_a_synchronous_standby_does_not_wait(pair):
    pair.primary.set_synchronous([pair.standby.name])
    pair.line.cut()
    pair.primary.set_synchronous([])
    assert set(write(pair.endpoint.url, range(2))) == {0, 1}


def test_lagging_standby_loses_exactly_what_it_has_not_received(pair):
    early = write(pair.endpoint.url, range(10))
    wait_until_replayed(pair.standby, max(early.values()))
    pair.line.delay(FOREVER, "downstream")
    late = write(pair.endpoint.url, range(10, 20))
    (state,) = replication_state(pair.primary)
    assert state.lag_bytes >= max(late.values()) - max(early.values())
    pair.primary.kill()
    pair.line.cut()
    received = pair.standby.received_lsn()
    promote(pair.standby)
    acknowledged = early | late
    survived = {number for number, end in acknowledged.items() if end <= received}
    assert rows(pair.standby) == survived == set(range(10))


def test_mended_line_brings_the_standby_up_to_date(pair):
    pair.line.delay(FOREVER, "downstream")
    late = write(pair.endpoint.url, range(10))
    pair.line.delay(0)
    wait_until_replayed(pair.standby, max(late.values()))
    assert rows(pair.standby) == set(range(10))


def test_promoted_standby_is_the_primary_behind_the_same_endpoint(pair):
    pair.primary.set_synchronous([pair.standby.name])
    write(pair.endpoint.url, range(3))
    pair.primary.kill()
    promote(pair.standby)
    assert pair.standby.timeline() == 2
    pair.endpoint.follow(pair.standby)
    write(pair.endpoint.url, range(3, 5))
    assert rows(pair.standby) == set(range(5))
    with pytest.raises(StackProblem, match="is the primary already"):
        promote(pair.standby)
    pair.standby.kill()
    pair.standby.start()
    assert rows(pair.standby) == set(range(5)), "a killed server knows its new timeline"


def test_old_primary_is_rewound_and_takes_its_role_again(pair):
    early = write(pair.endpoint.url, range(3))
    wait_until_replayed(pair.standby, max(early.values()))
    pair.line.delay(FOREVER, "downstream")
    write(pair.endpoint.url, range(3, 6))
    pair.primary.kill()
    pair.line.cut()
    promote(pair.standby)
    pair.endpoint.follow(pair.standby)
    write(pair.endpoint.url, range(6, 9))
    pair.primary.revive()
    assert rows(pair.primary) == set(range(6)), "the lost rows can still be looked up"
    with Relay(pair.standby.address) as back:
        rewind(pair.primary, pair.standby, through=back.address)
        assert rows(pair.primary) == rows(pair.standby) == {0, 1, 2, 6, 7, 8}
        assert pair.primary.in_recovery()
        pair.standby.set_synchronous([pair.primary.name])
        write(pair.endpoint.url, range(9, 10))
        promote(pair.primary)
    assert not pair.standby.running, "the fence works in this direction, too"
    pair.endpoint.follow(pair.primary)
    write(pair.endpoint.url, range(10, 11))
    assert rows(pair.primary) == {0, 1, 2, 6, 7, 8, 9, 10}
    assert pair.primary.timeline() == 3


def test_standby_without_a_slot(make_cluster, made, unique):
    primary = make_cluster()
    standby = make_standby(primary, unique("standby"), slot=False)
    made.append(standby)
    assert primary.sql("SELECT count(*) FROM pg_replication_slots") == [(0,)]
    assert replication_state(primary)[0].application_name == standby.name


@pytest.mark.parametrize("text", ["0/0", "16/B374D848", "1/0"])
def test_places_in_the_log_are_written_as_postgresql_does(text):
    assert str(Lsn.parse(text)) == text


def test_places_in_the_log_are_counted_in_bytes():
    assert Lsn.parse("1/10") - Lsn.parse("0/FFFFFFF0") == 32
