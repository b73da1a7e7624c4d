"""Every customer fails at one step: the run ends early, and says what was sent and answered."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from small_scenarios import small

from loadtests.live_run import LOCUSTFILE
from loadtests.one_step import ENOUGH, OneStep, Stuck, explained, joined
from reports.summary_schema import read_summary
from scenarios.contract import ErrorCode
from scenarios.directives import BEWILDERED, Answer, Ending, ReadOtp, Request
from scenarios.faults import parse_fault
from scenarios.loader import dump

PERSON = {"name": "张三丰", "id_number": "341126197709218366", "phone": "13912345678"}
REGISTER = Request("register", PERSON)
NOT_FOUND = Answer(404, {"error": {"code": "HTTP_404"}}, "HTTP_404")
FAILED = Ending("REJECTED", "http_404")


def after(
    endings: list[tuple[Ending, Request | ReadOtp, Answer]], raw: bytes = b"", *, foreign=True
) -> OneStep:
    found = OneStep(foreign=foreign)
    for ending, asked, answer in endings:
        found.ended(ending, asked, answer, raw)
    return found


# ── what counts ─────────────────────────────────────────────────────────────────────────────────


def test_the_first_exchange_is_told_without_personal_data():
    page = "<html>\n<b>\x1b[31m张三丰</b> 13912345678 \x00 </html>".encode()
    stuck = after([(FAILED, REGISTER, NOT_FOUND)] * 3, page).stuck
    assert stuck is not None
    assert stuck.line == (
        "all 3 customers failed at register: sent POST /v1/applicants"
        ' {"name":"张**","id_number":"34****************","phone":"139****5678"};'
        " answered 404 <html> <b>\\x1b[31m张**</b> 139****5678 \\x00 </html>; does it speak the"
        " contract (docs/lender.md; /openapi.json of our lender)?"
    )


def test_long_answers_are_cut_and_json_is_masked_by_field():
    raw = json.dumps({"code": 7, "data": {"otp": "123456", "name": "李四"}, "x": "y" * 5000})
    raw_short = json.dumps({"code": 7, "data": {"otp": "123456", "name": "李四"}})
    answer = Answer(200, json.loads(raw_short), "OK")
    short = after([(BEWILDERED, REGISTER, answer)], raw_short.encode()).stuck
    assert short is not None
    assert "123456" not in short.answered
    assert "李四" not in short.answered
    long = after([(BEWILDERED, REGISTER, answer)], raw.encode()).stuck
    assert long is not None
    assert len(long.answered) < 250


def test_nothing_came_back():
    stuck = after([(Ending("ABANDONED", "timeout"), REGISTER, Answer(0, {}, "TIMEOUT"))]).stuck
    assert stuck is not None
    assert "the only customer failed at register" in stuck.line
    assert "answered nothing (TIMEOUT)" in stuck.line


def test_no_code_comes_from_a_service_of_others():
    waiting = ReadOtp("13912345678", 0, 60.0)
    ending = (Ending("ABANDONED", "otp_not_received"), waiting, Answer(0, {}, "TIMEOUT"))
    stuck = after([ending]).stuck
    assert stuck is not None
    assert "13912345678" not in stuck.line
    assert "do its messages go to the SMS gateway of this run?" in stuck.line
    assert after([ending], foreign=False).stuck is None  # carriers lose what a world says


@pytest.mark.parametrize(
    "other",
    [
        (Ending("ACTIVE", "ok"), Request("test_payment"), Answer(200, {}, "OK")),
        (Ending("ABANDONED", "patience"), REGISTER, Answer(201, {}, "OK")),
        (FAILED, Request("submit"), NOT_FOUND),
        (FAILED, REGISTER, Answer(500, {}, "HTTP_500")),
        (Ending("REJECTED", "under_age"), REGISTER, Answer(403, {}, ErrorCode.UNDER_AGE)),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_one_who_fared_otherwise_is_enough_to_go_on(other, first):
    alike = [(FAILED, REGISTER, NOT_FOUND)] * ENOUGH
    assert after([other, *alike] if first else [*alike, other]).stuck is None


def test_what_the_contract_knows_counts_of_a_service_of_others_alone():
    refused = Answer(400, {}, ErrorCode.INVALID_FIELD)
    endings = [(Ending("REJECTED", "invalid_phone"), REGISTER, refused)]
    assert after(endings).stuck is not None
    assert after(endings, foreign=False).stuck is None


def stuck_at(step: str, customers: int, status: int = 404) -> Stuck:
    return Stuck(
        step=step, status=status, code=f"HTTP_{status}", customers=customers, sent="", answered=""
    )


def test_processes_are_stuck_together_or_not_at_all():
    register = stuck_at("register", 3)
    together = joined([(register, ()), (None, ()), (register, ())], ended=6)
    assert together is not None
    assert together.customers == 6
    assert joined([(register, ()), (None, ("register",))], ended=3) is None
    assert joined([(register, ()), (None, ())], ended=4) is None
    assert joined([(register, ()), (stuck_at("submit", 3), ())], ended=6) is None
    assert joined([(register, ()), (stuck_at("register", 3, 500), ())], ended=6) is None


@pytest.mark.parametrize(
    ("fault", "step", "now", "explains"),
    [
        ({"kind": "outage", "target": "lender", "start": 5}, "register", 4.0, False),
        ({"kind": "outage", "target": "lender", "start": 5}, "register", 5.0, True),
        ({"kind": "kill", "process": "gateways", "start": 5}, "submit", 6.0, True),
        ({"kind": "outage", "target": "bank", "start": 0}, "confirm", 6.0, True),
        ({"kind": "outage", "target": "bank", "start": 0}, "register", 6.0, False),
        ({"kind": "outage", "target": "sms", "start": 0}, "otp", 6.0, True),
    ],
)
def test_a_fault_that_has_begun_may_explain_it(fault, step, now, explains):
    assert explained(stuck_at(step, ENOUGH), [parse_fault(fault)], now) is explains


# ── a run against a service that speaks otherwise ───────────────────────────────────────────────


async def nothing_here(_: web.Request) -> web.Response:
    return web.Response(status=404, text="<h1>Not Found</h1>", content_type="text/html")


async def another_shape(request: web.Request) -> web.Response:
    await request.read()
    return web.json_response({"code": 0, "msg": "success", "data": {"userId": 7}})


@pytest.fixture
def foreign() -> Iterator[Callable[..., str]]:
    """Starts a service whose every path answers alike; its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runners: list[web.AppRunner] = []

    async def serve(handler: Callable[..., object]) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        return f"http://{host}:{port}"

    def start(handler: Callable[..., object]) -> str:
        return asyncio.run_coroutine_threadsafe(serve(handler), loop).result()

    yield start
    for runner in runners:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.live
