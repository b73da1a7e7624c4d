"""An older copy of the lender's database is restored: the partners know more than the lender."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from served import CONSENT, Servers, eventually

from loadtests.reading import audit_tips, read_agreements, read_movements, read_site
from loadtests.reconcile import reconcile
from reports.drills.books import masked
from reports.drills.checker import check
from reports.drills.history import Acknowledgement
from reports.drills.reconciliation import Reconciliation
from scenarios.population import Population
from scenarios.schema import Population as PopulationSection

pytestmark = pytest.mark.live

STEPS = ("confirm", "agreement", "test-payment")


class Drill:
    """Partners that stay up, and a lender that is stopped, restored and started again."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.folder, self._running = folder, running
        self.population = Population(PopulationSection(), 1)
        self.partners = running.enter_context(
            Servers(folder, ("bank", "sms", "payment"), seed=1, signing_key="k" * 32)
        )
        self.database = f"sqlite:///{folder / 'lender.db'}"
        self.keys = folder / "keys.json"
        self.start()

    def start(self) -> None:
        self.lender = self._running.enter_context(
            Servers(
                self.folder, ("lender",), gateways=self.partners.urls, signing_key="k" * 32, seed=1
            )
        )
        self.lender.urls = {**self.partners.urls, **self.lender.urls}

    def copy(self, to: str) -> None:
        with (
            closing(sqlite3.connect(self.folder / "lender.db")) as live,
            closing(sqlite3.connect(self.folder / to)) as copy,
        ):
            live.backup(copy)

    def restore(self, copy: str) -> None:
        self.lender.stop()
        for suffix in ("", "-wal", "-shm"):
            (self.folder / f"lender.db{suffix}").unlink(missing_ok=True)
        (self.folder / copy).rename(self.folder / "lender.db")
        self.start()

    def submit(self, number: int) -> str:
        """A binding of customer `number` whose code was sent."""
        customer = self.population.customer(number)
        person = {
            "name": customer.name,
            "id_number": customer.id_number,
            "phone": customer.phone,
        }
        reply = self.lender.submit(
            self.lender.register(person), customer.card_number, person, key=f"c{number}"
        )
        assert reply.status == 201, reply.body
        return str(reply.json["binding_id"])

    def go_on(self, binding: str, number: int, *steps: str) -> str:
        for step in steps:
            body: Any = CONSENT if step == "agreement" else None
            if step == "confirm":
                body = {"otp": self.lender.read_code(self.population.customer(number).phone)}
            reply = self.lender.post("lender", f"/v1/bindings/{binding}/{step}", body)
            assert reply.status == 200, reply.body
        return str(reply.json["state"])

    def refunds(self) -> int:
        rows = read_movements(self.partners.urls["payment"], self.now)
        return sum(row.kind == "refund" for row in rows)

    @property
    def now(self) -> float:
        return time.time()

    def reconcile(self, repair: bool) -> Reconciliation:
        urls = self.partners.urls
        return reconcile(self.database, self.keys, urls["bank"], urls["payment"], repair)

    def quiet(self) -> None:
        """Until the lender works on nothing any more."""
        eventually(lambda: self.reconcile(repair=False).before.busy == 0)


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[Drill]:
    with ExitStack() as running:
        yield Drill(tmp_path, running)


def _kinds(found: Reconciliation) -> list[tuple[str, str]]:
    return sorted((one.kind, one.subject) for one in found.before.findings)


