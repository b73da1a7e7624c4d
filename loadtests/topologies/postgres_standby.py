"""PostgreSQL with a streaming standby beside it, and one lender that follows the primary."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from loadtests.drill.clock import utc
from loadtests.drill.done import Done
from loadtests.postgres import damage, replication
from loadtests.postgres.backup import archive_now, base_backup, verify_backup
from loadtests.postgres.backup import restore as restore_backup
from loadtests.postgres.cluster import Cluster
from loadtests.postgres.disk import SMALLEST_MB
from loadtests.postgres.endpoint import Endpoint
from loadtests.postgres.fence import Fence
from loadtests.postgres.workspace import Workspace
from loadtests.process import StackProblem
from loadtests.relay import Relay
from loadtests.stack import Stack
from loadtests.topologies.base import Replicated
from loadtests.topologies.keys import Keys
from scenarios import topology as layout
from scenarios.drill_steps.base import Party

LENDER = "lender"
STANDBY = "standby"
_WAL_FILE_MB = 16
_DISK_MB = SMALLEST_MB + 6 * _WAL_FILE_MB


class PostgresStandby(Replicated):
    """`primary` and `standby` keep their names in logs and details, whoever has which role.

    With an archive a base backup is taken at the start. `small_disk`: the primary gets a disk of
    its own that can be filled.
    """

    def __init__(
        self,
        settings: layout.PostgresStandby | layout.TwoSites,
        stack: Stack,
        data: Path,
        *,
        small_disk: bool = False,
    ) -> None:
        self.keys = Keys(data / "keys" / "keys.json", data / "escrow", stack, self._lenders)
        self._settings = settings
        self._stack = stack
        self._small_disk = small_disk
        self._workspace: Workspace | None = None
        self._clusters: list[Cluster] = []
        self._relays: list[Relay] = []
        self._endpoints: list[Endpoint] = []
        self._archive: Path | None = None
        self._backups: list[tuple[Path, float]] = []

    @property
    def _lenders(self) -> tuple[str, ...]:
        return (LENDER,)

    @property
    def database(self) -> str:
        return self._endpoints[0].url

    @property
    def versions(self) -> dict[str, str]:
        return {"postgresql": str(self._serving.sql("SHOW server_version")[0][0])}

    # ── start and stop ──────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        settings = self._settings
        self._workspace = workspace = Workspace()
        self._fence = Fence(workspace.folder / "fence.json")
        timeout = settings.archive_every
        if timeout is not None:
            self._archive = workspace.new_folder("archive")
        self._primary = self._added(
            Cluster(
                workspace,
                "primary",
                fence=self._fence,
                archive=self._archive,
                archive_timeout=round(timeout or 0),
                disk_mb=_DISK_MB if self._small_disk else None,
            )
        )
        self._primary.create()
        self._line = self._relay(self._primary, "replication line")
        self._standby = self._added(
            replication.make_standby(
                self._primary,
                STANDBY,
                through=self._line.address,
                slot=settings.slot,
                archive=self._archive,
            )
        )
        if settings.synchronous:
            self._primary.set_synchronous([STANDBY], settings.commit)
        else:
            self._primary.configure(commit=settings.commit)
        self._endpoints = [Endpoint(self._primary, self._fence) for _ in self._lenders]
        self.keys.prepare()
        self._start_lenders()
        self.keys.deposit()
        if self._archive is not None:
            backup = workspace.folder / "backup-1"
            self._backups.append((backup, time.time()))
            base_backup(self._primary, backup)

    def _start_lenders(self) -> None:
        self._stack.start_gateways(self._stack.address(LENDER))
        self._stack.start_lender(LENDER, self.database, key_ring=self.keys.file)

    def stop(self) -> None:
        for endpoint in self._endpoints:
            endpoint.close()
        for relay in self._relays:
            relay.close()
        for cluster in self._clusters:
            with suppress(OSError):  # one that was never started has no log
                cluster.copy_log(self._stack.logs)
        if self._workspace is not None:
            self._workspace.close()
            self._workspace = None

    # ── parties ─────────────────────────────────────────────────────────────────────────────────

    def kill(self, target: Party) -> Done:
        if target in ("lender", "site"):
            self._stack.kill(LENDER)
        if target in ("primary", "site"):
            self._primary.kill()
        if target == "standby":
            self._standby.kill()
        return Done(f"{target} is dead", (f"kill -9 {target}",))

    def freeze(self, target: Party) -> Done:
        if target == "lender":
            self._stack.pause(LENDER)
        else:
            self._named(target).freeze()
        return Done(f"{target} stands still", (f"kill -STOP {target}",))

    def thaw(self, target: Party) -> Done:
        if target == "lender":
            self._stack.resume(LENDER)
        else:
            self._named(target).thaw()
        return Done(f"{target} goes on", (f"kill -CONT {target}",))

    def restart(self, target: Party) -> Done:
        if target == "lender":
            self._stack.kill(LENDER)
            self._stack.restart(LENDER)
        else:
            cluster = self._named(target)
            cluster.kill()
            cluster.start()
        return Done(f"{target} is ready")

    # ── damage ──────────────────────────────────────────────────────────────────────────────────

    def corrupt_page(self, table: str) -> Done:
        page = damage.corrupt_page(self._serving, table)
        return Done(f"page {page.block} of {table} ({page.file.name}) holds garbage")

    def truncate_file(self, table: str) -> Done:
        file = damage.truncate_file(self._serving, table)
        return Done(f"{file.name} of {table} is cut to {file.stat().st_size:,} bytes")

    def delete_table(self, table: str) -> Done:
        statement = f'DROP TABLE "{table}"'
        self._serving.sql(statement)
        return Done(f"table {table} is gone", (statement,))

    def fill_disk(self) -> Done:
        damage.fill_disk(self._primary)
        return Done(f"no byte is left on the primary's disk ({self._primary.disk.means})")

    def free_disk(self) -> Done:
        damage.free_disk(self._primary)
        if self._primary.running:
            return Done("there is room again")
        self._primary.start()
        return Done("there is room again; the primary, which had died of it, is ready")

    # ── backups ─────────────────────────────────────────────────────────────────────────────────

    def spoil_backup(self) -> Done:
        if not self._backups:
            raise StackProblem("there is no backup; write archive_every in topology")
        file = damage.spoil_backup(self._backups[-1][0])
        return Done(f"{file.name} of {self._backups[-1][0].name} holds garbage")

    def restore(self, struck_at: float, older: int) -> Done:
        return self._recovered(None, older)

    def recover_to(self, moment: float) -> Done:
        return self._recovered(moment, 0)

    def _recovered(self, moment: float | None, older: int) -> Done:
        backup = self._readable(older)
        workspace = self._running_workspace
        old = self._serving
        with suppress(StackProblem):  # one that is dead has archived what it will
            archive_now(old)
        for cluster in (old, self._standby):
            cluster.kill()
        recovered = self._added(
            restore_backup(
                workspace,
                f"recovered-{len(self._clusters) - 1}",
                backup,
                archive=self._archive,
                target_time=None if moment is None else datetime.fromtimestamp(moment, UTC),
                fence=self._fence,
            )
        )
        self._serve_from(recovered)
        to = "the end of the archive" if moment is None else utc(moment)
        return Done(
            f"{backup.name} and the archived log replayed to {to}",
            (f"restore_command from archive, recovery target {to}",),
        )

    def _readable(self, older: int) -> Path:
        passed_over = []
        for backup, _ in reversed(self._backups):
            try:
                verify_backup(self._running_workspace, backup)
            except StackProblem as problem:
                passed_over.append(str(problem))
                continue
            if older == 0:
                return backup
            older -= 1
        unread = "; ".join(passed_over) or "none was taken: write archive_every in topology"
        raise StackProblem(f"there is no backup to restore: {unread}")

    # ── replication ─────────────────────────────────────────────────────────────────────────────

    def cut_replication(self) -> Done:
        self._line.cut()
        return Done("nothing reaches the standby")

    def lag_replication(self, delay: float) -> Done:
        self._line.delay(delay, "downstream")
        return Done(f"log reaches the standby {delay:g} s late")

    def mend_replication(self) -> Done:
        self._line.delay(0)
        self._line.resume()
        return Done("log reaches the standby at once")

    def promote(self) -> Done:
        self._line.cut()  # what has not arrived when it is promoted never will
        replication.promote(self._standby)
        self._serve_from(self._standby)
        return Done(
            f"{self._standby.name} serves on timeline {self._standby.timeline()};"
            f" {self._primary.name} is fenced",
            ("pg_ctl promote",),
        )

    def revive_primary(self) -> Done:
        old = self._primary
        fenced = old.revive()
        try:
            with psycopg.connect(
                old.url().replace("postgresql+psycopg", "postgresql"), connect_timeout=3
            ) as connection:
                connection.execute("CREATE TABLE split_brain (written_at timestamptz)")
        except psycopg.Error as error:
            said = str(error).strip().partition("\n")[0]
        else:
            raise StackProblem("split brain: the old primary accepted a write")
        if not fenced:
            raise StackProblem("the old primary came back without a fence")
        return Done(f"the old primary is up, fenced; a client's write is refused: {said}")

    def switch_back(self) -> Done:
        old, serving = self._primary, self._serving
        if old is serving:
            raise StackProblem("the old primary has its role already")
        line = self._relay(serving, "replication line back")
        replication.rewind(old, serving, through=line.address, slot=self._settings.slot)
        began = time.monotonic()
        # Nobody is served from here on, so that nothing is written that would be lost.
        for endpoint in self._endpoints:
            endpoint.relay.cut()
        replication.wait_until_replayed(old, serving.lsn())
        replication.promote(old)
        self._serve_from(old)
        for endpoint in self._endpoints:
            endpoint.relay.resume()
        away = time.monotonic() - began
        return Done(
            f"{old.name} serves again on timeline {old.timeline()}, after {away:.1f} s without"
            " service",
            ("pg_rewind", "pg_ctl promote"),
        )

    # ── inside ──────────────────────────────────────────────────────────────────────────────────

    @property
    def _serving(self) -> Cluster:
        return self._endpoints[0].primary

    @property
    def _running_workspace(self) -> Workspace:
        if self._workspace is None:
            raise StackProblem("the drill is over")
        return self._workspace

    def _serve_from(self, cluster: Cluster) -> None:
        for endpoint in self._endpoints:
            endpoint.follow(cluster)

    def _named(self, target: Party) -> Cluster:
        return self._standby if target == "standby" else self._primary

    def _added(self, cluster: Cluster) -> Cluster:
        self._clusters.append(cluster)
        return cluster

    def _relay(self, cluster: Cluster, name: str) -> Relay:
        relay = Relay(cluster.address, name=name)
        self._relays.append(relay)
        return relay
