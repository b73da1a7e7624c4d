"""A small deterministic World: virtual time, scripted gateways, and death at a chosen await."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol, TypeVar

from mocks.lender.records import AuditEntry, Binding, PartnerCall
from mocks.lender.service import Lender, LenderRequest, LenderResponse
from mocks.lender.store import R, Tx
from mocks.lender.vault import MemoryVault, Vault
from mocks.world import Attempt, CallFailed, GatewayAnswer
from scenarios.contract import CONSENT_SCOPES, OPERATIONS, TERMS_VERSION
from scenarios.policy import LenderPolicy

T = TypeVar("T")

NAME = "张三"
ID_NUMBER = "341126197709218366"
PHONE = "13552535506"
CARD = "6216261000000000018"
AGREEMENT = "88001234567890120000"


class Store(Protocol):
    def transact(self, work: Callable[[Any], T]) -> T: ...
    def records(self, kind: type[R]) -> Iterator[R]: ...


class Killed(BaseException):
    """The process is gone: nobody catches this."""


class _Pause:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __await__(self) -> Generator[float, None, None]:
        yield self.seconds


class Gateways:
    """Bank, SMS and payment gateway in a few lines each. `script[gateway, op]` decides about the
    next calls: `unreachable`, `timeout`, `timeout_done` (the work is done, the answer lost),
    `reset_done`, an answer to give without doing the work, or a callable to make the reply of."""

    def __init__(self) -> None:
        self.script: dict[tuple[str, str], deque[Any]] = defaultdict(deque)
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.texts: list[str] = []
        self.agreements: dict[str, str] = {}
        self.charges: dict[str, int] = {}
        self.refunds: dict[str, int] = {}

    def made(self, gateway: str, op: str) -> list[dict[str, Any]]:
        return [payload for g, o, payload in self.calls if (g, o) == (gateway, op)]

    def code(self) -> str:
        """The newest code that was sent."""
        return self.texts[-1].split("验证码")[1][:6]

    def work(self, gateway: str, op: str, payload: dict[str, Any]) -> GatewayAnswer:
        number = payload.get("order_no", "")
        if gateway == "sms":
            self.texts.append(payload["text"])
            return answer(Code="OK", BizId="1")
        if gateway == "bank":
            if op == "query":
                if number not in self.agreements:
                    return answer(respCode="34")
                return answer(
                    respCode="00", origRespCode="00", agreement_no=self.agreements[number]
                )
            if number in self.agreements:
                return answer(respCode="12")
            self.agreements[number] = AGREEMENT
            return answer(respCode="00", agreement_no=AGREEMENT)
        ledger = self.charges if op == "charge" or number in self.charges else self.refunds
        if op == "query":
            if number not in ledger:
                return answer(code="ORDER_NOT_FOUND")
            return answer(code="OK", trade_state="SUCCESS")
        if op == "refund" and payload["original_order_no"] not in self.charges:
            return answer(code="ORIGINAL_NOT_FOUND")
        ledger[number] = payload["amount_fen"]
        return answer(code="OK", trade_state="SUCCESS")


def answer(status: int = 200, **body: Any) -> GatewayAnswer:
    return GatewayAnswer(status, body)


class FakeWorld:
    """`mocks.world.World` with a scheduler of its own."""

    def __init__(self, store: Store, start: float = 0.0) -> None:
        self.node = "node-1"
        self.store = store
        self.gateways = Gateways()
        self.clock = start
        self.called: list[tuple[float, str, float]] = []
        self.awaits = 0
        self.dies_at: int | None = None
        self.store_down: Exception | None = None
        self._numbers = count(1)
        self._order = count()
        self._waiting: list[tuple[float, int, Coroutine[Any, Any, Any], list[Any]]] = []
        self._held: dict[str, int] = defaultdict(int)
        self.most_held = 0
        self._heir: FakeWorld | None = None

    # ── World ───────────────────────────────────────────────────────────────────────────────────

    def now(self) -> float:
        return self.clock

    async def sleep(self, seconds: float) -> None:
        self._live()
        await _Pause(seconds)
        self._live()

    async def transact(self, work: Callable[[Tx], T]) -> T:
        self._live()
        await _Pause(0)
        if self.store_down is not None:
            raise self.store_down
        result = self.store.transact(work)
        self._live()
        await _Pause(0)
        return result

    async def call(
        self, gateway: str, op: str, payload: dict[str, Any], timeout: float
    ) -> GatewayAnswer:
        assert self._held[gateway] > 0, "a connection is taken before a call"
        self._live()
        self.gateways.calls.append((gateway, op, payload))
        self.called.append((self.clock, f"{gateway} {op}", timeout))
        script = self.gateways.script[gateway, op]
        step = script.popleft() if script else None
        if step == "unreachable":
            raise CallFailed(gateway, op, "UNREACHABLE")
        if isinstance(step, GatewayAnswer):
            await _Pause(0.1)
            return step
        if step == "timeout":
            await _Pause(timeout)
            raise CallFailed(gateway, op, "TIMEOUT")
        reply = self.gateways.work(gateway, op, payload)
        self._live()
        if step == "timeout_done":
            await _Pause(timeout)
            raise CallFailed(gateway, op, "TIMEOUT")
        if step == "reset_done":
            raise CallFailed(gateway, op, "RESET")
        await _Pause(0.1)
        self._live()
        return step(reply) if callable(step) else reply

    def limit(self, name: str) -> AbstractAsyncContextManager[None]:
        @asynccontextmanager
        async def place() -> AsyncIterator[None]:
            self._held[name] += 1
            self.most_held = max(self.most_held, self._held[name])
            try:
                yield
            finally:
                self._held[name] -= 1

        return place()

    def identifier(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers)}"

    def digits(self, count: int) -> str:
        return f"{next(self._numbers) * 7919 % 10**count:0{count}d}"

    def uniform(self, *key: str | int) -> float:
        return 0.5

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        self.start(work)

    async def race(
        self, one: Attempt[GatewayAnswer], other: Attempt[GatewayAnswer], delay: float
    ) -> GatewayAnswer:
        answers: list[GatewayAnswer] = []
        failures: list[CallFailed] = []

        async def run(attempt: Attempt[GatewayAnswer]) -> None:
            try:
                answers.append(await attempt())
            except CallFailed as failed:
                failures.append(failed)

        started = 1
        self.start(run(one))
        until = self.clock + delay
        while not answers and len(failures) < started:
            await _Pause(0.01)
            if started == 1 and self.clock >= until and not answers and not failures:
                started = 2
                self.start(run(other))
        if answers:
            return answers[0]
        raise failures[-1]

    # ── running it ──────────────────────────────────────────────────────────────────────────────

    def start(self, work: Coroutine[Any, Any, Any], *, after: float = 0.0) -> list[Any]:
        """Schedule a coroutine; its result will be the only element of the returned list."""
        result: list[Any] = []
        heappush(self._waiting, (self.clock + after, next(self._order), work, result))
        return result

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run until `work` is done."""
        result = self.start(work)
        while not result:
            self._step()
        value: T = result[0]
        return value

    def advance(self, seconds: float) -> None:
        """Run whatever happens in the next seconds."""
        until = self.clock + seconds
        while self._waiting and self._waiting[0][0] <= until:
            self._step()
        self.clock = until

    def after_death(self) -> FakeWorld:
        """The next life of the same node: same store, partners and clock."""
        self._drop_work()
        reborn = self._heir = FakeWorld(self.store, self.clock)
        reborn.gateways = self.gateways
        self.gateways.script.clear()
        reborn._numbers = self._numbers
        return reborn

    def close(self) -> None:
        """Drop what is still scheduled, here and in the next lives."""
        self._drop_work()
        if self._heir is not None:
            self._heir.close()

    def _drop_work(self) -> None:
        for _, _, work, _ in self._waiting:
            work.close()
        self._waiting.clear()

    def _step(self) -> None:
        at, _, work, result = heappop(self._waiting)
        self.clock = max(self.clock, at)
        try:
            seconds = work.send(None)
        except StopIteration as stop:
            result.append(stop.value)
        else:
            heappush(self._waiting, (self.clock + seconds, next(self._order), work, result))

    def _live(self) -> None:
        if self.awaits == self.dies_at:
            raise Killed
        self.awaits += 1