def test_a_restored_copy_is_found_out_repaired_and_agrees(
    drill: Drill, bindrill: Callable[..., Any]
) -> None:
    kept = drill.submit(0)
    drill.go_on(kept, 0, *STEPS)
    opened = drill.submit(1)
    agreed = drill.submit(2)
    drill.go_on(agreed, 2, "confirm", "agreement")
    eventually(lambda: drill.refunds() == 1)
    drill.quiet()
    assert drill.reconcile(repair=False).agrees
    drill.copy("backup.db")
    gone = [drill.submit(3), drill.submit(4)]
    assert drill.go_on(gone[0], 3, *STEPS) == "ACTIVE"
    drill.go_on(gone[1], 4, "confirm")
    drill.go_on(opened, 1, *STEPS)
    drill.go_on(agreed, 2, "test-payment")
    eventually(lambda: drill.refunds() == 4)
    drill.quiet()
    tips = audit_tips(drill.database, drill.now)
    fault_at = drill.now

    drill.restore("backup.db")

    lost = {gone[0]: "", gone[1]: "", opened: "OTP_SENT", agreed: "AUTHORISED"}
    told = [
        Acknowledgement(
            customer=nth,
            step="status",
            subject=binding,
            state="VERIFIED" if binding == gone[1] else "ACTIVE",
            outcome="ok",
            invoked=fault_at - 1,
            completed=fault_at,
        )
        for nth, binding in enumerate((kept, *lost))
    ]
    urls = drill.partners.urls
    site = read_site(drill.database)
    checked = check(
        told,
        site,
        agreements=read_agreements(urls["bank"], drill.now),
        movements=read_movements(urls["payment"], drill.now),
        tips=tips,
        fault_at=fault_at,
    )
    assert {one.subject: one.found for one in checked.lost} == lost
    assert checked.charged_unbound == (gone[0],)
    assert [one.why for one in checked.audit_breaks] == ["cut"]
    assert checked.duplicated == checked.resurrected == ()
    assert checked.bound_unagreed == ()

    drill.quiet()
    found = drill.reconcile(repair=False)
    assert _kinds(found) == sorted(
        (kind, masked(binding))
        for kind, binding in (
            ("agreement_without_binding", gone[0]),
            ("agreement_without_binding", gone[1]),
            ("charge_without_record", gone[0]),
            ("refund_without_record", gone[0]),
            ("state_behind_bank", opened),
            ("charge_without_record", opened),
            ("refund_without_record", opened),
            ("state_behind_payment", agreed),
            ("refund_without_record", agreed),
        )
    )
    assert not found.repairs
    assert not found.before.money.conserved
    assert (found.before.money.charged_fen, found.before.money.recorded_charged_fen) == (4, 1)

    command = ("reconcile", "--db", drill.database, "--keys", drill.keys)
    command += ("--bank", urls["bank"], "--payment", urls["payment"])
    assert bindrill(*command).code == 99
    repaired = bindrill(*command, "--repair")
    assert repaired.code == 0, repaired.out + repaired.err
    assert "agreement_without_binding" in repaired.out
    customer = drill.population.customer(3)
    for secret in (customer.card_number, customer.phone, customer.id_number, gone[0]):
        assert secret not in repaired.out + repaired.err

    again = drill.reconcile(repair=True)
    assert again.agrees
    assert not again.before.findings
    assert not again.repairs
    money = again.after.money
    assert (money.charged_fen, money.refunded_fen) == (4, 4)
    assert money.conserved
    after = read_site(drill.database)
    states = {binding: after.bindings[binding].state for binding in (kept, opened, agreed)}
    assert states == {kept: "ACTIVE", opened: "VERIFIED", agreed: "ACTIVE"}
    assert not check([], after, fault_at=0.0).audit_breaks

    # The repaired binding goes on, and is charged no second time.
    assert drill.go_on(opened, 1, "agreement", "test-payment") == "ACTIVE"
    drill.quiet()
    assert drill.reconcile(repair=False).agrees
    assert drill.refunds() == 4


def test_money_and_agreements_astray_go_back_and_stuck_bindings_move_on(drill: Drill) -> None:
    code_sent, verifying, paying = (drill.submit(number) for number in range(3))
    drill.go_on(paying, 2, "confirm", "agreement")
    agreement = drill.partners.open_card("bnd_astray-open").json["agreement_no"]
    charge = {"order_no": "bnd_astray-charge", "agreement_no": agreement, "amount_fen": 1}
    assert drill.partners.post("payment", "/v1/charge", charge).json["trade_state"] == "SUCCESS"
    with closing(sqlite3.connect(drill.folder / "lender.db")) as database, database:
        for binding, state in ((verifying, "VERIFYING"), (paying, "PAYING")):
            database.execute("UPDATE bindings SET state = ? WHERE binding_id = ?", (state, binding))
    found = drill.reconcile(repair=False)
    assert _kinds(found) == sorted(
        [
            ("agreement_without_binding", "bnd_astray"),
            ("charge_without_record", "bnd_astray"),
            ("charge_without_refund", "bnd_astray"),
            ("stuck_paying", masked(paying)),
            ("stuck_verifying", masked(verifying)),
        ]
    )
    assert found.before.money.net_fen == 1
    repaired = drill.reconcile(repair=True)
    assert [each.outcome for each in repaired.repairs] == ["done"] * 5
    assert repaired.agrees
    assert (repaired.after.money.net_fen, repaired.after.money.recorded_net_fen) == (0, 0)
    site = read_site(drill.database)
    states = {binding: site.bindings[binding].state for binding in (code_sent, verifying, paying)}
    assert states == {code_sent: "OTP_SENT", verifying: "OTP_SENT", paying: "AUTHORISED"}
    assert drill.go_on(paying, 2, "test-payment") == "ACTIVE"
    assert drill.go_on(verifying, 1, *STEPS) == "ACTIVE"
    drill.quiet()
    assert drill.reconcile(repair=True).agrees
