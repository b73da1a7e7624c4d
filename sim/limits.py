"""Limits that requests wait in line for, as SimPy resources."""

from __future__ import annotations

from types import TracebackType

from simpy import Environment, Resource
from simpy.resources.resource import Request

from sim.clock import wait


class Limit:
    """`places` at once; `async with limit.place():` waits in order of arrival for one."""

    def __init__(self, env: Environment, places: int) -> None:
        self._resource = Resource(env, places)

    def place(self) -> Place:
        """A context manager that holds one place."""
        return Place(self._resource)


class Place:
    """One place in a limit, held from entry to exit."""

    __slots__ = ("_request", "_resource")

    _request: Request

    def __init__(self, resource: Resource) -> None:
        self._resource = resource

    async def __aenter__(self) -> None:
        self._request = self._resource.request()
        # A free place is granted at once: waiting for its event would only cost time.
        if not self._request.triggered:
            await wait(self._request)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resource.release(self._request)
