"""Clusters for the tests: one initdb for the whole session, copied for each."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtests.postgres.cluster import Cluster
from loadtests.postgres.installation import find_installation
from loadtests.postgres.workspace import Workspace
from loadtests.process import StackProblem

MakeCluster = Callable[..., Cluster]
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def workspace() -> Iterator[Workspace]:
    try:
        find_installation()
    except StackProblem as problem:
        pytest.skip(str(problem))
    # In memory, where there is room: making and removing thousands of files is then quick.
    memory = Path("/dev/shm")
    roomy = memory.exists() and shutil.disk_usage(memory).free > 2 << 30
    with Workspace(memory if roomy else None) as workspace:
        yield workspace


@pytest.fixture(scope="session")
def template(workspace: Workspace) -> Path:
    """The data folder of a stopped cluster that has its roles."""
    cluster = Cluster(workspace, "template")
    cluster.create()
    cluster.stop()
    return cluster.data


@pytest.fixture
def unique() -> Callable[[str], str]:
    """A name that no other test has."""
    return lambda name: f"{name}_{next(_NUMBERS)}"


@pytest.fixture
def make_cluster(
    workspace: Workspace, template: Path, unique: Callable[[str], str]
) -> Iterator[MakeCluster]:
    made: list[Cluster] = []

    def make(name: str = "c", **options: object) -> Cluster:
        cluster = Cluster(workspace, unique(name), **options)  # type: ignore[arg-type]
        cluster.create(template)
        made.append(cluster)
        return cluster

    yield make
    for cluster in made:
        cluster.remove()


@pytest.fixture
def cluster(make_cluster: MakeCluster) -> Cluster:
    return make_cluster()
