"""The admin APIs of a process on a port of their own, which no fault closes."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from mocks.server.app import Service
from mocks.server.listener import Listener
from mocks.server.wire import json_response


class AdminPort:
    """Serves `/bank/__admin/...` as the bank serves `/__admin/...`, and so for every service; `/`
    says where these are."""

    def __init__(
        self,
        service: Service,
        listener: Listener,
        services: Mapping[str, Service],
        urls: Mapping[str, str],
    ) -> None:
        self.listener = listener
        self._service = service
        self._urls = dict(urls)
        service.route("GET", "/", "services", self._services)
        for name, one in services.items():
            for method, path, handler in one.admin_routes:
                service.route(method, f"/{name}{path}", "admin", handler)

    async def open(self) -> None:
        """Accept connections."""
        await self._service.set_up()
        await self.listener.open(self._service.runner, self._service.accept)

    async def close(self) -> None:
        """Stop accepting, and let requests in progress finish."""
        self.listener.close()
        await self._service.runner.cleanup()

    async def _services(self, _: web.Request) -> tuple[web.Response, str]:
        return json_response({"services": self._urls}), "OK"
