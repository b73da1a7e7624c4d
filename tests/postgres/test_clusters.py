"""One real server: started, stopped, killed, frozen, asked, and its configuration."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, text

from loadtests.postgres import installation
from loadtests.postgres.cluster import Cluster
from loadtests.postgres.workspace import Workspace
from loadtests.process import StackProblem
from mocks.lender.sql_store import SqlStore

pytestmark = pytest.mark.live
LIMIT = 30.0


def wait_until(condition) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def standing_in(folder: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(folder):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_durability_is_honest(cluster):
    asked = "fsync", "full_page_writes", "data_checksums", "synchronous_commit"
    assert [cluster.sql(f"SHOW {name}")[0][0] for name in asked] == ["on"] * 4


def test_lender_stores_through_its_url(cluster):
    store = SqlStore(cluster.url())
    store.close()
    assert cluster.sql("SELECT count(*) FROM bindings") == [(0,)]


def test_administrator_has_a_url_too(cluster):
    url = cluster.url("bindrill").replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar() == "bindrill"
    engine.dispose()


def test_lender_needs_its_password(cluster):
    host, port = cluster.address
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=host, port=port, user="lender", dbname="lender", password="guess")


@pytest.mark.parametrize("end", ["kill", "fast", "immediate"])
def test_committed_rows_survive_each_end(cluster, end):
    cluster.sql("CREATE TABLE kept (i int)")
    cluster.sql("INSERT INTO kept VALUES (7)")
    processes = cluster.processes()
    assert len(processes) > 3
    segments = shared_memory(cluster.workspace.folder)
    if end == "kill":
        cluster.kill()
    else:
        cluster.stop(end)
    assert not any(alive(process.pid) for process in processes)
    if sys.platform == "linux":
        assert segments
        assert not segments & existing_segments()
    assert not cluster.is_up()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(cluster.url())
    cluster.start()
    assert cluster.sql("SELECT i FROM kept") == [(7,)]


def test_frozen_server_neither_answers_nor_dies(cluster):
    cluster.freeze()
    assert cluster.running
    assert not cluster.is_up()
    states = {process.status() for process in cluster.processes()}
    assert states == {psutil.STATUS_STOPPED}
    with pytest.raises(StackProblem, match="is frozen"):
        cluster.stop()
    cluster.thaw()
    assert cluster.is_up()


def test_query_of_a_server_that_freezes_meanwhile_is_given_up(cluster):
    with pytest.raises(StackProblem):
        cluster.sql("SELECT pg_sleep(3600)", timeout=0.2)
    assert cluster.is_up()


def test_failing_start_says_why_in_one_line(cluster):
    cluster.kill()
    (cluster.data / "PG_VERSION").write_text("9.1\n")
    with pytest.raises(StackProblem, match="database files are incompatible with server") as caught:
        cluster.start()
    assert "\n" not in str(caught.value)
    assert not cluster.running


def test_failed_query_quotes_the_server(cluster):
    with pytest.raises(StackProblem, match=f'{cluster.name}: relation "nothing" does not exist'):
        cluster.sql("SELECT * FROM nothing")


def test_log_tells_no_customers_data(cluster, tmp_path):
    cluster.sql("CREATE TABLE people (phone text PRIMARY KEY)")
    with psycopg.connect(cluster.url("bindrill"), autocommit=True) as connection:
        for _ in range(2):
            try:
                connection.execute("INSERT INTO people VALUES ('13912345678')")
            except psycopg.errors.UniqueViolation:
                pass
    wait_until(lambda: "duplicate key" in cluster.copy_log(tmp_path).read_text())
    assert "13912345678" not in (tmp_path / f"{cluster.name}.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_nothing_outlives_a_killed_parent(workspace, tmp_path):
    code = (
        "import json, time\n"
        "from loadtests.postgres.workspace import Workspace\n"
        "from loadtests.postgres.cluster import Cluster\n"
        "workspace = Workspace()\n"
        "cluster = Cluster(workspace, 'doomed', disk_mb=200)\n"
        "cluster.create()\n"
        "cluster.freeze()\n"
        "print(json.dumps([str(workspace.folder), cluster.address.port,"
        " [process.pid for process in cluster.processes()]]), flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    folder, port, pids = json.loads(parent.stdout.readline())
    segments = shared_memory(Path(folder))
    assert segments <= existing_segments()
    assert segments
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not any(alive(pid) for pid in pids))
    wait_until(lambda: not Path(folder).exists())
    wait_until(lambda: standing_in(folder) == [])
    assert folder not in Path("/proc/mounts").read_text()
    assert not segments & existing_segments()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def shared_memory(folder: Path) -> set[int]:
    """System V segments that the servers in `folder` hold."""
    return {
        int(file.read_text().splitlines()[6].split()[1])
        for file in folder.glob("*/data/postmaster.pid")
    }


def existing_segments() -> set[int]:
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {int(line.split()[1]) for line in lines}


def test_server_started_from_a_thread_that_ends_goes_on(cluster):
    cluster.stop()
    starter = threading.Thread(target=cluster.start)
    starter.start()
    starter.join()
    for _ in range(5):
        assert cluster.is_up()


def test_closed_workspace_leaves_nothing(template):
    with Workspace() as workspace:
        cluster = Cluster(workspace, "brief", disk_mb=200)
        workspace.copy(template, cluster.data)
        cluster.start()
        folder, pids = str(workspace.folder), [process.pid for process in cluster.processes()]
        segments = shared_memory(workspace.folder)
        cluster.kill()
    assert not Path(folder).exists()
    assert not any(alive(pid) for pid in pids)
    assert standing_in(folder) == []
    assert folder not in Path("/proc/mounts").read_text()
    if sys.platform == "linux":
        assert not segments & existing_segments()


def test_missing_programs_are_named_with_the_command(monkeypatch):
    monkeypatch.setattr(installation, "_PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    find = installation.find_installation.__wrapped__
    with pytest.raises(StackProblem, match="not installed: run scripts/install-system-packages"):
        find()


def test_newest_installation_is_taken(monkeypatch, tmp_path):
    for version in (14, 16):
        folder = tmp_path / str(version) / "bin"
        folder.mkdir(parents=True)
        for name in installation._NEEDED:
            program = folder / name
            program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}.3'\n")
            program.chmod(0o755)
    monkeypatch.setattr(installation, "_PLACES", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", "/usr/bin/nowhere")
    found = installation.find_installation.__wrapped__()
    assert (found.version, found.programs) == (16, tmp_path / "16" / "bin")
