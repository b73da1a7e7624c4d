"""Plays a customer's journey in wall time, over HTTP, and records what happens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any, NamedTuple
from uuid import uuid4

import gevent
import msgspec

from loadtests.client import Client, NoAnswer
from loadtests.clock import RunClock
from loadtests.handset import Handset
from loadtests.one_step import OneStep
from mocks.content import json_object
from mocks.fault_timeline import FaultTimeline
from mocks.server.wire import CUSTOMER_HEADER
from mocks.world import FAILURES
from reports import events
from reports.drills.history import Acknowledgement, acknowledgement
from scenarios.addresses import in_path
from scenarios.contract import BAD_ANSWER, OPERATIONS
from scenarios.contract_answers import bad_answer, read_answer
from scenarios.directives import (
    BEWILDERED,
    Answer,
    Directive,
    Ending,
    Now,
    ReadOtp,
    Request,
    Think,
)

logger = logging.getLogger(__name__)


class Player:
    """Customers in front of one lender; `record` takes event rows, `measured` the operation,
    latency in seconds, length of the answer in bytes and code of every request."""

    def __init__(
        self,
        lender: Client,
        handset: Handset,
        clock: RunClock,
        record: Callable[[events.Row], None],
        measured: Callable[[str, float, int, str], None],
        way: FaultTimeline | None = None,
        told: Callable[[Acknowledgement], None] | None = None,
        one_step: OneStep | None = None,
    ) -> None:
        """`way` has the faults of the network between customers and lender; `told` takes what
        customers learned; `one_step` follows where they fail."""
        self._lender = lender
        self._handset = handset
        self._clock = clock
        self._record = record
        self._measured = measured
        self._way = way
        self._told = told
        self._said: set[str] = set()
        self._one_step = one_step or OneStep(foreign=False)
        # Two runs against one database must not answer for each other.
        self._run = f"{clock.origin:.3f}-"

    def play(self, number: int, planned: float, steps: Generator[Directive, Any, Ending]) -> Ending:
        """One journey, which should have started at `planned` seconds; blocks its greenlet.

        Latency counts from the moment a request was due: the planned arrival, the end of a think
        time, or the answer before it. A late load generator adds to it instead of hiding in it.

        Whatever goes wrong in a journey ends that one alone, FAILED with the cause journey_error.
        """
        clock = self._clock
        self._record(events.arrival(number, planned, clock.now()))
        trail = _Trail()
        try:
            ending = self._carry_out(number, planned, steps, trail)
        except Exception as error:
            self._say(error)
            ending = BEWILDERED
        self._record(events.end(number, planned, clock.now(), ending.state, ending.cause))
        if trail.last is not None:
            self._one_step.ended(ending, *trail.last)
        return ending

    def _carry_out(
        self,
        number: int,
        planned: float,
        steps: Generator[Directive, Any, Ending],
        trail: _Trail,
    ) -> Ending:
        """Every directive, until the journey says how it ended, with the last exchange on `trail`.
        Raises what an answer drives the
        journey into when it is not what the journey takes."""
        clock = self._clock
        due = planned
        waits = sent = 0
        reply: Any = None
        while True:
            try:
                directive = steps.send(reply)
            except StopIteration as stop:
                ending: Ending = stop.value
                return ending
            reply = None
            if type(directive) is Think:
                due += directive.seconds
                sleep_until(due, clock)
            elif type(directive) is Now:
                reply = clock.now()
            elif type(directive) is Request:
                self._got_beyond(trail.last, directive.op)
                reply, due, raw = self._ask(number, due, directive, sent)
                trail.last = _Exchange(directive, reply, raw)
                sent += 1
            elif type(directive) is ReadOtp:
                began = clock.now()
                reply = self._handset.read(directive.phone, directive.seen, directive.patience)
                due = clock.now()
                if directive.patience > 0:
                    waits += 1
                    code = "TIMEOUT" if reply is None else "READ"
                    self._record(events.otp(number, waits, began, due, code))
                    self._got_beyond(trail.last, "otp")
                    heard = Answer(0, {}, code) if reply is None else Answer(200, {}, "OK")
                    trail.last = _Exchange(directive, heard, b"")

    def _say(self, error: Exception) -> None:
        """Say what ended a journey, once for each place in the code. The message is left out: it
        could quote a customer's data."""
        what = described(error)
        if what not in self._said:
            self._said.add(what)
            logger.error("a journey ended with journey_error: %s", what)

    def _got_beyond(self, last: _Exchange | None, step: str) -> None:
        """A customer goes on to `step`; pressing a button again is not getting beyond it."""
        if last is not None and last.answer.code == "OK" and last.step != step:
            self._one_step.passed.add(last.step)

    def _ask(
        self, number: int, due: float, request: Request, nth: int
    ) -> tuple[Answer, float, bytes]:
        """The answer, when it was there, and its body."""
        started = self._clock.now()
        cut = None
        if self._way is not None:
            cut = self._way.strike_customer(request.op, number, nth, started)
        if cut is None or cut.processed:
            answer, content = send(self._lender, request, number, self._run)
        if cut is not None:
            if cut.transport == "hang":
                sleep_until(started + request.timeout, self._clock)
            answer, content = Answer(0, {}, FAILURES[cut.transport]), b""
        ended = self._clock.now()
        self._record(
            events.request(
                number,
                request.op,
                request.attempt,
                due,
                started,
                ended,
                answer.status,
                answer.code,
            )
        )
        self._measured(request.op, ended - due, len(content), answer.code)
        if self._told is not None:
            origin = self._clock.origin
            self._told(acknowledgement(number, request, answer, origin + started, origin + ended))
        return answer, ended, content


