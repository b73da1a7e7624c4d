"""Stores to run the lender's tests on: memory, SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lender_world import FakeWorld, Store
from sqlalchemy import create_engine

from loadtests.postgres.cluster import Cluster
from loadtests.postgres.installation import find_installation
from loadtests.postgres.workspace import Workspace
from loadtests.process import StackProblem
from mocks.lender.memory_store import MemoryStore
from mocks.lender.sql_mapping import METADATA
from mocks.lender.sql_store import SqlStore


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A private cluster of real PostgreSQL."""
    try:
        find_installation()
    except StackProblem as problem:
        pytest.skip(str(problem))
    with Workspace() as workspace:
        cluster = Cluster(workspace, "lender")
        cluster.create()
        yield cluster.url()


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[str]:
    """The cluster's URL; the lender's tables are gone afterwards."""
    yield postgres_url
    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    METADATA.drop_all(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lender.db'}"
    url: str = request.getfixturevalue("fresh_postgres")
    return url


@pytest.fixture
def sql_store(sql_url: str) -> Iterator[SqlStore]:
    store = SqlStore(sql_url)
    yield store
    store.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    url = f"sqlite:///{tmp_path / 'lender.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres")
    opened = SqlStore(url)
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store) -> Iterator[FakeWorld]:
    world = FakeWorld(store)
    yield world
    world.close()


@pytest.fixture
def memory_world() -> Iterator[FakeWorld]:
    world = FakeWorld(MemoryStore())
    yield world
    world.close()


@pytest.fixture
def make_store(tmp_path: Path) -> Iterator[Callable[[str], Store]]:
    """Stores by name, many in one test."""
    opened: list[SqlStore] = []

    def make(name: str) -> Store:
        if name == "memory":
            return MemoryStore()
        store = SqlStore(f"sqlite:///{tmp_path / f'lender-{len(opened)}.db'}")
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()
