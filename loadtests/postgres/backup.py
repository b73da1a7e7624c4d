"""Base backups, and new clusters restored from them to a point in time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from loadtests.postgres.cluster import START_TIMEOUT, Cluster
from loadtests.postgres.fence import Fence
from loadtests.postgres.lsn import Lsn
from loadtests.postgres.settings import REPLICATOR
from loadtests.postgres.workspace import Workspace
from loadtests.process import StackProblem
from loadtests.relay import Address

ARCHIVE_TIMEOUT = 60.0
_INCLUSIVE = "recovery_target_inclusive"
_HOW = {"recovery_target_timeline": "latest", "recovery_target_action": "promote"}


def base_backup(cluster: Cluster, to: Path, *, through: Address | None = None) -> None:
    """Copy the running cluster into `to`, a new folder within its workspace, with a manifest of
    checksums and the log it needs to become consistent."""
    host, port = through or cluster.address
    cluster.tool(
        "pg_basebackup", "-D", to, "-X", "stream", "--checkpoint=fast", "--no-password",
        "-h", host, "-p", str(port), "-U", REPLICATOR,
    )  # fmt: skip


def archive_now(cluster: Cluster, timeout: float = ARCHIVE_TIMEOUT) -> None:
    """Archive what a running primary has written so far, without waiting for a full log file."""
    name = cluster.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
    cluster.sql("SELECT pg_switch_wal()")
    archive = cluster.settings.archive
    if archive is None:
        raise StackProblem(f"{cluster.name} has no log archive")
    cluster.wait_for((archive / name).exists, f"archiving {name}", timeout)


def verify_backup(workspace: Workspace, backup: Path) -> None:
    """Check every file against the manifest, and that the log is readable (pg_verifybackup). Raises
    StackProblem, which names what is wrong."""
    workspace.installation.run("pg_verifybackup", backup, folder=workspace.folder, timeout=120)


def restore(
    workspace: Workspace,
    name: str,
    backup: Path,
    *,
    archive: Path | None = None,
    target_time: datetime | None = None,
    target_lsn: Lsn | None = None,
    target_name: str | None = None,
    inclusive: bool = False,
    fence: Fence | None = None,
    archive_to: Path | None = None,
    disk_mb: int | None = None,
    timeout: float = START_TIMEOUT,
) -> Cluster:
    """A new cluster from `backup` and the log files in `archive`, replayed to the target and
    promoted to a timeline of its own; everything older is then closed in `fence`.

    At most one target; none: to the end of the archive. `target_time` has a time zone.
    `inclusive`: whether what happened exactly at a time or LSN is part of it. `archive_to`: where
    the new cluster archives. Raises StackProblem when the target is not reached.
    """
    targets = {
        "recovery_target_time": target_time and target_time.astimezone(UTC).isoformat(" "),
        "recovery_target_lsn": target_lsn and str(target_lsn),
        "recovery_target_name": target_name,
    }
    chosen = {key: value for key, value in targets.items() if value}
    if len(chosen) > 1:
        raise StackProblem(f"restore of {name}: give one target, not {len(chosen)}")
    if archive is None and chosen:
        raise StackProblem(f"restore of {name}: a target needs the log archive")
    cluster = Cluster(workspace, name, fence=fence, archive=archive_to, disk_mb=disk_mb)
    try:
        _recover(cluster, backup, archive, {**_HOW, **chosen, _INCLUSIVE: _on(inclusive)}, timeout)
    except BaseException:
        cluster.remove()
        raise
    if fence is not None:
        fence.close(cluster.timeline() - 1, name)
    return cluster


def _recover(
    cluster: Cluster,
    backup: Path,
    archive: Path | None,
    recovery: Mapping[str, str],
    timeout: float,
) -> None:
    cluster.workspace.copy(backup, cluster.data)
    (cluster.data / "standby.signal").unlink(missing_ok=True)
    if archive is not None:
        recovery = {**recovery, "restore_command": f'cp "{archive}/%f" "%p"'}
        signal_file = cluster.data / "recovery.signal"
        signal_file.touch(mode=0o600)
        cluster.workspace.installation.give(signal_file)
    cluster.configure(recovery=recovery)
    cluster.start(timeout)
    cluster.wait_for(lambda: _recovered(cluster), "recovered", timeout)
    cluster.configure(recovery={})


def _recovered(cluster: Cluster) -> bool:
    try:
        return not cluster.in_recovery()
    except StackProblem:
        return False  # it may be ending; its log then says why


def _on(value: bool) -> str:
    return "on" if value else "off"