class Shop:
    """A lender in a fake world, and the one customer in it."""

    def __init__(
        self,
        world: FakeWorld,
        *,
        vault: Vault | None = None,
        policy: LenderPolicy | None = None,
    ) -> None:
        self.world = world
        self.gateways = world.gateways
        self.vault = vault or MemoryVault()
        self.policy = policy or LenderPolicy()
        self.lender = Lender(self.policy, world, self.vault)
        self.outbox = world.start(self.lender.run_outbox())
        self.applicant = ""
        self.binding = ""
        self._keys = count(1)

    def ask(self, op: str, body: Any = None, *, key: str = "", **path: str) -> LenderResponse:
        return self.world.run(self.lender.handle(self.request(op, body, key=key, **path)))

    def request(self, op: str, body: Any = None, *, key: str = "", **path: str) -> LenderRequest:
        template = OPERATIONS[op].path if op in OPERATIONS else ""
        known = {"applicant": self.applicant, "binding": self.binding}
        where = {name: value for name, value in known.items() if f"{{{name}}}" in template} | path
        return LenderRequest(op, {} if body is None else body, where, key)

    def register(self, **changes: Any) -> LenderResponse:
        body = {"name": NAME, "id_number": ID_NUMBER, "phone": PHONE, **changes}
        response = self.ask("register", body)
        self.applicant = response.body.get("applicant_id", self.applicant)
        return response

    def upload(self, kind: str, **changes: Any) -> LenderResponse:
        picture = {"content_type": "image/jpeg", "size": 80_000, "sha256": "ab" * 32}
        return self.ask("documents", {"kind": kind, **picture, **changes})

    def submit(self, *, key: str | None = None, **changes: Any) -> LenderResponse:
        body = {
            "applicant_id": self.applicant,
            "card_number": CARD,
            "holder": NAME,
            "id_number": ID_NUMBER,
            "phone": PHONE,
            **changes,
        }
        response = self.ask("submit", body, key=f"key-{next(self._keys)}" if key is None else key)
        self.binding = response.body.get("binding_id", self.binding)
        return response

    def registered(self) -> None:
        self.register()
        for kind in ("id_card_front", "id_card_back", "bank_card"):
            self.upload(kind)

    def submitted(self) -> None:
        self.registered()
        assert self.submit().status == 201

    def confirm(self, otp: str | None = None, *, key: str = "") -> LenderResponse:
        return self.ask("confirm", {"otp": self.gateways.code() if otp is None else otp}, key=key)

    def wrong_code(self) -> str:
        return f"{(int(self.gateways.code()) + 1) % 10**6:06d}"

    def authorise(self, **changes: Any) -> LenderResponse:
        consents = list(CONSENT_SCOPES)
        return self.ask(
            "authorise", {"terms_version": TERMS_VERSION, "consents": consents, **changes}
        )

    def authorised(self) -> None:
        self.submitted()
        assert self.confirm().status == 200
        assert self.authorise().status == 200

    def pay(self) -> LenderResponse:
        return self.ask("test_payment")

    def state(self) -> str:
        return str(self.ask("status").body["state"])

    # ── looking into the store ──────────────────────────────────────────────────────────────────

    def stored(self) -> Binding:
        return next(b for b in self.world.store.records(Binding) if b.binding_id == self.binding)

    def call(self, op: str) -> PartnerCall:
        key = f"{self.binding}-{op}"
        return next(c for c in self.world.store.records(PartnerCall) if c.call_id == key)

    def audit(self) -> list[AuditEntry]:
        return list(self.world.store.records(AuditEntry))


def error(response: LenderResponse) -> str:
    """The response's error code."""
    return str(response.body["error"]["code"])