@pytest.mark.parametrize(
    ("handler", "answered"),
    [(nothing_here, "404 <h1>Not Found</h1>"), (another_shape, '200 {"code":0,"msg":"success"')],
)
def test_a_run_against_it_ends_early_and_says_why(bindrill, foreign, tmp_path, handler, answered):
    file = tmp_path / "long.yaml"
    file.write_text(dump(small("long", duration=600.0, objectives=["success_rate >= 1%"])))
    out = tmp_path / "runs"
    outcome = bindrill("run", file, "--live", "--target", foreign(handler), "--out", out)
    assert outcome.code == 97, outcome.err
    assert "customers failed at register: sent POST /v1/applicants" in outcome.out
    assert f"answered {answered}" in outcome.out
    (run,) = out.iterdir()
    assert "failed at register" in (run / "report.html").read_text()
    customers = read_summary(run / "live").customers
    assert ENOUGH <= customers.ended < customers.planned / 10
    assert_no_one_is_named(outcome.out + outcome.err)


@pytest.mark.live
def test_a_short_run_says_so_at_its_end(bindrill, foreign, tmp_path):
    file = tmp_path / "short.yaml"
    file.write_text(dump(small("short", rate=2.0, duration=2.0)))
    outcome = bindrill(
        "run", file, "--live", "--target", foreign(nothing_here), "--out", tmp_path / "runs"
    )
    assert outcome.code == 97, outcome.err
    assert "failed at register: sent POST /v1/applicants" in outcome.out


def assert_no_one_is_named(text: str) -> None:
    assert not re.search(r"(?<!\d)1\d{10}(?!\d)|\d{17}[\dX]", text)


@pytest.mark.live
def test_locust_that_plays_nobody_says_so(tmp_path: Path):
    """Tags leave Locust no task: no customer is issued, and that is no test."""
    file = tmp_path / "brief.yaml"
    file.write_text(dump(small("brief", duration=1.0).model_copy(update={"drain": 1.0})))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless"),
            *("--host", "http://127.0.0.1:9", "--tags", "smoke"),
        ],
        env={"PATH": "", "BINDRILL_SCENARIO": str(file), "PYTHONPATH": str(LOCUSTFILE.parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 97, done.stderr
    assert "planned customers were issued" in done.stderr
