"""Clusters for the tests: one initdb for the whole session, copied for each."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadtests.postgres.cluster import Cluster
from loadtests.postgres.endpoint import Endpoint
from loadtests.postgres.fence import Fence
from loadtests.postgres.installation import find_installation
from loadtests.postgres.replication import make_standby
from loadtests.postgres.workspace import Workspace
from loadtests.process import StackProblem
from loadtests.relay import Relay

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
def made() -> Iterator[list[Cluster]]:
    """What is put into it is removed after the test."""
    clusters: list[Cluster] = []
    yield clusters
    for cluster in clusters:
        cluster.remove()


@pytest.fixture
def make_cluster(
    workspace: Workspace, template: Path, unique: Callable[[str], str], made: list[Cluster]
) -> MakeCluster:
    def make(name: str = "c", **options: object) -> Cluster:
        cluster = Cluster(workspace, unique(name), **options)  # type: ignore[arg-type]
        made.append(cluster)
        cluster.create(template)
        return cluster

    return make


@pytest.fixture
def cluster(make_cluster: MakeCluster) -> Cluster:
    return make_cluster()


@dataclass
class Pair:
    """A primary with a standby behind the relay `line`; the lender's `endpoint`; the fence."""

    primary: Cluster
    standby: Cluster
    line: Relay
    endpoint: Endpoint
    fence: Fence


@pytest.fixture
def pair(
    workspace: Workspace,
    make_cluster: MakeCluster,
    unique: Callable[[str], str],
    made: list[Cluster],
) -> Iterator[Pair]:
    fence = Fence(workspace.folder / unique("fence"))
    primary = make_cluster("primary", fence=fence)
    with Relay(primary.address) as line:
        standby = make_standby(primary, unique("site-b"), through=line.address)
        made.append(standby)
        with Endpoint(primary, fence) as endpoint:
            yield Pair(primary, standby, line, endpoint, fence)
