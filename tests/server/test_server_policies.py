"""The lender's policies behind real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
import structlog
import uvloop
from served import WORLD, Servers, eventually

from mocks.lender.sql_store import SqlStore
from mocks.server.clock import WallClock
from mocks.server.live_world import LiveWorld
from mocks.world import CallFailed, GatewayAnswer


def test_a_full_line_is_shed_with_retry_after_and_counted(serve) -> None:
    world = WORLD.replace("world:\n", "world:\n  lender: {workers: 1}\n")
    policy = "20s, max_queue: 0, bank: {timeout: 4s, queries: 0}}"
    servers: Servers = serve(world=world.replace("200ms}", policy))
    binding = servers.submit(servers.register()).json["binding_id"]
    assert servers.fault("bank", kind="outage", mode="hang").status < 300
    confirmed = threading.Thread(
        target=servers.post,
        args=("lender", f"/v1/bindings/{binding}/confirm", {"otp": servers.read_code()}),
    )
    confirmed.start()
    busy = 'http_requests_in_flight{service="bank"} 2.0'  # the question itself is one
    # The bank hangs, so the one worker stays there until the lender's timeout.
    eventually(lambda: busy in servers.get("bank", "/metrics").body.decode())
    shed = servers.get("lender", f"/v1/bindings/{binding}")
    assert (shed.status, shed.headers["Retry-After"]) == (503, "1")
    assert shed.error["code"] == "OVERLOADED"
    confirmed.join(30)
    assert servers.get("lender", f"/v1/bindings/{binding}").json["state"] == "VERIFYING"
    metrics = servers.get("lender", "/metrics").body.decode()
    line = 'lender_policy_decisions_total{action="shed",policy="front_queue",target="lender"} 1.0'
    assert line in metrics.splitlines()


def test_the_second_carrier_is_reached_over_http(serve) -> None:
    fallback = WORLD.replace("200ms}", "200ms, sms: {attempts: 1, fallback: true}}")
    servers: Servers = serve(world=fallback)
    assert servers.fault("sms", kind="outage", ops=["send"]).status < 300
    assert servers.submit(servers.register()).status == 201
    assert servers.read_code()
    metrics = servers.get("sms", "/metrics").body.decode()
    assert 'op="send_backup"' in metrics


# ── the race of two calls, on asyncio ───────────────────────────────────────────────────────────


def _race(one: str, other: str, delay: float) -> tuple[list[str], Any]:
    """Who was started, and the race's outcome. A name of `slow` waits for `go`, `failed` raises."""
    started: list[str] = []

    async def main() -> Any:
        log = structlog.get_logger()
        world = LiveWorld("n", cast(SqlStore, None), {}, {}, WallClock(), log)

        def attempt(fate: str) -> Callable[[], Any]:
            async def run() -> GatewayAnswer:
                started.append(fate)
                if fate.startswith("slow"):
                    await world.sleep(0.2)
                if fate.endswith("failed"):
                    raise CallFailed("bank", "query", fate)
                return GatewayAnswer(200, {"by": fate})

            return run

        try:
            answer = await world.race(attempt(one), attempt(other), delay)
            return answer.body["by"]
        except CallFailed as failed:
            return failed
        finally:
            await world.close()

    return started, uvloop.run(main())


@pytest.mark.parametrize(
    ("one", "other", "delay", "started", "outcome"),
    [
        ("quick", "other", 60.0, ["quick"], "quick"),
        ("slow", "other", 0.0, ["slow", "other"], "other"),
        ("slow", "failed", 0.0, ["slow", "failed"], "slow"),
        ("failed", "other", 60.0, ["failed"], "failed"),
        ("slow failed", "failed", 0.0, ["slow failed", "failed"], "slow failed"),
    ],
)
def test_race(one: str, other: str, delay: float, started: list[str], outcome: str) -> None:
    ran, result = _race(one, other, delay)
    assert ran == started
    if outcome.endswith("failed"):
        assert isinstance(result, CallFailed)
        assert result.reason == outcome
    else:
        assert result == outcome
