"""Whole live runs on loopback: real servers, a real database, Locust."""

from __future__ import annotations

import csv
import math
import os
import re
import signal
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import polars as pl
import psutil
import pytest
from small_scenarios import small

from loadtests.admin import fetch
from loadtests.live_run import LOCUSTFILE, drive, run_live
from loadtests.settings import Settings
from loadtests.stack import Stack, StackProblem
from mocks.lender.key_ring import KeyRing
from mocks.lender.records import Applicant, AuditEntry, Binding, IdempotentReply, PartnerCall
from mocks.lender.sql_store import SqlStore
from mocks.lender.vault import AesGcmVault
from mocks.payment.settlement import CHINA
from reports.recorder import scan_events
from scenarios.arrivals import arrival_times
from scenarios.contract import STEPS
from scenarios.loader import dump
from scenarios.population import Population
from scenarios.schema import Scenario

pytestmark = pytest.mark.live


def planned(scenario: Scenario) -> dict[int, float]:
    times = arrival_times(scenario.arrivals, scenario.seed, scenario.duration)
    return dict(enumerate(times))


def events(folder: Path, kind: str) -> pl.DataFrame:
    return scan_events(folder).filter(pl.col("kind") == kind).collect()


def told_active(folder: Path) -> list[int]:
    return events(folder, "end").filter(pl.col("state") == "ACTIVE")["customer"].to_list()


def closed(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) != 0


# ── one ordinary run, with two load-generator processes ─────────────────────────────────────────


