"""One PostgreSQL server on its own data folder, port and socket: started, killed, frozen, asked."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import psutil
import psycopg

from loadtests.postgres.disk import Disk
from loadtests.postgres.fence import Fence, Fenced
from loadtests.postgres.lsn import Lsn
from loadtests.postgres.settings import ADMIN, APPLICATION, CommitLevel, Settings, access
from loadtests.postgres.shared_memory import release
from loadtests.postgres.workspace import Workspace
from loadtests.process import Process, StackProblem, last_line
from loadtests.relay import Address

START_TIMEOUT = 60.0
KILL_TIMEOUT = 10.0
RELOAD_TIMEOUT = 10.0
SQL_TIMEOUT = 10.0
TOOL_TIMEOUT = 120.0
_CONNECT_TIMEOUT = 2
_POLL = 0.02
_SETTINGS_FILE = "bindrill.conf"


class Cluster:
    """A server in `workspace`, under a `name` that is unique there.

    `fence` guards it from serving on a closed timeline. `archive`: a folder that gets its log
    files, one at least every `archive_timeout` seconds in which something was written (0: when
    full).
    `disk_mb`: a small disk of its own for it, where the machine allows that (`disk.means`).

    Its processes die with the workspace. Methods raise StackProblem, with what the server said
    last, when a step fails or takes longer than its timeout (seconds).
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        *,
        fence: Fence | None = None,
        archive: Path | None = None,
        archive_timeout: int = 0,
        disk_mb: int | None = None,
    ) -> None:
        self.workspace = workspace
        self.name = name
        self.fence = fence
        self.folder = workspace.new_folder(name)
        self.data = self.folder / "data"
        self.log = workspace.folder / f"{name}.log"
        self.disk = Disk(workspace, self.folder, disk_mb)
        self._port = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # Linux lets the server listen on a port that this socket holds, also while it is down.
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))
        self.address = Address(*self._port.getsockname())
        if sys.platform != "linux":
            self._port.close()
        self._settings = Settings(
            self.address.port, workspace.folder, archive, archive_timeout=archive_timeout
        )
        self._process: Process | None = None
        self._frozen = False
        self._fenced = False
        workspace.at_close(self._port.close)
        workspace.at_close(self.kill)
        self._unwatch = fence.watch(self._give_way) if fence is not None else lambda: None

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    def create(self, template: Path | None = None) -> None:
        """Make an empty database with its roles, with data checksums, and start it. `template`: the
        data folder of a stopped cluster of the same workspace, copied instead."""
        if template is not None:
            self.workspace.copy(template, self.data)
            self.start()
            return
        self.tool(
            "initdb", "-D", self.data, "-U", ADMIN, "-A", "reject", "--data-checksums",
            "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        self.start()
        password = self.workspace.password
        for statement in (
            f"CREATE ROLE {APPLICATION} LOGIN PASSWORD '{password}'",
            f"CREATE ROLE replicator REPLICATION LOGIN PASSWORD '{password}'",
            f"CREATE DATABASE {APPLICATION} OWNER {APPLICATION}",
        ):
            self.sql(statement, database="postgres")

    def start(self, timeout: float = START_TIMEOUT) -> None:
        """Start it and wait until it takes connections. Raises Fenced for a primary whose timeline
        is closed: rewind it, or `revive` it fenced."""
        self._start(timeout, fenced=False)

    def revive(self, timeout: float = START_TIMEOUT) -> bool:
        """Bring it back as it was, whatever state it is in. When its timeline is closed it comes
        back fenced: for the administrator alone, read-only, archiving nothing. Returns whether it
        is fenced."""
        self.kill()
        fenced = not self._admitted()
        self._start(timeout, fenced=fenced)
        return fenced

    def stop(self, mode: Literal["fast", "immediate"] = "fast", timeout: float = 60.0) -> None:
        """Shut it down. `fast` waits until standbys have got everything, so a delayed line makes it
        slow; `immediate` leaves recovery to the next start."""
        process = self._running()
        if self._frozen:
            raise StackProblem(f"{self.name} is frozen: thaw or kill it")
        process.send(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
        if not process.wait(timeout):
            raise self.problem(f"did not stop ({mode}) within {timeout:.0f} s")
        self.kill()

    def kill(self) -> None:
        """SIGKILL of all its processes at once; nothing happens when it is down."""
        if self._process is None:
            return
        processes = self._halt()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.kill()
        deadline = time.monotonic() + KILL_TIMEOUT
        while not all(map(_dead, processes)):
            if time.monotonic() > deadline:
                raise StackProblem(f"{self.name} cannot be killed: it is stuck in the kernel")
            time.sleep(0.001)
        release(self.data)
        self._process = None
        self._frozen = False

    def freeze(self) -> None:
        """SIGSTOP of all its processes: it neither answers nor dies."""
        self._running()
        self._halt()
        self._frozen = True

    def thaw(self) -> None:
        """SIGCONT of all its processes."""
        self._running()
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()
        self._frozen = False

    def remove(self) -> None:
        """Kill it and delete all it has but its log. Nothing may be asked of it any more."""
        self._unwatch()
        self.kill()
        self.disk.unmount()
        shutil.rmtree(self.folder)
        self._port.close()

    # ── state ───────────────────────────────────────────────────────────────────────────────────

    @property
    def running(self) -> bool:
        """Whether its processes are there, answering or not."""
        return self._process is not None and self._process.exit_code is None

    @property
    def frozen(self) -> bool:
        return self._frozen

    @property
    def fenced(self) -> bool:
        """Whether it runs, for the administrator alone."""
        return self.running and self._fenced

    @property
    def standby(self) -> bool:
        """Whether its data folder is that of a standby, running or not."""
        return (self.data / "standby.signal").exists()

    @property
    def settings(self) -> Settings:
        return self._settings

    def is_up(self) -> bool:
        """Whether it answers a query now."""
        if not self.running:
            return False
        try:
            return self.sql("SELECT 1", timeout=_CONNECT_TIMEOUT) == [(1,)]
        except StackProblem:
            return False

    def in_recovery(self) -> bool:
        """Whether it runs as a standby, or still replays its log."""
        return bool(self.sql("SELECT pg_is_in_recovery()")[0][0])

    def lsn(self) -> Lsn:
        """Up to where the log is written, on a primary, or replayed, on a standby."""
        return Lsn.parse(
            self.sql(
                "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                " ELSE pg_current_wal_lsn() END::text"
            )[0][0]
        )

    def received_lsn(self) -> Lsn:
        """Up to where a standby has the log on its disk, replayed or not."""
        return Lsn.parse(
            self.sql("SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text")[
                0
            ][0]
        )

    def timeline(self) -> int:
        """The timeline that its data folder is on; known also while it is down or frozen."""
        shown = self.tool("pg_controldata", "-D", self.data)
        found = [
            int(number)
            for label in ("Latest checkpoint's TimeLineID", "Min recovery ending loc's timeline")
            for number in re.findall(rf"^{label}:\s*(\d+)", shown, re.M)
        ]
        # A promotion writes its history file first and its checkpoint much later.
        found += [int(file.stem, 16) for file in (self.data / "pg_wal").glob("*.history")]
        return max(found)

    def system_identifier(self) -> str:
        """The number that a primary shares with its standbys and backups."""
        shown = self.tool("pg_controldata", "-D", self.data)
        return str(re.findall(r"^Database system identifier:\s*(\d+)", shown, re.M)[0])

    # ── talking to it ───────────────────────────────────────────────────────────────────────────

    def url(self, user: str = APPLICATION, *, through: Address | None = None) -> str:
        """An SQLAlchemy URL of the lender's database: as the lender over TCP, `through` a relay if
        given; as ADMIN through the socket."""
        if user == ADMIN:
            folder = quote(str(self.workspace.folder), safe="")
            return f"postgresql://{ADMIN}@/{APPLICATION}?host={folder}&port={self.address.port}"
        host, port = through or self.address
        return (
            f"postgresql://{user}:{self.workspace.password}@{host}:{port}/{APPLICATION}"
            "?sslmode=disable&gssencmode=disable"
        )

    def sql(
        self,
        statement: str,
        parameters: Sequence[Any] = (),
        *,
        database: str = APPLICATION,
        timeout: float = SQL_TIMEOUT,
    ) -> list[tuple[Any, ...]]:
        """Run one statement as the administrator, in a transaction of its own, and return its rows.
        The StackProblem's cause is the psycopg.Error."""
        try:
            with psycopg.connect(
                self.admin_conninfo(database), autocommit=True, connect_timeout=_CONNECT_TIMEOUT
            ) as connection:
                watchdog = threading.Timer(timeout, _break_off, [connection])
                watchdog.daemon = True
                watchdog.start()
                try:
                    cursor = connection.execute(statement, parameters or None)
                    return cursor.fetchall() if cursor.description else []
                finally:
                    watchdog.cancel()
        except psycopg.Error as error:
            said = str(error).strip().partition("\n")[0] or type(error).__name__
            raise StackProblem(f"{self.name}: {said}") from error

    def admin_conninfo(self, database: str = APPLICATION) -> str:
        """For libpq's own tools."""
        return (
            f"host={self.workspace.folder} port={self.address.port} user={ADMIN} dbname={database}"
        )

    def tool(self, program: str, *arguments: str | Path, timeout: float = TOOL_TIMEOUT) -> str:
        """Run one of PostgreSQL's programs and return its stdout."""
        return self.workspace.installation.run(
            program,
            *arguments,
            folder=self.workspace.folder,
            timeout=timeout,
            password=self.workspace.password,
        ).stdout

    def configure(self, **changes: Any) -> None:
        """Change fields of its Settings, at once where it runs and the setting allows that."""
        self._settings = replace(self._settings, **changes)
        if self.data.exists():
            self._write_files()
        if self.running and not self._frozen:
            self.sql("SELECT pg_reload_conf()", database="postgres")

    def set_synchronous(self, names: Sequence[str], commit: CommitLevel = "on") -> None:
        """Commits wait for any one of the standbys `names` (application names; none: for nobody),
        as far as `commit` says. On return it holds for every commit that begins."""
        chosen = "ANY 1 (" + ", ".join(f'"{name}"' for name in names) + ")" if names else ""
        self.configure(synchronous_names=chosen, commit=commit)
        if self.running:
            show = "SHOW synchronous_standby_names"
            self.wait_for(lambda: self.sql(show) == [(chosen,)], "reloaded", RELOAD_TIMEOUT)
            # Commits go by what the checkpointer has read, which it does before a checkpoint.
            self.sql("CHECKPOINT", timeout=TOOL_TIMEOUT)

    def copy_log(self, folder: Path) -> Path:
        """Copy the server's log into `folder`; it holds no statements and no row contents."""
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(self.log, folder / self.log.name))

    def problem(self, what: str) -> StackProblem:
        """A StackProblem with the log's last complaint, or else its last line."""
        return StackProblem(f"{self.name} {what}: {_complaint(self.log)} (log: {self.log})")

    def wait_for(self, condition: Callable[[], bool], what: str, timeout: float) -> None:
        """Poll until `condition` holds. Raises StackProblem when the server ends or it takes
        longer."""
        deadline = time.monotonic() + timeout
        while not condition():
            if not self.running:
                raise self.problem(f"ended before {what}")
            if time.monotonic() > deadline:
                raise self.problem(f"not {what} after {timeout:.0f} s")
            time.sleep(_POLL)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────

    def _start(self, timeout: float, *, fenced: bool) -> None:
        if self.running:
            raise StackProblem(f"{self.name} is running already")
        if not fenced and not self._admitted():
            raise Fenced(
                f"{self.name} is on timeline {self.timeline()}, which a promotion has closed:"
                " rewind it first"
            )
        self.kill()
        self._fenced = fenced
        self._write_files()
        command = [str(self.workspace.installation.programs / "postgres"), "-D", str(self.data)]
        self._process = Process(
            self.name,
            command,
            self.log,
            death_signal=signal.SIGQUIT,  # its immediate shutdown, which leaves no shared memory
            user=self.workspace.installation.user,
            folder=self.workspace.folder,
        )
        try:
            self.wait_for(self._ready, "ready", timeout)
            if self._settings.archive_timeout and not self.standby:
                # The checkpointer fell asleep before recovery had ended, without this timeout.
                self.sql("SELECT pg_reload_conf()", database="postgres")
        except BaseException:
            self.kill()
            raise

    def _ready(self) -> bool:
        """As pg_ctl tells it: the eighth line of postmaster.pid, once it is ours."""
        try:
            lines = (
                (self.data / "postmaster.pid")
                .read_text(encoding="utf-8", errors="replace")
                .splitlines()
            )
        except FileNotFoundError:
            return False
        return (
            len(lines) >= 8
            and self._process is not None
            and int(lines[0]) == self._process.pid
            and lines[7].strip() in ("ready", "standby")
        )

    def _write_files(self) -> None:
        """Its settings, and who may come in."""
        self._write("postgresql.conf", f"include '{_SETTINGS_FILE}'\n")
        self._write("postgresql.auto.conf", "")
        self._write(_SETTINGS_FILE, self._settings.text(fenced=self._fenced))
        self._write("pg_hba.conf", access(fenced=self._fenced))

    def _write(self, name: str, text: str) -> None:
        path = self.data / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self.workspace.installation.give(path)

    def _admitted(self) -> bool:
        return self.fence is None or self.standby or self.fence.admits(self.timeline())

    def _give_way(self) -> None:
        """Power fencing: a primary on a closed timeline ends at once, frozen or not, and its files
        are such that it comes back fenced, whoever starts it."""
        if self.data.exists() and not self._fenced and not self._admitted():
            self.kill()
            self._fenced = True
            self._write_files()

    def _running(self) -> Process:
        if self._process is None or self._process.exit_code is not None:
            raise StackProblem(f"{self.name} is not running")
        return self._process

    def processes(self) -> list[psutil.Process]:
        """The postmaster and all below it; each of them leads a process group of its own."""
        if self._process is None:
            return []
        try:
            postmaster = psutil.Process(self._process.pid)
            return [postmaster, *postmaster.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _halt(self) -> list[psutil.Process]:
        """Stop all its processes, the postmaster first, so that it starts no more."""
        halted: list[psutil.Process] = []
        while new := [process for process in self.processes() if process not in halted]:
            for process in new:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            halted += new
        return halted


def _dead(process: psutil.Process) -> bool:
    """Also when nobody has asked yet how it ended."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _break_off(connection: psycopg.Connection[Any]) -> None:
    """Wake up whoever waits on a connection to a server that does not answer."""
    with (
        suppress(OSError, psycopg.Error),
        socket.socket(fileno=socket.dup(connection.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)


def _complaint(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-200:]
    except FileNotFoundError:
        lines = []
    # What it says to clients that come at a bad time explains nothing.
    grave = [
        line
        for line in lines
        if re.search(r"\b(FATAL|PANIC|ERROR):(?!  the database system is)", line)
    ]
    return grave[-1].strip() if grave else last_line(log) or "it said nothing"
