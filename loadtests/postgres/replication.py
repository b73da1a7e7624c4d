"""Standbys: made, watched, promoted, and old primaries turned into standbys."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from loadtests.postgres.cluster import TOOL_TIMEOUT, Cluster
from loadtests.postgres.lsn import Lsn
from loadtests.postgres.settings import REPLICATOR, Upstream
from loadtests.process import StackProblem
from loadtests.relay import Address

CATCH_UP_TIMEOUT = 60.0
PROMOTE_TIMEOUT = 60.0


@dataclass(frozen=True)
class StandbyState:
    """What a primary knows of one standby. Lag in bytes of log that is not yet replayed, and in
    seconds from a commit here to its replay there (None: idle, or nothing measured yet)."""

    application_name: str
    state: str
    """`startup`, `catchup`, `streaming` or `backup`."""
    sync_state: str
    """`async`, `potential`, `sync` or `quorum`."""
    sent: Lsn
    written: Lsn
    flushed: Lsn
    replayed: Lsn
    lag_bytes: int
    lag_seconds: float | None


def replication_state(primary: Cluster) -> list[StandbyState]:
    """Of the standbys that are connected now, by application name."""
    rows = primary.sql(
        "SELECT application_name, state, sync_state, sent_lsn::text, write_lsn::text,"
        " flush_lsn::text, replay_lsn::text,"
        " pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint,"
        " extract(epoch FROM replay_lag)::float8"
        " FROM pg_stat_replication WHERE replay_lsn IS NOT NULL ORDER BY application_name"
    )
    return [
        StandbyState(
            application_name=name,
            state=state,
            sync_state=sync_state,
            sent=Lsn.parse(sent),
            written=Lsn.parse(written),
            flushed=Lsn.parse(flushed),
            replayed=Lsn.parse(replayed),
            lag_bytes=max(0, behind),
            lag_seconds=seconds,
        )
        for name, state, sync_state, sent, written, flushed, replayed, behind, seconds in rows
    ]


def make_standby(
    primary: Cluster,
    name: str,
    *,
    through: Address | None = None,
    application_name: str | None = None,
    slot: bool = True,
    archive: Path | None = None,
    disk_mb: int | None = None,
) -> Cluster:
    """A streaming standby of `primary`, copied by pg_basebackup and caught up.

    `through`: a relay before the primary. `application_name` (default: `name`) is also the name of
    its replication slot. `archive`: where it archives once promoted, and looks for missing log. It
    shares the primary's fence.
    """
    standby = Cluster(
        primary.workspace,
        name,
        fence=primary.fence,
        archive=archive,
        archive_timeout=primary.settings.archive_timeout,
        disk_mb=disk_mb,
    )
    try:
        upstream = _upstream(primary, through, application_name or name, slot)
        arguments = ["--slot", upstream.slot] if upstream.slot else []
        host, port = upstream.address
        standby.tool(
            "pg_basebackup", "-D", standby.data, "-X", "stream", "--checkpoint=fast",
            "--no-password", "-h", host, "-p", str(port), "-U", REPLICATOR, *arguments,
        )  # fmt: skip
        _follow(standby, primary, upstream)
    except BaseException:
        standby.remove()
        raise
    return standby


def promote(standby: Cluster, timeout: float = PROMOTE_TIMEOUT) -> None:
    """Fence all that is older, make `standby` the primary, and wait until it accepts writes. Raises
    Fenced when another server was promoted from the same timeline."""
    if not standby.in_recovery():
        raise StackProblem(f"{standby.name} is the primary already")
    if standby.fence is not None:
        standby.fence.close(standby.timeline(), standby.name)
    standby.tool(
        "pg_ctl",
        "promote",
        "-D",
        standby.data,
        "-w",
        "-t",
        str(round(timeout)),
        timeout=timeout + 5,
    )
    standby.configure(upstream=None)
    # A transaction id is a write; it need not wait for a standby of its own.
    standby.wait_for(lambda: _writes(standby), "accepting writes", timeout)


def rewind(
    old: Cluster,
    source: Cluster,
    *,
    through: Address | None = None,
    application_name: str | None = None,
    slot: bool = True,
) -> None:
    """Turn `old`, a former primary in whatever state, into a standby of `source`: what it alone has
    written is thrown away (pg_rewind). Waits until it has caught up."""
    old.kill()
    # pg_rewind reads the timeline from the last checkpoint, which may be from before the promotion.
    source.sql("CHECKPOINT", timeout=TOOL_TIMEOUT)
    fetch = ["--restore-target-wal"] if old.settings.archive is not None else []
    old.tool(
        "pg_rewind", "-D", old.data, "--source-server", source.admin_conninfo("postgres"), *fetch
    )
    _follow(old, source, _upstream(source, through, application_name or old.name, slot))


def wait_until_streaming(
    primary: Cluster, application_name: str, timeout: float = CATCH_UP_TIMEOUT
) -> None:
    """Until the standby gets the log as it is written."""
    primary.wait_for(
        lambda: any(
            state.application_name == application_name and state.state == "streaming"
            for state in replication_state(primary)
        ),
        f"streaming to {application_name}",
        timeout,
    )


def wait_until_replayed(standby: Cluster, lsn: Lsn, timeout: float = CATCH_UP_TIMEOUT) -> None:
    """Until `standby` shows what was written up to `lsn` on its primary."""
    standby.wait_for(lambda: standby.lsn() >= lsn, f"at {lsn}", timeout)


def _upstream(
    primary: Cluster, through: Address | None, application_name: str, slot: bool
) -> Upstream:
    slot_name = application_name.replace("-", "_")  # slots are named in a-z, 0-9 and _ alone
    if slot:
        primary.sql(
            "SELECT pg_create_physical_replication_slot(%s, true) WHERE NOT EXISTS"
            " (SELECT FROM pg_replication_slots WHERE slot_name = %s)",
            (slot_name, slot_name),
        )
    return Upstream(
        through or primary.address,
        primary.workspace.password,
        application_name,
        slot_name if slot else None,
    )


def _follow(standby: Cluster, primary: Cluster, upstream: Upstream) -> None:
    _forget_slots(standby)
    signal_file = standby.data / "standby.signal"
    signal_file.touch(mode=0o600)
    standby.workspace.installation.give(signal_file)
    standby.configure(upstream=upstream, synchronous_names="", recovery={})
    standby.start()
    wait_until_streaming(primary, upstream.application_name)
    wait_until_replayed(standby, primary.lsn())


def _forget_slots(standby: Cluster) -> None:
    """Slots of its time as a primary would keep its log for ever."""
    for slot in (standby.data / "pg_replslot").iterdir():
        shutil.rmtree(slot)


def _writes(cluster: Cluster) -> bool:
    try:
        cluster.sql("SELECT set_config('synchronous_commit', 'off', false), pg_current_xact_id()")
    except StackProblem:
        return False
    return True
