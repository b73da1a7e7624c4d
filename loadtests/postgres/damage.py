"""Damage that is real: pages of garbage, cut files, full disks, unreadable backups."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from loadtests.postgres.cluster import Cluster
from loadtests.process import StackProblem

PAGE = 8192
_EVICTIONS = 50
_LOCK_TIMEOUT_MS = 20_000
_JUNK_PAGES = 6000
"""More than fit into the page cache of a cluster here (4096)."""


@dataclass(frozen=True)
class DamagedPage:
    """Which page: file, number within the table, and its rows' table."""

    table: str
    file: Path
    block: int


def table_file(cluster: Cluster, table: str) -> Path:
    """The file of a table's rows. The cluster runs."""
    relative = cluster.sql("SELECT pg_relation_filepath(%s::regclass)", (table,))[0][0]
    return cluster.data / str(relative)


def corrupt_page(cluster: Cluster, table: str, block: int = 0) -> DamagedPage:
    """Overwrite one page of `table` on the disk of a running cluster with garbage, after all that
    is in memory has been flushed, and make the server forget its copy of it: the next read finds
    the damage. Raises StackProblem when the table has no such page."""
    cluster.sql("CHECKPOINT", timeout=60)
    page = DamagedPage(table, table_file(cluster, table), block)
    corrupt_file_page(page.file, block)
    _forget(cluster, page)
    return page


def corrupt_file_page(file: Path, block: int = 0) -> None:
    """Overwrite a page of a file, of a stopped cluster for example, with garbage."""
    if file.stat().st_size < (block + 1) * PAGE:
        raise StackProblem(f"{file.name} has no page {block}")
    with file.open("r+b") as stream:
        stream.seek(block * PAGE)
        stream.write(_garbage(block))
        stream.flush()
        os.fsync(stream.fileno())


def truncate_file(cluster: Cluster, table: str) -> Path:
    """Cut the file of `table` to half its pages on the disk of a running cluster, after a flush."""
    cluster.sql("CHECKPOINT", timeout=60)
    file = table_file(cluster, table)
    os.truncate(file, file.stat().st_size // PAGE // 2 * PAGE)
    return file


def fill_disk(cluster: Cluster) -> None:
    """Leave no room on the cluster's disk (`cluster.disk.means` says how)."""
    cluster.disk.fill(cluster.processes())


def free_disk(cluster: Cluster) -> None:
    """There is room again. A server that died of it has to be started."""
    cluster.disk.free(cluster.processes())


def spoil_backup(backup: Path) -> Path:
    """Damage the largest file of a base backup in its middle; returns which."""
    files = [file for file in (backup / "base").rglob("*") if file.is_file()]
    largest = max(files, key=lambda file: (file.stat().st_size, str(file)))
    corrupt_file_page(largest, largest.stat().st_size // PAGE // 2)
    return largest


def _garbage(block: int) -> bytes:
    return random.Random(block).randbytes(PAGE)


def _forget(cluster: Cluster, page: DamagedPage) -> None:
    """Push the page out of the server's memory by reading a table that is larger than that; what
    was written back over the garbage meanwhile is spoilt again. Nobody uses the table meanwhile,
    because a page that is in use stays."""
    cluster.sql("CREATE EXTENSION IF NOT EXISTS pg_buffercache")
    cluster.sql("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
    cluster.sql("DROP TABLE IF EXISTS bindrill_junk")
    cluster.sql("CREATE UNLOGGED TABLE bindrill_junk (filler char(7000) NOT NULL)")
    cluster.sql("ALTER TABLE bindrill_junk ALTER filler SET STORAGE PLAIN")
    cluster.sql("INSERT INTO bindrill_junk SELECT 'x' FROM generate_series(1, %s)", (_JUNK_PAGES,))
    try:
        with psycopg.connect(cluster.admin_conninfo()) as holder:
            holder.execute(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}")
            holder.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(page.table))
            )
            for _ in range(_EVICTIONS):
                cluster.sql("SELECT pg_prewarm('bindrill_junk', 'buffer')")
                with page.file.open("rb") as stream:
                    stream.seek(page.block * PAGE)
                    spoilt = stream.read(PAGE) == _garbage(page.block)
                if not spoilt:
                    corrupt_file_page(page.file, page.block)
                elif not _in_memory(cluster, page):
                    return
    except psycopg.Error as error:
        raise StackProblem(f"{cluster.name}: {page.table} cannot be locked: {error}") from error
    finally:
        cluster.sql("DROP TABLE bindrill_junk")
    raise StackProblem(f"{cluster.name} holds on to page {page.block} of {page.table}")


def _in_memory(cluster: Cluster, page: DamagedPage) -> bool:
    return bool(
        cluster.sql(
            "SELECT count(*) FROM pg_buffercache WHERE relblocknumber = %s AND relforknumber = 0"
            " AND relfilenode = %s",
            (page.block, int(page.file.name)),
        )[0][0]
    )
