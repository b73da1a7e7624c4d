"""What children inherit, and what stays behind."""

from __future__ import annotations

import os
import sys

import pytest

from loadtests.admin import fetch
from loadtests.process import Process
from loadtests.stack import Stack
from scenarios.child_environment import child_environment, forget_libpq, libpq_variables
from scenarios.schema import Scenario
from sim.executor import process_pool

FOREIGN = {
    "LOCUST_TAGS": "smoke",
    "LOCUST_MODE_MASTER": "1",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "PGHOSTADDR": "192.0.2.1",
    "PGSERVICE": "other",
    "PYTHONWARNINGS": "error",
    "PYTHONINSPECT": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONSTARTUP": "/nowhere.py",
    "GEVENT_LOOP": "nonsense",
    "DASK_DISTRIBUTED__COMM__DEFAULT_SCHEME": "tls",
    "OMP_NUM_THREADS": "64",
    "MPLBACKEND": "nonsense",
    "BINDRILL_ORIGIN": "1",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_settings_of_other_tools_stay_behind(monkeypatch, name):
    monkeypatch.setenv(name, FOREIGN[name])
    assert name not in child_environment()


@pytest.mark.parametrize("name", ["PATH", "TMPDIR", "LC_ALL", "TZ", "BINDRILL_SIGNING_KEY"])
def test_places_language_and_our_secret_are_passed_on(monkeypatch, name):
    monkeypatch.setenv(name, "given")
    assert child_environment()[name] == "given"


def test_a_database_of_the_users_own_is_reached_as_libpq_is_told(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "secret")
    assert libpq_variables()["PGPASSWORD"] == "secret"
    forget_libpq()
    assert libpq_variables() == {}


def test_a_child_takes_no_module_from_where_it_stands(tmp_path):
    (tmp_path / "mocks").mkdir()
    (tmp_path / "mocks" / "__init__.py").write_text("raise SystemExit('shadow')")
    (tmp_path / "random.py").write_text("raise SystemExit('shadow')")
    code = "import random, mocks.gateway; print(mocks.__file__, flush=True)"
    child = Process(
        "x", [sys.executable, "-c", code], tmp_path / "log", read_stdout=True, folder=tmp_path
    )
    try:
        assert str(tmp_path) not in child.first_line(60).decode()
    finally:
        child.kill()


def test_workers_of_a_pool_take_no_module_from_where_they_stand(tmp_path, monkeypatch):
    for name in ("socket", "pickle", "signal", "scenarios"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadow')")
    monkeypatch.chdir(tmp_path)
    with process_pool(1) as pool:
        assert pool.submit(os.getcwd).result(60) == str(tmp_path)


@pytest.mark.live
def test_no_proxy_stands_between_us_and_our_servers(tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "localhost")
    with Stack(Scenario.model_validate(MINIMAL), tmp_path / "live") as stack:
        stack.start()
        assert fetch(f"{stack.urls['lender']}/ready")[0] == 200


MINIMAL = {
    "name": "minimal",
    "duration": 1.0,
    "arrivals": {"kind": "constant", "rate": 1.0},
}