class _Exchange(NamedTuple):
    """What a customer asked for last, the answer, and its body."""

    asked: Request | ReadOtp
    answer: Answer
    content: bytes

    @property
    def step(self) -> str:
        return "otp" if isinstance(self.asked, ReadOtp) else self.asked.op


class _Trail:
    """How far a journey has come: its last exchange, if there was one."""

    last: _Exchange | None = None


def described(error: Exception) -> str:
    """The kind of an error and where it was raised, without its message."""
    where, trace = "", error.__traceback__
    while trace is not None:
        where, trace = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}", trace.tb_next
    return f"{type(error).__name__} at {where}"


def sleep_until(moment: float, clock: RunClock) -> None:
    """Sleep until `clock` shows `moment`; gevent's timers may fire a little early."""
    while (left := moment - clock.now()) > 0:
        gevent.sleep(left)


def send(lender: Client, request: Request, number: int, run: str = "") -> tuple[Answer, bytes]:
    """Carry out one request of customer `number`; the Answer, and its body. `run` sets its
    idempotency keys apart from those of other runs."""
    operation = OPERATIONS[request.op]
    path = operation.path.format_map({k: in_path(v) for k, v in request.path.items()})
    body, headers = b"", {CUSTOMER_HEADER: str(number)}
    if request.image is not None:
        body, headers["Content-Type"] = multipart(request.body, request.image())
    elif operation.method != "GET":
        body, headers["Content-Type"] = msgspec.json.encode(request.body), "application/json"
    if request.idempotency_key:
        headers["Idempotency-Key"] = run + request.idempotency_key
    try:
        status, content = lender.exchange(operation.method, path, request.timeout, body, headers)
    except NoAnswer as failure:
        bad = failure.code == BAD_ANSWER
        return bad_answer(0) if bad else Answer(0, {}, failure.code), b""
    return read_answer(request.op, status, json_object(content) if content else {}), content


def multipart(fields: dict[str, Any], image: bytes) -> tuple[bytes, str]:
    """The upload's body and its Content-Type (RFC 7578): the part `kind`, and the part `file` as
    `content_type`."""
    boundary = uuid4().hex
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="kind"\r\n\r\n'
        f"{fields['kind']}\r\n"
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="document"\r\n'
        f"Content-Type: {fields['content_type']}\r\n\r\n"
    )
    body = head.encode() + image + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