class Ordinary:
    """A run of two processes, and everything that it left or would have shown to an onlooker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scenario = small("ordinary")
        self.journals: dict[str, bytes] = {}
        self.codes: set[str] = set()
        population = Population(self.scenario.population, self.scenario.seed)
        self.customers = [population.customer(number) for number in planned(self.scenario)]
        with Stack(self.scenario, folder) as stack:
            stack.start()
            self.urls = dict(stack.urls)
            self.state = drive(stack, self.scenario, folder, processes=2)
            for name, url in stack.urls.items():
                for path in ("/__admin/requests?limit=100000", "/metrics"):
                    self.journals[name + path] = fetch(url + path)[1]
            for customer in self.customers:
                look = {"phone": customer.phone, "seen": 0, "wait": 0}
                status, body = fetch(f"{stack.urls['sms']}/handset/inbox", "POST", look)
                if status == 200:
                    self.codes.update(
                        re.findall(r"(?<!\d)\d{6}(?!\d)", msgspec.json.decode(body)["text"])
                    )


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Ordinary:
    return Ordinary(tmp_path_factory.mktemp("ordinary") / "live")


def test_every_arrival_is_issued_once_and_ends(ordinary):
    plan = planned(ordinary.scenario)
    arrivals = events(ordinary.folder, "arrival")
    assert ordinary.state == "complete"
    assert sorted(arrivals["customer"].to_list()) == sorted(plan)
    assert all(
        math.isclose(plan[number], intended)
        for number, intended in arrivals.select("customer", "intended").rows()
    )
    assert arrivals.filter(pl.col("started") < pl.col("intended")).is_empty()
    ends = events(ordinary.folder, "end")
    assert sorted(ends["customer"].to_list()) == sorted(plan)
    assert set(ends["state"]) == {"ACTIVE"}


def test_two_processes_share_the_customers(ordinary):
    shares = []
    for place in (0, 1):
        parts = sorted((ordinary.folder / "events").glob(f"part-{place}-*.parquet"))
        shares.append(set(pl.concat([pl.read_parquet(part) for part in parts])["customer"]))
    assert shares[0] == set(range(0, len(ordinary.customers), 2))
    assert shares[1] == set(range(1, len(ordinary.customers), 2))


def test_every_step_and_every_gateway_call_is_recorded(ordinary):
    requests = events(ordinary.folder, "request")
    assert set(requests["code"]) == {"OK"}
    assert set(requests["step"]) >= set(STEPS) - {"otp"}
    assert requests.filter(pl.col("intended") > pl.col("started")).is_empty()
    assert set(events(ordinary.folder, "otp")["code"]) == {"READ"}
    calls = events(ordinary.folder, "call")
    for gateway, op in (("sms", "send"), ("bank", "open"), ("payment", "charge")):
        seen = calls.filter((pl.col("gateway") == gateway) & (pl.col("step") == op))
        assert len(seen) == len(ordinary.customers), (gateway, op)
    assert calls.filter(pl.col("started") < 0).is_empty()


def test_nothing_sensitive_is_left_in_clear(ordinary):
    secrets = {text for c in ordinary.customers for text in (c.card_number, c.id_number, c.phone)}
    assert len(ordinary.codes) >= len(ordinary.customers) * 0.9  # two customers may share a code
    shown: dict[str, bytes] = dict(ordinary.journals)
    for file in ordinary.folder.rglob("*"):
        if file.is_file():
            shown[str(file.relative_to(ordinary.folder))] = file.read_bytes()
    assert {"logs/lender.log", "logs/gateways.log", "logs/locust.log", "lender.db"} <= set(shown)
    frame = scan_events(ordinary.folder).collect()
    for column in frame.select(pl.col(pl.String)).columns:
        shown[f"events: {column}"] = "\n".join(frame[column].unique().to_list()).encode()
    for place, content in shown.items():
        for secret in secrets:
            assert secret.encode() not in content, f"found a customer's data in {place}"
    # Six digits occur by chance in binary files and in fractions: look at values one by one.
    alone = re.compile(rb"(?<![\w.])(" + "|".join(ordinary.codes).encode() + rb")(?![\w.])")
    for place, content in shown.items():
        if not place.endswith((".db", ".parquet", "-wal", "-shm")):
            assert not alone.search(content), f"found a one-time code in {place}"
    store = SqlStore(f"sqlite:///{ordinary.folder / 'lender.db'}")
    rows = 0
    for kind in (Applicant, Binding, PartnerCall, IdempotentReply, AuditEntry):
        for record in store.records(kind):
            rows += 1
            for value in msgspec.structs.astuple(record):
                text = value if isinstance(value, bytes) else str(value).encode()
                assert not alone.search(text), f"found a one-time code in table {kind.table}"
    store.close()
    assert rows > len(ordinary.customers) * 4


def test_nothing_is_left_running(ordinary):
    assert all(closed(url) for url in ordinary.urls.values())


# ── a saturated lender ──────────────────────────────────────────────────────────────────────────


def test_saturated_lender_does_not_slow_the_arrivals_and_latency_grows(tmp_path):
    healthy = small("x").world
    scenario = small(
        "saturated",
        rate=16.0,
        duration=10.0,  # the queue outgrows what a busy machine adds to every request
        drain=3.0,
        world={
            "bank": {"latency": {"open": {"p50": 0.4, "p99": 0.4}}, "decline": {}},
            "sms": healthy.sms.model_dump(),
            "payment": healthy.payment.model_dump(),
            "lender": {"workers": 1},  # and the bank's 0.4 s are spent in it
        },
    )
    result = run_live(scenario, tmp_path / "live")
    assert result.state == "complete"
    arrivals = events(tmp_path / "live", "arrival")
    assert len(arrivals) == len(planned(scenario))
    requests = events(tmp_path / "live", "request").sort("intended")
    registers = requests.filter(pl.col("step") == "register")
    latency = (registers["ended"] - registers["intended"]).to_list()
    few = len(latency) // 6
    early = sorted(latency[:few])[few // 2]
    late = sorted(latency[-few:])[few // 2]
    lag = max((arrivals["started"] - arrivals["intended"]).to_list())
    assert late > 3 * early
    assert lag < (late - early) / 4
    # Journeys that the end of the drain cut off are under way, not ended.
    assert len(events(tmp_path / "live", "end")) < len(arrivals)


# ── a lender that dies ──────────────────────────────────────────────────────────────────────────


def test_lender_killed_twice_loses_and_doubles_nothing(tmp_path):
    scenario = small(
        "killed",
        rate=8.0,
        duration=7.0,
        journey={
            "pace": 0.01,
            "status_poll": 0.1,
            "otp_wait": 500.0,
            "retries": 20,
            "think": {"retry": {"p50": 20.0, "p99": 20.0}},
        },
    )
    folder = tmp_path / "live"
    killed_at: list[int] = []
    with Stack(scenario, folder) as stack:
        stack.start()
        port = urlsplit(stack.urls["lender"]).port

        def kill_now_and_then(progress):
            if len(killed_at) < 2 and progress.active >= 8 * (len(killed_at) + 1):
                killed_at.append(progress.active)
                stack.kill("lender")
                stack.restart("lender")

        assert drive(stack, scenario, folder, on_progress=kill_now_and_then) == "complete"
        assert urlsplit(stack.urls["lender"]).port == port
        _, settlement = fetch_settlement(stack.urls["payment"])
    told = told_active(folder)
    assert len(killed_at) == 2
    assert len(told) > killed_at[1]
    assert not events(folder, "request").filter(pl.col("status") == 0).is_empty()

    population = Population(scenario.population, scenario.seed)
    vault = AesGcmVault(KeyRing.load(folder / "keys.json"))
    store = SqlStore(f"sqlite:///{folder / 'lender.db'}")
    active = {
        vault.unseal(b.card_number, f"bindings.card_number:{b.binding_id}"): b.binding_id
        for b in store.records(Binding)
        if b.state == "ACTIVE"
    }
    store.close()
    charges = [row["order_no"] for row in settlement if row["kind"] == "charge"]
    assert len(charges) == len(set(charges))
    for number in told:
        binding = active[population.customer(number).card_number]
        assert sum(order.startswith(binding) for order in charges) == 1


def fetch_settlement(url: str) -> tuple[int, list[dict[str, str]]]:
    status, body = fetch(f"{url}/v1/settlement/{datetime.now(CHINA).date()}")
    return status, list(csv.DictReader(body.decode().splitlines()))


# ── interruptions ───────────────────────────────────────────────────────────────────────────────

SCRIPT = """
import sys
from datetime import datetime
from pathlib import Path
from loadtests.live_run import run_live
from scenarios.loader import load_scenario

