"""Servers that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from raw_servers import Manners, RawServer


@pytest.fixture
def raw_server() -> Iterator[Callable[[Manners], RawServer]]:
    servers: list[RawServer] = []

    def start(manners: Manners) -> RawServer:
        servers.append(RawServer(manners))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
