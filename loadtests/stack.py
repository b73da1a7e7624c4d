"""The processes around a live run: the gateways, and the lender unless a team brings its own."""

from __future__ import annotations

import atexit
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import msgspec

from loadtests.admin import MOST_OF_A_TARGET, AdminProblem, fetch
from loadtests.process import Process, StackProblem
from mocks.lender.database_url import DatabaseUrl, sqlite_url
from mocks.server.options import DATABASE_VARIABLE, ServeOptions, read_options, write_options
from reports.run_folder import check_spelling
from scenarios.addresses import is_loopback, parse_address
from scenarios.ceilings.readings import readings_path
from scenarios.child_environment import libpq_variables
from scenarios.interruption import undisturbed
from scenarios.loader import dump
from scenarios.schema import Scenario

__all__ = ["Stack", "StackProblem"]

START_TIMEOUT = 60.0
"""Seconds until a server must be ready."""
GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL."""
TARGET_PORTS = {"bank": 8081, "sms": 8082, "payment": 8083}
"""Where the gateways stand for a team's own service, which must know them beforehand."""


class _Ready(msgspec.Struct):
    ready: dict[str, str]
    admin: str


class Stack:
    """The servers of one live run, in `folder`: their options, logs (`logs/`), and the lender's
    database unless `database` (an SQLAlchemy URL) says where.

    With `target`, the URL of a team's own binding service, there is no lender process, and the
    gateways take the ports TARGET_PORTS. Use it as a context manager: whatever happens inside, no
    process and no port stays behind.
    """

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        *,
        target: str | None = None,
        allow_remote: bool = False,
        database: str | None = None,
    ) -> None:
        """Raises AddressProblem for a target that is no URL, StackProblem for one that is not
        loopback, without `allow_remote`, StoreUnavailable for what is no database's address,
        RunProblem for a folder whose name is not text."""
        if target is not None:
            check_target(target, allow_remote)
        if database is not None:
            DatabaseUrl(database)  # before anything is started
        self.urls: dict[str, str] = {}
        """The root URL of bank, sms, payment and lender, once started."""
        self.admin_urls: dict[str, str] = {}
        """What `/__admin` is below, also while a fault has closed a server's port."""
        self.logs = folder / "logs"
        self.scenario_file = folder / "scenario.yaml"
        self._scenario = scenario
        self._folder = folder.resolve()
        check_spelling(self._folder)
        self._target = target.rstrip("/") if target else None
        self._allow_remote = allow_remote
        self._database = database
        self._databases: dict[str, str] = {}
        self._processes: dict[str, Process] = {}
        self._servers: set[str] = set()
        self._killed: set[str] = set()
        self._paused: set[str] = set()
        self._reserved: list[socket.socket] = []
        self._ports: dict[str, int] = {}

    @property
    def foreign(self) -> bool:
        """Whether the lender is a team's own."""
        return self._target is not None

    def __enter__(self) -> Stack:
        atexit.register(self.stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with undisturbed():
            self.stop()
        atexit.unregister(self.stop)

    def start(self) -> None:
        """Start every server and wait until it is ready. Raises StackProblem."""
        ports = dict.fromkeys(TARGET_PORTS, 0)
        if self._target is not None:
            ports = TARGET_PORTS
            _expect_free(ports)
        elif any(fault.where == "process" for fault in self._scenario.fault_timeline):
            # The lender must find them where they were after a restart.
            ports = {name: self._reserve_port() for name in TARGET_PORTS}
        self.start_gateways(self._target or self.address("lender"), ports)
        if self._target is not None:
            self._expect_target(self._target)
        elif self._database is None:
            database = sqlite_url(self._folder / "lender.db")
            self.start_lender("lender", database, key_ring=self._folder / "keys.json")
        else:
            # A database of the user's own outlives the run, and so do the keys it is sealed with.
            self.start_lender("lender", self._database)

    def start_gateways(self, lender: str, ports: Mapping[str, int] | None = None) -> None:
        """Start the gateways, at free ports unless given. `lender` is the root URL at which
        customers and callbacks reach it. Raises StackProblem."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.scenario_file.write_text(dump(self._scenario), encoding="utf-8")
        self._write_options(
            "gateways",
            ServeOptions(
                ports=dict(ports or dict.fromkeys(TARGET_PORTS, 0)),
                scenario=str(self.scenario_file),
                callback_url=lender,
                allow_remote_callbacks=self._allow_remote,
                readings=readings_path(self._folder, "gateways"),
                admin_port=self._admin_port("gateways"),
            ),
        )
        self._serve("gateways")
        self.urls["lender"] = self.admin_urls["lender"] = lender

    def start_lender(
        self, name: str, database: str, *, key_ring: Path | None = None, node: str = "lender-1"
    ) -> None:
        """Start a lender process called `name` at `address(name)`, after the gateways. `database`
        is an SQLAlchemy URL, `key_ring` that of `bindrill serve` if None, `node` its name in audit
        chain and outbox. Raises StackProblem."""
        options = ServeOptions(
            ports={"lender": urlsplit(self.address(name)).port or 0},
            scenario=str(self.scenario_file),
            node=node,
            gateways={gateway: self.urls[gateway] for gateway in TARGET_PORTS},
            readings=readings_path(self._folder, name),
            allow_customer_headers=True,
            admin_port=self._admin_port(name),
        )
        if key_ring is not None:
            options = msgspec.structs.replace(options, key_ring=key_ring)
        self._databases[name] = database
        self._write_options(name, options)
        self._serve(name)

    def address(self, name: str) -> str:
        """The root URL of the lender process called `name`, which stays its own."""
        if name not in self._ports:
            self._ports[name] = self._reserve_port()
        return f"http://127.0.0.1:{self._ports[name]}"

    def _admin_port(self, name: str) -> int:
        return urlsplit(self.address(f"admin of {name}")).port or 0

    def begin(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        folder: Path | None = None,
    ) -> Process:
        """Start one more process in the stack's care; the last begun is the first to be stopped.
        `environment` is added to what children inherit, `folder` is where it starts.

        Should this process die, the other gets SIGTERM, to write down what it has.
        """
        process = Process(
            name,
            command,
            self.logs / f"{name}.log",
            environment=environment,
            death_signal=signal.SIGTERM,
            folder=folder,
        )
        self._processes[name] = process
        return process

    def end(self, name: str) -> None:
        """Stop the process called `name`, if there is one, as `stop` would."""
        if name in self._processes:
            self._processes.pop(name).stop(GRACE)

    def kill(self, name: str) -> None:
        """SIGKILL the process called `name` (`lender` or `gateways`); it gets no chance to tidy."""
        self._killed.add(name)
        self._paused.discard(name)
        self._processes[name].kill()

    def shut(self, name: str) -> None:
        """End the process called `name` gracefully, to be started again by `restart`."""
        self._killed.add(name)
        self._processes[name].stop(GRACE)

    def pause(self, name: str) -> None:
        """Let the process called `name` stand still (SIGSTOP). Raises StackProblem when it is
        down."""
        if name in self._killed:
            raise StackProblem(f"{name} is down, and cannot stand still")
        self._paused.add(name)
        self._processes[name].pause()

    def resume(self, name: str) -> None:
        """Let a paused process go on (SIGCONT)."""
        self._paused.discard(name)
        self._processes[name].resume()

    def answers(self, name: str) -> bool:
        """Whether the process called `name` is neither killed nor paused."""
        return name not in self._killed | self._paused

    def restart(self, name: str, *, database: str | None = None) -> None:
        """Start a killed process again, on the same port and database, or a lender on another
        `database`. A lender that is started again must find its keys. Raises StackProblem."""
        if name != "gateways":
            options = read_options(self._options_file(name))
            self._write_options(name, msgspec.structs.replace(options, new_keys=False))
            self._databases[name] = database or self._databases[name]
        self._serve(name)
        self._killed.discard(name)

    def process(self, name: str) -> Process:
        """The process called `name`."""
        return self._processes[name]

    def check(self) -> None:
        """Raises StackProblem when a server has ended that nobody killed through here."""
        for name in self._servers - self._killed:
            process = self._processes.get(name)
            if process is not None and process.exit_code is not None:
                raise process.problem(f"ended with code {process.exit_code}")

    def stop(self) -> None:
        """Stop everything, in the reverse order of starting."""
        for name in reversed(tuple(self._processes)):
            self._processes.pop(name).stop(GRACE)
        while self._reserved:
            self._reserved.pop().close()

    def _reserve_port(self) -> int:
        """A free port that stays a server's while it is down.

        The socket is bound and never listens. Without it the kernel may give the port to a client
        that connects to it (which then talks to itself), and a restart finds it taken.
        """
        reserved = socket.socket()
        self._reserved.append(reserved)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        return port

    def _options_file(self, name: str) -> Path:
        return self._folder / f"{name}-options.json"

    def _write_options(self, name: str, options: ServeOptions) -> None:
        write_options(options, self._options_file(name))

    def _serve(self, name: str) -> None:
        command = [sys.executable, "-m", "mocks.server", "--options", str(self._options_file(name))]
        process = Process(
            name,
            command,
            self.logs / f"{name}.log",
            environment=self._reaching_database(name),
            read_stdout=True,
        )
        self._processes[name] = process
        self._servers.add(name)
        said = msgspec.json.decode(process.first_line(START_TIMEOUT), type=_Ready)
        for service, url in said.ready.items():
            try:
                status, _ = fetch(f"{url}/ready")
            except AdminProblem as problem:
                raise process.problem(str(problem)) from None
            if status != 200:
                raise process.problem(f"says that {service} is not ready ({status})")
            if self.urls.get(service, url) == url:  # else its port is behind another one
                self.admin_urls[service] = f"{said.admin}/{service}"
        if name == "gateways":
            self.urls.update(said.ready)

    def _reaching_database(self, name: str) -> dict[str, str]:
        """What the process called `name` needs to reach its database, beside what all inherit."""
        database = self._databases.get(name)
        if database is None:
            return {}
        # A database of the user's own may need libpq's variables; ours must not be led astray.
        libpq = {} if self._database is None else libpq_variables()
        return {**libpq, DATABASE_VARIABLE: database}

    def _expect_target(self, url: str) -> None:
        try:
            fetch(url, most=MOST_OF_A_TARGET)
        except AdminProblem as problem:
            raise StackProblem(f"--target: {problem}; start your service first") from None


def _expect_free(ports: Mapping[str, int]) -> None:
    for gateway, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise StackProblem(
                    f"port {port} is taken, where --target puts the {gateway} gateway: end the"
                    " program that has it, such as `bindrill serve`"
                ) from None


def check_target(target: str, allow_remote: bool) -> None:
    """Raises AddressProblem when `target` is no http(s) URL, StackProblem when it is not on
    loopback unless allowed."""
    host = parse_address("--target", target, "http://127.0.0.1:9000").host
    if not allow_remote and not is_loopback(host):
        raise StackProblem(
            f"--target {target} is not on this machine: load only what you may load, and say so"
            " with --allow-remote"
        )