result = run_live(
    load_scenario(sys.argv[1]),
    Path(sys.argv[2]),
    on_ready=lambda urls: print(*urls.values(), flush=True),
    on_progress=lambda progress: print("ended", progress.ended, flush=True),
)
print("state", result.state, result.settlement_csv, flush=True)
"""


class Child:
    """A live run in a process of its own, as a user has it, that goes on for minutes."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "live"
        file = tmp_path / "long.yaml"
        file.write_text(dump(small("long", duration=300.0)))
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(file), str(self.folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.urls = self.line().split()

    def line(self) -> str:
        line = self.process.stdout.readline()
        assert line, "the run ended by itself"
        return line

    def until_journeys_ended(self) -> list[psutil.Process]:
        """Waits; then the run's whole family."""
        while True:
            word, count = self.line().split()
            if word == "ended" and int(count) >= 3:
                return psutil.Process(self.process.pid).children(recursive=True)

    def rest(self) -> list[str]:
        with self.process:
            return self.process.stdout.read().splitlines()


def test_ctrl_c_leaves_readable_parts_and_nothing_else(tmp_path):
    child = Child(tmp_path)
    family = child.until_journeys_ended()
    assert len(family) == 3  # gateways, lender, Locust
    os.kill(child.process.pid, signal.SIGINT)
    last = child.rest()[-1].split()
    assert last[:2] == ["state", "interrupted"]
    assert child.process.returncode == 0
    assert Path(last[2]).read_text().startswith("order_no,")
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    assert all(closed(url) for url in child.urls)
    assert len(told_active(child.folder)) >= 3
    assert not events(child.folder, "call").is_empty()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_killed_run_takes_its_children_along(tmp_path):
    child = Child(tmp_path)
    family = child.until_journeys_ended()
    child.process.kill()
    child.rest()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    assert all(closed(url) for url in child.urls)
    assert len(told_active(child.folder)) >= 3  # Locust had time to write down what it had


# ── a team's own service, and Locust alone ──────────────────────────────────────────────────────


def test_remote_target_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(StackProblem, match="--allow-remote"):
        run_live(small("remote"), tmp_path / "live", target="http://192.0.2.1:9000")
    assert not (tmp_path / "live").exists()


def test_faults_of_a_lender_that_is_not_ours_are_refused(tmp_path):
    faults = [{"kind": "latency", "target": "lender", "delay": {"p50": 1, "p99": 1}}]
    with pytest.raises(StackProblem, match="take them out"):
        run_live(small("x", faults=faults), tmp_path / "live", target="http://127.0.0.1:9")


def test_locust_that_cannot_start_is_one_line_with_its_log(tmp_path):
    with Stack(small("broken"), tmp_path) as stack:
        stack.start()
        stack.scenario_file.write_text("name: broken\n")
        with pytest.raises(StackProblem, match=r"locust ended too early.*locust\.log") as caught:
            drive(stack, small("broken"), tmp_path)
    assert "\n" not in str(caught.value)


def test_locustfile_works_alone_and_its_statistics_name_steps_and_endings(tmp_path):
    scenario = small("alone", duration=2.0)
    with Stack(scenario, tmp_path) as stack:
        stack.start()
        settings = Settings(str(stack.scenario_file), stack.urls["sms"])
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless"]
        done = subprocess.run(
            [*command, "--host", stack.urls["lender"], "--csv", str(tmp_path / "locust")],
            env={**os.environ, **settings.as_environment()},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    with (tmp_path / "locust_stats.csv").open() as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    arrivals = len(planned(scenario))
    assert int(rows["register"]["Request Count"]) == arrivals
    assert int(rows["ACTIVE"]["Request Count"]) == arrivals
    # A journey is not a request: the total counts steps alone.
    steps = sum(int(row["Request Count"]) for row in rows.values() if row["Type"] == "STEP")
    assert int(rows["Aggregated"]["Request Count"]) == steps
    assert not (tmp_path / "events").exists()
