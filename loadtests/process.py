"""One child process that is never left behind: its log kept, its end certain."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue

from loadtests import leash
from scenarios.child_environment import child_environment


class StackProblem(Exception):
    """A live run cannot be set up or go on; the message is one line that says what to do."""


class RunFailed(StackProblem):
    """A live run began, and did not test what it was to test; what it recorded is readable."""


class Process:
    """Starts `command` in a process group of its own, with stderr, and stdout unless it is asked
    for, in the file `log`. When this process dies, by whatever cause, the child gets
    `death_signal` (on Linux). `environment` is added to what children inherit. `user`: whom root
    lets it run as. `folder`: where it starts."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        read_stdout: bool = False,
        death_signal: signal.Signals = signal.SIGKILL,
        user: str | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), str(+death_signal)]
        with log.open("ab") as stream:
            self._popen = _spawn(
                lambda: subprocess.Popen(
                    [*leashed, user or "", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE if read_stdout else stream,
                    stderr=stream,
                    env=child_environment() | dict(environment or {}),
                    cwd=folder,
                    start_new_session=True,
                )
            )

    @property
    def pid(self) -> int:
        """The child's process id, which is also that of its group."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def first_line(self, timeout: float) -> bytes:
        """The first line of its stdout. Raises StackProblem if it ends or says nothing for
        `timeout` seconds."""
        stdout = self._popen.stdout
        if stdout is None:
            raise ValueError(f"{self.name} was started without read_stdout")
        deadline = time.monotonic() + timeout
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise self.problem(f"is not ready after {timeout:.0f} s")
                part = os.read(stdout.fileno(), 65536)
                if not part:
                    self._popen.wait(timeout)
                    raise self.problem("did not start")
                line += part
        return line

    def problem(self, what: str) -> StackProblem:
        """A StackProblem that quotes the log's last line."""
        last = last_line(self.log)
        return StackProblem(f"{self.name} {what}: {last or 'it said nothing'} (log: {self.log})")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the child alone, if it still runs."""
        self._popen.send_signal(number)

    def wait(self, timeout: float) -> bool:
        """Whether it has ended, after at most `timeout` seconds."""
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it and all that it started, at once and without a goodbye."""
        self._signal_group(signal.SIGKILL)
        self._popen.wait()
        self._close()

    def pause(self) -> None:
        """Let it and all that it started stand still."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal_group(signal.SIGCONT)

    def stop(self, grace: float) -> None:
        """Ask it to end (SIGTERM); after `grace` seconds, or when it left children, SIGKILL."""
        if self._popen.poll() is None:
            self._popen.terminate()
            self.resume()  # a process that stands still hears nothing
            try:
                self._popen.wait(grace)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._popen.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS: the group is a zombie's
            pass

    def _close(self) -> None:
        if self._popen.stdout is not None:
            self._popen.stdout.close()


class _Spawner:
    """Starts children from a thread that lives as long as this process: the kernel takes the end
    of the thread that started a child for the end of its parent."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._wanted: SimpleQueue[
            tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]
        ] = SimpleQueue()
        threading.Thread(target=self._run, name="spawner", daemon=True).start()

    def spawn(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        started: Future[subprocess.Popen[bytes]] = Future()
        self._wanted.put((start, started))
        return started.result()

    def _run(self) -> None:
        while True:
            start, started = self._wanted.get()
            try:
                started.set_result(start())
            except BaseException as error:
                started.set_exception(error)


_spawner: _Spawner | None = None
_spawner_lock = threading.Lock()


def _spawn(start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    global _spawner
    with _spawner_lock:
        if _spawner is None or _spawner.owner != os.getpid():  # threads do not survive a fork
            _spawner = _Spawner()
    return _spawner.spawn(start)


def last_line(log: Path) -> str:
    """The last line of a log that is not empty; empty if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().decode(errors="replace").split("\n")
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
