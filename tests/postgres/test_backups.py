"""Backups that are checked, and recovery to a point in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from loadtests.postgres.backup import archive_now, base_backup, restore, verify_backup
from loadtests.postgres.cluster import Cluster
from loadtests.postgres.damage import spoil_backup
from loadtests.postgres.endpoint import Endpoint
from loadtests.postgres.fence import Fence, Fenced
from loadtests.postgres.lsn import Lsn
from loadtests.process import StackProblem
from mocks.lender.sql_store import SqlStore

pytestmark = pytest.mark.live


@dataclass
class History:
    """A backup with one row, two more rows in the archive, then a DELETE of all."""

    cluster: Cluster
    backup: Path
    archive: Path
    fence: Fence
    time: datetime
    lsn: Lsn
    name: str


@pytest.fixture
def history(workspace, make_cluster, unique) -> History:
    archive = workspace.new_folder(unique("archive"))
    fence = Fence(workspace.folder / unique("fence"))
    cluster = make_cluster("primary", archive=archive, fence=fence)
    cluster.sql("CREATE TABLE work (i int)")
    cluster.sql("INSERT INTO work VALUES (1)")
    backup = workspace.folder / unique("backup")
    base_backup(cluster, backup)
    cluster.sql("INSERT INTO work VALUES (2), (3)")
    name = "before_the_mistake"
    cluster.sql("SELECT pg_create_restore_point(%s)", (name,))
    time = cluster.sql("SELECT clock_timestamp()")[0][0]
    lsn = cluster.lsn()
    cluster.sql("DELETE FROM work")
    archive_now(cluster)
    return History(cluster, backup, archive, fence, time, lsn, name)


def rows(cluster: Cluster) -> list[int]:
    return [number for (number,) in cluster.sql("SELECT i FROM work ORDER BY i")]


@pytest.mark.parametrize("target", ["time", "lsn", "name"])
def test_recovery_stops_before_the_delete(workspace, history, unique, made, target):
    goal = {f"target_{target}": getattr(history, target)}
    restored = restore(
        workspace, unique("restored"), history.backup, archive=history.archive, **goal
    )
    made.append(restored)
    assert rows(restored) == [1, 2, 3]
    assert not restored.in_recovery()
    assert restored.timeline() == 2
    restored.sql("INSERT INTO work VALUES (4)")
    restored.kill()
    restored.start()
    assert rows(restored) == [1, 2, 3, 4], "it is a server like any other"


def test_recovery_to_the_end_has_the_delete(workspace, history, unique, made):
    restored = restore(workspace, unique("restored"), history.backup, archive=history.archive)
    made.append(restored)
    assert rows(restored) == []


def test_backup_alone_is_restored_as_it_was(workspace, history, unique, made):
    restored = restore(workspace, unique("restored"), history.backup)
    made.append(restored)
    assert rows(restored) == [1]


def test_restored_server_replaces_the_damaged_one(workspace, history, unique, made):
    with Endpoint(history.cluster, history.fence) as endpoint:
        restored = restore(
            workspace,
            unique("restored"),
            history.backup,
            archive=history.archive,
            target_time=history.time,
            fence=history.fence,
        )
        made.append(restored)
        assert not history.cluster.running
        with pytest.raises(Fenced):
            history.cluster.start()
        endpoint.follow(restored)
        SqlStore(endpoint.url).close()
        assert restored.sql("SELECT count(*) FROM bindings") == [(0,)]


def test_target_that_the_archive_does_not_reach_is_said(workspace, history, unique, made):
    name = unique("restored")
    with pytest.raises(StackProblem, match="recovery ended before configured recovery target"):
        restore(
            workspace, name, history.backup, archive=history.archive, target_name="never written"
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target_name": "x"}, "needs the log archive"),
        ({"target_name": "x", "target_lsn": Lsn(1), "archive": Path("/")}, "give one target"),
    ],
)
def test_targets_that_make_no_sense(workspace, unique, options, said):
    with pytest.raises(StackProblem, match=said):
        restore(workspace, unique("restored"), Path("/"), **options)


def test_unreadable_backup_is_told_from_a_good_one(workspace, history):
    verify_backup(workspace, history.backup)
    spoilt = spoil_backup(history.backup)
    with pytest.raises(StackProblem, match=f"checksum mismatch.*{spoilt.name}"):
        verify_backup(workspace, history.backup)


def test_log_reaches_the_archive_by_itself(workspace, make_cluster, unique):
    archive = workspace.new_folder(unique("archive"))
    cluster = make_cluster(archive=archive, archive_timeout=1)
    cluster.sql("CREATE TABLE work (i int)")
    name = cluster.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
    cluster.wait_for((archive / name).exists, "archived", 30)
    assert (archive / name).stat().st_size == 16 << 20
