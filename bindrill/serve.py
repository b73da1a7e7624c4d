"""`bindrill serve`: the gateways and the lender, until Ctrl-C."""

from __future__ import annotations

import asyncio

import msgspec
import uvloop

from bindrill.console import plain_console
from bindrill.errors import EXIT_MET, InputProblem
from mocks.server.options import SERVICES, ServeOptions
from mocks.server.serve import run


def serve_stack(
    *,
    scenario: str | None,
    without: tuple[str, ...],
    host: str,
    ports: dict[str, int],
    database: str | None,
    callback_url: str | None,
    admin_token: str | None,
    admin_port: int,
    allow_hosts: tuple[str, ...],
    allow_customer_headers: bool,
    log_requests: bool,
) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; the exit code. Raises StartProblem, InputProblem."""
    for service in without:
        if service not in SERVICES:
            raise InputProblem(
                f"--without {service}: there is no such service; write one of {', '.join(SERVICES)}"
            )
    served = {service: port for service, port in ports.items() if service not in without}
    options = ServeOptions(
        ports=served,
        host=host,
        scenario=scenario,
        callback_url=callback_url,
        admin_token=admin_token,
        admin_port=admin_port,
        allow_hosts=allow_hosts,
        allow_customer_headers=allow_customer_headers,
        log_requests=log_requests,
    )
    if database is not None:
        options = msgspec.structs.replace(options, database=database)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(options, announce=_announce))
    return EXIT_MET


def _announce(urls: dict[str, str], admin: str) -> None:
    console = plain_console()
    for service in SERVICES:
        if service in urls:
            console.print(f"{service:<8} {urls[service]}")
    if admin:
        console.print(f"{'admin':<8} {admin}")
    console.print("Ready; Ctrl-C stops. Each has /health, /metrics, /openapi.json and /__admin.")
