"""Stores to run the lender's tests on: memory, SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lender_world import FakeWorld, Store
from sqlalchemy import create_engine

from mocks.lender.memory_store import MemoryStore
from mocks.lender.sql_mapping import METADATA
from mocks.lender.sql_store import SqlStore


def _postgres_bin() -> Path:
    """The directory of PostgreSQL's programs, or a skip."""
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    for folder in ([Path(on_path).resolve().parent] if on_path else []) + known:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    pytest.skip("PostgreSQL is not installed (no initdb)")


def _as_user() -> list[str]:
    """PostgreSQL refuses to run as root: the prefix that runs a command as `postgres`."""
    if os.geteuid() != 0:
        return []
    known = subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode == 0
    if shutil.which("runuser") is None or not known:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres to run it as")
    return ["runuser", "-u", "postgres", "--"]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A private cluster on a Unix socket, without fsync."""
    programs, prefix = _postgres_bin(), _as_user()
    folder = Path(tempfile.mkdtemp(prefix="bindrill-pg-"))
    try:
        if prefix:
            shutil.chown(folder, "postgres")
        data = folder / "data"

        def run(*command: str | Path) -> None:
            subprocess.run(
                [*prefix, *command], check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60
            )

        run(programs / "initdb", "-D", data, "-U", "lender", "-A", "trust", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        control = programs / "pg_ctl"
        run(control, "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://lender@/postgres?host={folder}"
        finally:
            run(control, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
