"""Backups of a live SQLite file, damage to it, and which backup is restored."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from functools import partial

import pytest

from loadtests.process import StackProblem
from loadtests.topologies.backups import Backup, Backups, choose, unsound
from loadtests.topologies.sqlite_damage import cut_in_half, drop_table, spoil_page
from mocks.lender.records import AuditEntry
from mocks.lender.sql_store import SqlStore
from mocks.lender.store import StoreUnavailable


def audit_entry(number):
    return AuditEntry(
        entry_id=f"lender-1:{number}",
        node="lender-1",
        sequence=number,
        at=float(number),
        action="tested",
        subject="bnd_1",
        detail="x" * 400,
        previous="0" * 64,
        digest="0" * 64,
    )


def add_entry(number, tx):
    tx.add(audit_entry(number))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "lender.db"


@pytest.fixture
def store(file):
    store = SqlStore(f"sqlite:///{file}")
    store.transact(lambda tx: [add_entry(number, tx) for number in range(1, 201)])
    yield store
    store.close()


@pytest.fixture
def backups(file, store, tmp_path):
    found = Backups(file, tmp_path / "backups", every=3600.0, keep=2)
    found.folder.mkdir()
    return found


def entries(file):
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT count(*) FROM audit").fetchone()[0]


def test_a_backup_under_writes_is_sound_and_has_all_from_before_it(file, store, backups):
    done = threading.Event()
    written = []

    def write():
        number = 200
        while not done.is_set():
            number += 1
            store.transact(partial(add_entry, number))
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            before = written[-1] if written else 200
            backup = backups.take()
            assert unsound(backup.path) == ""
            assert entries(backup.path) >= before
            assert backup.as_of <= time.time() - backup.took + 0.5
    finally:
        done.set()
        writer.join()
    assert len(written) > 0


def test_the_newest_are_kept(backups, tmp_path):
    made = [backups.take() for _ in range(3)]
    assert backups.taken == (made[2], made[1])
    assert {path.name for path in backups.folder.iterdir()} == {
        made[1].path.name, made[2].path.name,
    }  # fmt: skip


def test_a_damaged_database_is_not_backed_up(file, backups):
    sound = backups.take()
    spoil_page(file, "audit")
    with pytest.raises(sqlite3.DatabaseError):
        backups.take()
    assert backups.taken == (sound,)
    assert entries(sound.path) == 200


def test_the_schedule_goes_on_after_a_failure(file, store, tmp_path):
    backups = Backups(file, tmp_path / "backups", every=0.02, keep=1000)
    backups.start()
    try:
        backups.follow(tmp_path / "missing.db")
        deadline = time.monotonic() + 20
        while backups.refused < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not (tmp_path / "missing.db").exists()
        taken = len(backups.taken)
        backups.follow(file)
        while len(backups.taken) <= taken:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        backups.stop()


def named(*moments, tmp_path):
    return tuple(Backup(tmp_path / f"{moment}.db", moment, 0.1) for moment in moments)


def test_choice_goes_by_moment_soundness_and_age(tmp_path):
    taken = named(40.0, 30.0, 20.0, 10.0, tmp_path=tmp_path)

    def complaint(path):
        return "spoilt" if path.stem == "30.0" else ""

    def chosen(struck_at, older=0):
        backup, passed_over = choose(taken, struck_at, older, complaint)
        return (backup and backup.as_of), passed_over

    assert chosen(100.0) == (40.0, [])
    # One from after the fault would bring the fault back.
    assert chosen(39.0) == (20.0, ["30.0.db: spoilt"])
    assert chosen(39.0, older=1) == (10.0, ["30.0.db: spoilt"])
    assert chosen(39.0, older=2)[0] is None
    assert chosen(5.0) == (None, [])


@pytest.mark.parametrize("damage", [spoil_page, drop_table, lambda file, _: cut_in_half(file)])
def test_a_lender_that_has_the_file_open_meets_the_damage(file, store, damage):
    damage(file, "audit")
    with pytest.raises(StoreUnavailable):
        store.transact(lambda tx: tx.find(AuditEntry, node="lender-1", sequence=150))


def test_no_table_no_damage(file, store):
    with pytest.raises(StackProblem, match="no such table"):
        drop_table(file, "users")
