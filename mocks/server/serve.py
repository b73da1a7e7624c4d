"""Servers of one process: all in one event loop, from the first port to the last goodbye."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import closing
from typing import Any

from mocks.bank.directory import PopulationDirectory
from mocks.bank.model import BankGateway
from mocks.gateway import Gateway
from mocks.lender.key_ring import KeyRing, KeyRingError
from mocks.lender.records import Applicant
from mocks.lender.service import Lender
from mocks.lender.sql_store import SqlStore
from mocks.lender.store import StoreUnavailable
from mocks.lender.vault import AesGcmVault, VaultError
from mocks.openapi.admin import admin_document, admin_port_document
from mocks.openapi.services import service_document
from mocks.payment.model import PaymentGateway
from mocks.server.admin_port import AdminPort
from mocks.server.app import Service, Settings
from mocks.server.callbacks import Callbacks
from mocks.server.gateway_app import CallFeed, GatewayService
from mocks.server.hosts import Hosts
from mocks.server.lender_app import LenderService
from mocks.server.listener import Listener
from mocks.server.live_world import LiveWorld
from mocks.server.logs import Log, LogStream, failure, open_log
from mocks.server.open_connections import OpenConnections, most_connections
from mocks.server.options import ADMIN_PORT, GATEWAYS, ServeOptions
from mocks.server.problems import PortBusy as PortBusy
from mocks.server.problems import StartProblem as StartProblem
from mocks.server.self_watch import watch_ceilings
from mocks.sms.model import SmsGateway
from scenarios.ceilings.exhaustion import note_exhaustion
from scenarios.interruption import heeded
from scenarios.loader import load_scenario
from scenarios.policy import LenderPolicy
from scenarios.population import Population
from scenarios.problems import ScenarioProblems
from scenarios.schema import Scenario
from scenarios.world import World

OPERATIONS: dict[str, dict[str, str]] = {
    gateway.name: dict(gateway.operations) for gateway in (BankGateway, SmsGateway, PaymentGateway)
}
"""Path of each gateway operation, by gateway."""


class Stack:
    """The servers that `options` ask for. `start`, then `stop`, each once."""

    def __init__(self, options: ServeOptions) -> None:
        self._options = options
        self._listeners: dict[str, Listener] = {}
        self._services: dict[str, Service] = {}
        self._parts: dict[str, GatewayService | LenderService] = {}
        self._admin: AdminPort | None = None
        self._connections: OpenConnections | None = None
        self._connections_watch: asyncio.Task[None] | None = None
        self._callbacks: list[Callbacks] = []
        self._store: SqlStore | None = None
        self._log: Log | None = None
        self._started = False
        self._log_stream: LogStream | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def urls(self) -> dict[str, str]:
        """The root URL of each service."""
        return {name: listener.url for name, listener in self._listeners.items()}

    @property
    def admin_url(self) -> str:
        """The root URL below which every admin API is; empty if there is none."""
        return "" if self._admin is None else self._admin.listener.url

    async def start(self) -> None:
        """Bind every port, then serve. Raises StartProblem (PortBusy for a port), with nothing
        left open."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop accepting, let requests in progress finish, close the store. The lender goes first,
        because its requests need the gateways."""
        if self._watching is not None:
            self._watching.cancel()
        for service in self._services.values():
            service.begin_closing()
        await self._stop_service("lender")
        await asyncio.gather(*map(self._stop_service, GATEWAYS))
        if self._admin is not None:
            await self._admin.close()
        if self._connections_watch is not None:
            self._connections_watch.cancel()
        for callbacks in self._callbacks:
            await callbacks.close()
        if self._store is not None:
            self._store.close()
        if self._log is not None and self._started:
            self._log.info("stopped")
        if self._log_stream is not None:
            self._log_stream.close()

    async def _stop_service(self, name: str) -> None:
        if name in self._listeners:
            self._listeners[name].close()
        if name in self._services:
            await self._services[name].runner.cleanup()
        if name in self._parts:
            await self._parts[name].close()

    async def _start(self) -> None:
        options = self._options
        options.check()
        scenario = _scenario(options)
        try:
            self._log, self._log_stream = open_log(options.log_file)
        except OSError as error:
            raise StartProblem(f"log file {options.log_file}: {error.strerror}") from None
        asyncio.get_running_loop().set_exception_handler(self._loop_failed)
        self._connections = OpenConnections(most_connections(), self._log)
        for name, port in options.ports.items():
            self._listeners[name] = Listener(name, options.host, port)
        for name in options.ports:
            if name == "lender":
                await self._make_lender(scenario)
            else:
                self._make_gateway(name, scenario)
        if self._settings.admin:
            self._admin = self._make_admin_port()
        for name, service in self._services.items():
            await service.set_up()
            await self._listeners[name].open(service.runner, service.accept)
        if self._admin is not None:
            await self._admin.open()
        self._connections_watch = asyncio.get_running_loop().create_task(self._connections.watch())
        lender = self._parts.get("lender")
        if isinstance(lender, LenderService):
            await lender.start()
        self._watching = asyncio.create_task(watch_ceilings(options, self._log))
        self._log.info("started", urls=self.urls)
        self._started = True

    def _make_gateway(self, name: str, scenario: Scenario | None) -> None:
        options, calls = self._options, CallFeed()
        seed = _seed(options, scenario)
        world = scenario.world if scenario is not None else World()
        gateway: Gateway[Any]
        if name == "bank":
            population = None
            if scenario is not None:
                population = PopulationDirectory(Population(scenario.population, seed))
            gateway = BankGateway(world.bank, seed, calls, directory=population)
        elif name == "sms":
            gateway = SmsGateway(world.sms, seed, calls)
        else:
            gateway = PaymentGateway(world.payment, seed, calls)
        service = self._service(name)
        ours = self._listeners.get("lender")
        callbacks = Callbacks(
            options.callback_url or (ours.url if ours is not None else None),
            options.callback_key,
            service.clock,
            allow_remote=options.allow_remote_callbacks,
        )
        self._callbacks.append(callbacks)
        self._parts[name] = GatewayService(
            service, gateway, callbacks, self._listeners[name], calls, admin_document(name)
        )

    async def _make_lender(self, scenario: Scenario | None) -> None:
        options = self._options
        world = scenario.world if scenario is not None else World()
        policy = scenario.lender if scenario is not None else LenderPolicy()
        keys = _key_ring(options)
        vault = AesGcmVault(keys)
        try:
            self._store = await asyncio.to_thread(SqlStore, options.database_url)
            await asyncio.to_thread(_check_keys, self._store, vault)
        except StoreUnavailable as error:
            raise StartProblem(str(error)) from None
        except VaultError as error:
            raise StartProblem(
                f"key ring {options.key_ring} is not this database's: {error}"
            ) from None
        service = self._service("lender")
        roots = {**options.gateways, **{k: v for k, v in self.urls.items() if k in GATEWAYS}}
        live = LiveWorld(
            options.node,
            self._store,
            {
                name: {op: roots[name].rstrip("/") + path for op, path in paths.items()}
                for name, paths in OPERATIONS.items()
            },
            world.lender.connections,
            service.clock,
            service.log,
        )
        self._parts["lender"] = LenderService(
            service,
            Lender(policy, live, vault),
            live,
            self._listeners["lender"],
            workers=world.lender.workers,
            seed=_seed(options, scenario),
            signing_key=options.callback_key,
            admin_document=admin_document("lender"),
        )

    def _make_admin_port(self) -> AdminPort:
        options = self._options
        try:
            listener = Listener("admin", options.host, options.admin_port)
        except PortBusy:
            if options.admin_port != ADMIN_PORT:
                raise
            listener = Listener("admin", options.host, 0)
        service = self._new_service("admin", admin_port_document(tuple(self._services)))
        return AdminPort(service, listener, self._services, self.urls)

    @property
    def _settings(self) -> Settings:
        options = self._options
        return Settings(
            hosts=Hosts(options.host, options.allow_hosts),
            journal=options.journal,
            admin=options.on_loopback or options.admin_token is not None,
            admin_token=options.admin_token,
            log_requests=options.log_requests,
            customer_headers=options.allow_customer_headers,
        )

    def _service(self, name: str) -> Service:
        service = self._services[name] = self._new_service(name, service_document(name))
        return service

    def _new_service(self, name: str, document: dict[str, Any]) -> Service:
        assert self._log is not None  # noqa: S101  # opened before any service is made
        assert self._connections is not None  # noqa: S101  # likewise
        return Service(name, self._settings, self._log, self._connections, document)

    def _loop_failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        note_exhaustion(error)  # such as a connection that could not be accepted
        if self._log is not None:
            where = failure(error) if error is not None else {}
            self._log.error("loop_failed", what=context.get("message"), **where)


async def run(
    options: ServeOptions, announce: Callable[[dict[str, str], str], None] | None = None
) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, then stop gracefully.

    `announce` gets the root URL of each service, and the one below which their admin APIs are,
    once all are ready. Raises StartProblem.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in {signal.SIGTERM, signal.SIGINT, *heeded()}:
        loop.add_signal_handler(number, stopped.set)
    stack = Stack(options)
    await stack.start()
    try:
        if announce is not None:
            announce(stack.urls, stack.admin_url)
        await stopped.wait()
    finally:
        await stack.stop()


def _scenario(options: ServeOptions) -> Scenario | None:
    if options.scenario is None:
        return None
    try:
        return load_scenario(options.scenario)
    except ScenarioProblems as problems:
        raise StartProblem(str(problems.problems[0])) from None


def _seed(options: ServeOptions, scenario: Scenario | None) -> int:
    if options.seed is not None:
        return options.seed
    return scenario.seed if scenario is not None else 1


def _check_keys(store: SqlStore, vault: AesGcmVault) -> None:
    """Open one value that is in the database already: with other keys every customer would be met
    by an error, and what is written would never be found again. Raises VaultError."""
    with closing(store.records(Applicant)) as applicants:
        first = next(applicants, None)
    if first is not None:
        vault.unseal(first.name, f"{first.table}.name:{first.applicant_id}")


def _key_ring(options: ServeOptions) -> KeyRing:
    path = options.key_ring
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if options.new_keys and not path.exists():
            return KeyRing.create(path)
        return KeyRing.load(path)
    except KeyRingError as error:
        raise StartProblem(str(error)) from None
    except OSError as error:
        raise StartProblem(f"key ring {path}: {error.strerror}") from None
