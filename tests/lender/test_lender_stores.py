"""The stores themselves: atomicity, indexes, group commit, errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import pytest
from lender_world import FakeWorld, Shop, Store
from msgspec.structs import replace
from sqlalchemy import event

from mocks.lender import memory_store
from mocks.lender.audit import AuditLog, verify_chain
from mocks.lender.memory_store import MemoryStore, Retention
from mocks.lender.records import Applicant, AuditEntry, Binding, IdempotentReply, PartnerCall
from mocks.lender.sql_store import SqlStore
from mocks.lender.store import Duplicate, StoreUnavailable, Tx
from scenarios.contract import State
from scenarios.population.cards import luhn_digit
from scenarios.population.identity import check_digit


def _person(number: int, **changes: Any) -> Applicant:
    fields = {
        "applicant_id": f"app_{number}",
        "id_number_index": f"index {number}",
        "name": b"\x00\xff%",
        "id_number": b"i",
        "phone": b"p",
        "created_at": float(number),
    }
    return Applicant(**{**fields, **changes})


def _reply(number: int) -> IdempotentReply:
    return IdempotentReply(
        key=f"k{number}", fingerprint="f", owner="o", created_at=0.0, expires_at=float(number)
    )


def _binding(number: int, **changes: Any) -> Binding:
    fields = {
        "binding_id": f"bnd_{number}",
        "applicant_id": "app",
        "state": State.OTP_SENT,
        "card_number": b"c",
        "card_index": "card",
        "card_shown": "6***",
        "holder": b"h",
        "id_number": b"i",
        "phone": b"p",
        "created_at": float(number),
        "updated_at": float(number),
    }
    return Binding(**{**fields, **changes})


def test_records_come_back_as_they_were(store: Store) -> None:
    person = _person(1, documents=("id_card_front", "bank_card"))
    binding = _binding(1, consents=("a",), expires_at=12.345678901234567, otp_sent=2**40)
    store.transact(lambda tx: (tx.add(person), tx.add(binding)))
    assert store.transact(lambda tx: tx.get(Applicant, "app_1")) == person
    got = store.transact(lambda tx: tx.get(Binding, "bnd_1"))
    assert got == binding
    assert isinstance(got.state, State)
    assert store.transact(lambda tx: tx.get(Binding, "bnd_2")) is None


def test_find_save_remove(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for number in (3, 1, 2):
            tx.add(_binding(number))
        tx.add(_binding(4, card_index="other"))
        tx.add(_binding(5, applicant_id="other"))

    store.transact(fill)

    def found(tx: Tx) -> list[str]:
        return [b.binding_id for b in tx.find(Binding, card_index="card", applicant_id="app")]

    assert store.transact(found) == ["bnd_1", "bnd_2", "bnd_3"]
    store.transact(lambda tx: tx.save(replace(tx.get(Binding, "bnd_1"), card_index="other")))
    store.transact(lambda tx: tx.remove(_binding(2)))
    store.transact(lambda tx: tx.remove(_binding(99)))
    assert store.transact(found) == ["bnd_3"]
    assert [b.binding_id for b in store.records(Binding)] == ["bnd_1", "bnd_3", "bnd_4", "bnd_5"]


def test_due(store: Store) -> None:
    store.transact(lambda tx: [tx.add(_reply(n)) for n in (5, 1, 3, 2)])

    def due(until: float, limit: int | None = None) -> list[str]:
        work = lambda tx: tx.due(IdempotentReply, "expires_at", until, limit)  # noqa: E731
        return [reply.key for reply in store.transact(work)]

    assert due(0.5) == []
    assert due(3.0) == due(3.0) == ["k1", "k2", "k3"]
    assert due(9.0, 2) == ["k1", "k2"]
    store.transact(lambda tx: tx.save(replace(tx.get(IdempotentReply, "k1"), expires_at=4.0)))
    store.transact(lambda tx: tx.remove(_reply(2)))
    assert due(float("inf")) == ["k3", "k1", "k5"]
    store.transact(lambda tx: tx.add(_binding(1)))
    assert store.transact(lambda tx: tx.due(Binding, "expires_at", float("inf"))) == []


def test_last(store: Store) -> None:
    assert store.transact(lambda tx: tx.last(AuditEntry, node="n")) is None

    def entry(node: str, sequence: int) -> AuditEntry:
        return AuditEntry(
            entry_id=f"{node}:{sequence}",
            node=node,
            sequence=sequence,
            at=0.0,
            action="a",
            subject="s",
            detail="",
            previous="p",
            digest="d",
        )

    def fill(tx: Tx) -> None:
        for sequence in (1, 2, 10):
            tx.add(entry("n", sequence))
        tx.add(entry("m", 99))

    store.transact(fill)
    assert store.transact(lambda tx: tx.last(AuditEntry, node="n")).sequence == 10


def test_duplicates(store: Store) -> None:
    store.transact(lambda tx: tx.add(_person(1)))

    def clashing(tx: Tx) -> str:
        for record in (_person(1), _person(2, id_number_index="index 1")):
            with pytest.raises(Duplicate):
                tx.add(record)
        # The transaction goes on after a refused `add`.
        tx.add(_person(3))
        return tx.find(Applicant, id_number_index="index 1")[0].applicant_id

    assert store.transact(clashing) == "app_1"
    with pytest.raises(Duplicate):
        store.transact(lambda tx: tx.save(_person(4, id_number_index="index 3")))
    store.transact(lambda tx: tx.save(_person(3)))
    assert [p.applicant_id for p in store.records(Applicant)] == ["app_1", "app_3"]


def test_raising_undoes_everything(store: Store) -> None:
    store.transact(lambda tx: (tx.add(_person(1)), tx.add(_binding(1, expires_at=5.0))))
    undone: list[str] = []

    def failing(tx: Tx) -> None:
        tx.on_rollback(lambda: undone.append("undone"))
        tx.add(_person(2))
        tx.save(_person(1, id_number_index="changed"))
        tx.save(_binding(1, card_index="changed", expires_at=None))
        tx.due(Binding, "expires_at", 9.0)
        tx.remove(_person(1))
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        store.transact(failing)
    assert undone == ["undone"]
    assert list(store.records(Applicant)) == [_person(1)]

    def look(tx: Tx) -> tuple[int, int, int, int]:
        return (
            len(tx.find(Applicant, id_number_index="index 1")),
            len(tx.find(Applicant, id_number_index="changed")),
            len(tx.find(Binding, card_index="card")),
            len(tx.due(Binding, "expires_at", 9.0)),
        )

    assert store.transact(look) == (1, 0, 1, 1)
    store.transact(lambda tx: tx.on_rollback(lambda: undone.append("again")))
    with pytest.raises(LookupError):
        store.transact(failing)
    assert undone == ["undone", "undone"], "a committed transaction is not undone later"


# ── memory ──────────────────────────────────────────────────────────────────────────────────────


def test_retention_keeps_memory_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_store, "AUDIT_KEPT", 50)
    store = MemoryStore(Retention(600.0, 600.0, 600.0, 600.0, few=0))
    world = FakeWorld(store)
    shop = Shop(world)
    for number in range(40):
        id_number = f"34112619770921{number:03d}"
        shop.register(id_number=id_number + check_digit(id_number))
        for kind in ("id_card_front", "id_card_back", "bank_card"):
            shop.upload(kind)
        digits = f"621626990000{number:06d}"
        assert shop.submit(card_number=digits + luhn_digit(digits)).status == 201
        if number % 2:
            assert shop.confirm().status == 200
            shop.authorise()
            assert shop.pay().status == 200
        world.advance(100)
    world.close()
    bindings = list(store.records(Binding))
    finished = [b for b in bindings if b.state == State.ACTIVE]
    assert len(finished) == 3
    assert len(bindings) < 12 + 3 + 10, "abandoned ones go after their expiry"
    assert len(list(store.records(PartnerCall))) == 3 * len(finished)
    assert len(list(store.records(IdempotentReply))) <= 8
    assert [e.sequence for e in store.records(AuditEntry)][-1] > 300
    assert len(list(store.records(AuditEntry))) == 50
    assert 3 <= len(list(store.records(Applicant))) <= 8


def test_find_needs_an_index() -> None:
    with pytest.raises(LookupError, match="no index of bindings covers state"):
        MemoryStore().transact(lambda tx: tx.find(Binding, state=State.ACTIVE))


# ── SQL ─────────────────────────────────────────────────────────────────────────────────────────


def _group(store: SqlStore, works: list[Callable[[Any], Any]]) -> list[Future[Any]]:
    """Submit works so that they share one commit: the writer is kept busy meanwhile."""
    begun, gate = threading.Event(), threading.Event()
    store.submit(lambda _: (begun.set(), gate.wait(10)))
    assert begun.wait(10)
    futures = [store.submit(work) for work in works]
    gate.set()
    wait(futures, timeout=10)
    return futures


def _commits(store: SqlStore) -> list[int]:
    seen: list[int] = []
    event.listen(store._engine, "commit", lambda _: seen.append(1))
    return seen


def test_group_commit_isolates_failures(sql_store: SqlStore) -> None:
    commits = _commits(sql_store)

    def failing(tx: Tx) -> None:
        tx.add(_person(100))
        raise LookupError("mine alone")

    def clashing(tx: Tx) -> None:
        tx.save(_person(101, id_number_index="index 1"))

    works: list[Callable[[Any], Any]] = [
        lambda tx: tx.add(_person(1)),
        failing,
        clashing,
        lambda tx: tx.add(_person(2)),
        lambda tx: tx.get(Applicant, "app_1"),
    ]
    outcomes = [future.exception() or future.result() for future in _group(sql_store, works)]
    assert outcomes[0] is outcomes[3] is None
    assert isinstance(outcomes[1], LookupError)
    assert isinstance(outcomes[2], Duplicate)
    assert outcomes[4] == _person(1), "later work sees earlier work"
    assert [p.applicant_id for p in sql_store.records(Applicant)] == ["app_1", "app_2"]
    assert len(commits) == 2, "one for the gate, one for the group"


def test_nobody_is_told_before_the_commit(sql_store: SqlStore) -> None:
    futures: list[Future[None]] = []
    told: list[bool] = []
    event.listen(sql_store._engine, "commit", lambda _: told.extend(f.done() for f in futures))
    futures += _group(sql_store, [lambda tx: tx.add(_person(1)), lambda tx: tx.add(_person(2))])
    assert all(future.done() for future in futures)
    assert not any(told)


def test_failed_commit_fails_all(sql_store: SqlStore) -> None:
    undone: list[int] = []
    down = True

    def fail(_: object) -> None:
        if down:
            raise OSError("disk full")

    event.listen(sql_store._engine, "commit", fail)

    def work(number: int) -> Callable[[Tx], None]:
        def add(tx: Tx) -> None:
            tx.on_rollback(lambda: undone.append(number))
            tx.add(_person(number))

        return add

    for future in _group(sql_store, [work(1), work(2)]):
        assert isinstance(future.exception(), StoreUnavailable)
    assert undone == [2, 1]
    down = False
    sql_store.transact(work(3))
    assert [p.applicant_id for p in sql_store.records(Applicant)] == ["app_3"]


def test_audit_goes_on_from_what_a_failed_over_database_has(sql_store: SqlStore) -> None:
    audit = AuditLog("node-1")

    def note(number: int) -> None:
        sql_store.transact(lambda tx: audit.append(tx, float(number), "noted", f"bnd_{number}"))

    for number in (1, 2, 3):
        note(number)
    # The server that takes over had not received the newest entry.
    newest = sql_store.transact(lambda tx: tx.last(AuditEntry, node="node-1"))
    assert newest is not None
    sql_store.transact(lambda tx: tx.remove(newest))
    sql_store._engine.dispose()
    note(4)
    entries = list(sql_store.records(AuditEntry))
    assert [entry.subject for entry in entries] == ["bnd_1", "bnd_2", "bnd_4"]
    assert verify_chain(entries) is None


def test_closed_store(sql_url: str) -> None:
    store = SqlStore(sql_url)
    pending = store.submit(lambda tx: tx.add(_person(1)))
    store.close()
    assert pending.exception(timeout=0) is None
    with pytest.raises(StoreUnavailable, match="closed"):
        store.submit(lambda tx: None)
    store.close()
    again = SqlStore(sql_url)
    assert [p.applicant_id for p in again.records(Applicant)] == ["app_1"]
    again.close()


def test_two_nodes_on_one_database(sql_url: str) -> None:
    """Concurrent increments through two stores: none is lost."""
    stores = [SqlStore(sql_url), SqlStore(sql_url)]
    stores[0].transact(lambda tx: [tx.add(_binding(n)) for n in range(4)])

    def increment(number: int) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            # Two rows in either order: what PostgreSQL may break off as a deadlock.
            for key in (f"bnd_{number % 4}", f"bnd_{(number * 3 + 1) % 4}"):
                binding = tx.get(Binding, key)
                assert binding is not None
                tx.save(replace(binding, otp_tries=binding.otp_tries + 1))

        return work

    futures = [stores[n % 2].submit(increment(n // 2)) for n in range(200)]
    wait(futures, timeout=120)
    for future in futures:
        future.result(timeout=0)
    total = sum(binding.otp_tries for binding in stores[0].records(Binding))
    for store in stores:
        store.close()
    assert total == 400


def test_two_groups_in_each_others_way_are_both_done(fresh_postgres: str) -> None:
    """Each node's group holds a row that the other's waits for, whatever is run again alone."""
    stores = [SqlStore(fresh_postgres), SqlStore(fresh_postgres)]
    stores[0].transact(lambda tx: [tx.add(_binding(n)) for n in range(2)])
    holds = [threading.Event(), threading.Event()]
    gate = threading.Event()

    def first(node: int) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            tx.get(Binding, f"bnd_{node}")
            holds[node].set()
            assert holds[1 - node].wait(60)

        return work

    def second(node: int) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            binding = tx.get(Binding, f"bnd_{1 - node}")
            assert binding is not None
            tx.save(replace(binding, otp_tries=binding.otp_tries + 1))

        return work

    # Both pieces of work come into one group while the writer is held up.
    for store in stores:
        store.submit(lambda tx: gate.wait(60))
    futures = [stores[node].submit(work) for node in (0, 1) for work in (first(node), second(node))]
    gate.set()
    wait(futures, timeout=120)
    for future in futures:
        future.result(timeout=0)
    assert [binding.otp_tries for binding in stores[0].records(Binding)] == [1, 1]
    for store in stores:
        store.close()


def test_two_nodes_register_one_person(sql_url: str) -> None:
    stores = [SqlStore(sql_url), SqlStore(sql_url)]
    shops = [Shop(FakeWorld(store)) for store in stores]
    shops[1].world._numbers = iter(range(1000, 2000))  # type: ignore[assignment]
    statuses = sorted(shop.register().status for shop in shops)
    assert statuses == [200, 201]
    assert shops[0].applicant == shops[1].applicant
    for shop, store in zip(shops, stores, strict=True):
        shop.world.close()
        store.close()


def test_sqlite_is_durable(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'x.db'}")

    def pragmas(tx: Any) -> tuple[Any, ...]:
        return tuple(
            tx._run(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        )

    assert store.transact(pragmas) == ("wal", 2, 10_000)
    store.transact(lambda tx: tx.add(_person(1)))
    wal = tmp_path / "x.db-wal"
    assert wal.stat().st_size > 0
    store.checkpoint()
    assert wal.stat().st_size == 0
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("sqlite://", "names no file"),
        ("nonsense", "cannot be read"),
        ("mysql://u:secret@h/d", "mysql is not supported"),
        ("postgresql://u:secret@127.0.0.1:1/d", "refused"),
    ],
)
def test_unavailable_is_one_line_without_password(url: str, message: str) -> None:
    with pytest.raises(StoreUnavailable, match=message) as raised:
        SqlStore(url)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
