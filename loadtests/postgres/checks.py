"""PostgreSQL's own checks for damage."""

from __future__ import annotations

from loadtests.postgres.cluster import Cluster
from loadtests.postgres.settings import APPLICATION


def check_pages(cluster: Cluster) -> None:
    """Check the checksum of every page of a cluster that was shut down (pg_checksums). Raises
    StackProblem, which names the damage."""
    cluster.tool("pg_checksums", "--check", "-D", cluster.data)


def check_tables(cluster: Cluster) -> None:
    """Check tables and indexes of a running cluster, and that the indexes hold every row
    (pg_amcheck). Raises StackProblem, which names the damage."""
    cluster.tool(
        "pg_amcheck", "--install-missing", "--heapallindexed",
        "--maintenance-db", cluster.admin_conninfo("postgres"),
        "--host", cluster.workspace.folder.as_posix(), "--port", str(cluster.address.port),
        "--username", "bindrill", APPLICATION,
    )  # fmt: skip
