"""One stack shared by the tests that leave it as they found it, and stacks of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from served import Servers

sys.path.append(str(Path(__file__).parents[1] / "live"))  # `raw_servers`, with any manners

from raw_servers import raw_server as raw_server


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Servers]]:
    """Starts a stack below the test's folder; all end with the test."""
    with ExitStack() as running:

        def start(*services: str, **options: Any) -> Servers:
            chosen = (services,) if services else ()
            return running.enter_context(Servers(tmp_path, *chosen, **options))

        yield start


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """All four services; tests keep apart by namespaces."""
    folder = tmp_path_factory.mktemp("shared")
    with Servers(folder, allow_customer_headers=True) as servers:
        yield servers
