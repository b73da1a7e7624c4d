"""Damage on the disk is found, and a full disk refuses writes and recovers."""

from __future__ import annotations

import psycopg
import pytest

from loadtests.postgres.checks import check_pages, check_tables
from loadtests.postgres.cluster import Cluster
from loadtests.postgres.damage import (
    corrupt_file_page,
    corrupt_page,
    fill_disk,
    free_disk,
    table_file,
    truncate_file,
)
from loadtests.postgres.disk import Disk
from loadtests.process import StackProblem

pytestmark = pytest.mark.live


def fill(cluster: Cluster) -> None:
    """A table of a hundred pages that the server has in memory."""
    cluster.sql("CREATE TABLE work (i int PRIMARY KEY, filler char(3000) NOT NULL)")
    cluster.sql("ALTER TABLE work ALTER filler SET STORAGE PLAIN")
    cluster.sql("INSERT INTO work SELECT i, 'x' FROM generate_series(1, 200) i")
    cluster.sql("SELECT count(*) FROM work")


def test_corrupted_page_of_a_running_server_is_found_by_a_read(cluster):
    fill(cluster)
    check_tables(cluster)
    page = corrupt_page(cluster, "work", block=3)
    assert page.file.exists()
    with pytest.raises(StackProblem, match="invalid page in block 3") as caught:
        cluster.sql("SELECT sum(length(filler)) FROM work")
    assert isinstance(caught.value.__cause__, psycopg.errors.DataCorrupted)
    assert cluster.sql("SELECT count(*) FROM work WHERE i = 1") == [(1,)], "other pages are well"
    with pytest.raises(StackProblem, match="invalid page in block 3"):
        check_tables(cluster)


def test_corrupted_page_of_a_stopped_server_is_found_by_its_checksum(cluster):
    fill(cluster)
    file = table_file(cluster, "work")
    cluster.stop()
    check_pages(cluster)
    corrupt_file_page(file, 5)
    with pytest.raises(StackProblem, match=r"checksum verification failed.*block 5"):
        check_pages(cluster)
    with pytest.raises(StackProblem, match="has no page 100000"):
        corrupt_file_page(file, 100_000)


def test_truncated_file_is_found_once_it_is_read_from_the_disk(cluster):
    fill(cluster)
    file = truncate_file(cluster, "work")
    assert file.stat().st_size == 50 * 8192
    cluster.kill()
    cluster.start()
    by_index = cluster.admin_conninfo() + " options='-c enable_seqscan=off'"
    with (
        psycopg.connect(by_index) as line,
        pytest.raises(psycopg.errors.DataCorrupted, match="could not read block"),
    ):
        line.execute("SELECT filler FROM work WHERE i = 200")


@pytest.mark.parametrize("means", ["a disk of its own", "process limit"])
def test_full_disk_refuses_writes_and_recovers(make_cluster, monkeypatch, means):
    if means == "process limit":
        monkeypatch.setattr(Disk, "_mount", lambda disk, size_mb: "process limit")
    cluster = make_cluster(disk_mb=200)
    if means != "process limit" and cluster.disk.means == "process limit":
        pytest.skip("nothing may be mounted here")
    cluster.sql("CREATE TABLE work (i int, filler char(3000) NOT NULL)")
    cluster.sql("ALTER TABLE work ALTER filler SET STORAGE PLAIN")
    cluster.sql("INSERT INTO work VALUES (1, 'before')")
    fill_disk(cluster)
    assert cluster.disk.full
    with pytest.raises(StackProblem) as caught:
        cluster.sql("INSERT INTO work SELECT i, 'refused' FROM generate_series(2, 9999) i")
    if means != "process limit":
        assert isinstance(caught.value.__cause__, psycopg.errors.DiskFull)
        assert cluster.sql("SELECT i FROM work") == [(1,)], "reads go on"
    free_disk(cluster)
    assert not cluster.disk.full
    if not cluster.is_up():
        cluster.kill()
        cluster.start()
    cluster.sql("INSERT INTO work SELECT i, 'after' FROM generate_series(2, 9) i")
    assert cluster.sql("SELECT count(*) FROM work") == [(9,)]


def test_disk_that_is_too_small_is_refused(workspace, unique):
    with pytest.raises(StackProblem, match="write 160 or more"):
        Cluster(workspace, unique("tiny"), disk_mb=10)
