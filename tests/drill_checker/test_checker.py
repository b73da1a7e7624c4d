"""The checker finds what was planted, exactly that, and nothing in a clean history."""

from __future__ import annotations

from typing import Any

from histories import World, Write, chains, worlds
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reports.drills.books import AgreementRow, AuditTip, BindingRow, Movement, SiteRecords
from reports.drills.checker import check
from reports.drills.findings import Checked
from reports.drills.history import Acknowledgement
from scenarios.contract import State

RETURNS = {("OTP_SENT", "VERIFYING"), ("AUTHORISED", "PAYING")}
ENDED = ("REJECTED", "EXPIRED", "LOCKED", "FAILED")

few = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def checked(world: World, site: SiteRecords | None = None, **more: Any) -> Checked:
    more = {"agreements": world.agreements(), "movements": world.movements(), **more}
    return check(world.history, site or world.until(), tolerance=0.0, **more)


def subjects(found: tuple[Any, ...]) -> set[str]:
    return {each.subject for each in found}


@few
@given(worlds())
def test_a_clean_history_passes(world: World) -> None:
    found = checked(world, fault_at=1000.0)
    assert found.clean, found
    told = [ack for ack in world.history if ack.tells]
    assert found.acknowledged == len({ack.subject for ack in told})
    assert found.acknowledgements == len(told)
    assert found.unknown == len(world.history) - len(told)
    assert (found.rpo_seconds, found.lost_seconds) == (0.0, 0.0)


@few
@given(worlds(), st.integers(0, 400))
def test_writes_that_nobody_was_told_of_may_be_lost(world: World, tenths: int) -> None:
    world.history = [ack for ack in world.history if not ack.tells]
    found = check(world.history, world.until(tenths / 10))
    assert found.clean, found


@few
@given(worlds(loops=False), st.integers(0, 400))
def test_a_cut_loses_exactly_what_was_told_of_later_writes(world: World, tenths: int) -> None:
    moment = tenths / 10
    fault_at = max(ack.completed for ack in world.history) + 5 if world.history else 0.0
    lost, revived, gone = set(), set(), []
    for write in world.writes:
        before = world.states(write.subject, moment)
        missing = [a for a in world.told(write.subject) if a.state not in before]
        gone += missing
        if any(ack.state in ENDED for ack in missing) and before:
            revived.add(write.subject)
        elif missing:
            lost.add(write.subject)
    found = check(world.history, world.until(moment), fault_at=fault_at, tolerance=0.0)
    assert subjects(found.lost) == lost
    assert found.lost_bindings == len(lost)
    assert subjects(found.resurrected) == revived
    assert found.reordered == found.duplicated == found.unaudited == ()
    for one in found.lost:
        before = world.states(one.subject, moment)
        assert one.found == (before[-1] if before else "")
    if gone:
        first = min(ack.completed for ack in gone)
        assert found.lost_seconds == fault_at - first
        kept = [
            ack.completed
            for ack in world.history
            if ack.tells and ack not in gone and ack.step != "status" and ack.completed < first
        ]
        assert found.rpo_seconds == fault_at - max(kept, default=first)
    else:
        assert found.rpo_seconds == 0.0


@few
@given(st.sampled_from(ENDED).flatmap(lambda end: worlds(finished=end)))
def test_an_ended_binding_that_is_active_again_is_found(world: World) -> None:
    site = world.until()
    revived = replace(site.bindings["bnd_0"], state=State.ACTIVE)
    site = replace(site, bindings={**site.bindings, "bnd_0": revived})
    found = check(world.history, site, tolerance=0.0)
    assert subjects(found.resurrected) == {"bnd_0"}
    assert found.lost == found.reordered == ()


@few
@given(worlds(finished="ACTIVE"))
def test_two_active_bindings_of_a_card_are_both_named(world: World) -> None:
    site = world.until()
    twin = BindingRow(
        binding_id="bnd_twin",
        state=State.ACTIVE,
        card=site.bindings["bnd_0"].card,
        agreement_no="agreement-bnd_0",
    )
    on_one_site = replace(site, bindings={**site.bindings, "bnd_twin": twin})
    assert subjects(checked(world, on_one_site).duplicated) == {"bnd_0", "bnd_twin"}
    # Two primaries that both took writes.
    other = SiteRecords(site="old", bindings={"bnd_twin": twin})
    found = checked(world, others=(other,))
    assert subjects(found.duplicated) == {"bnd_0", "bnd_twin"}
    assert found.unmerged == ("bnd_twin",)
    assert found.lost == ()


@few
@given(worlds(finished="ACTIVE"))
def test_charges_and_agreements_that_do_not_fit_are_named(world: World) -> None:
    again = Movement(order_no="bnd_0-charge", kind="charge", amount_fen=1, time=99.0)
    found = checked(world, movements=[*world.movements(), again])
    assert subjects(found.duplicated) == {"bnd_0"}
    astray = replace(again, order_no="bnd_nobody-charge")
    found = checked(world, movements=[*world.movements(), astray])
    assert found.charged_unbound == ("bnd_nobody",)
    second = AgreementRow(agreement_no="other", order_no="bnd_0-open", kind="signed", time=99.0)
    found = checked(world, agreements=[*world.agreements(), second])
    assert subjects(found.duplicated) == {"bnd_0"}
    ended = AgreementRow(agreement_no="agreement-bnd_0", order_no="x", kind="terminated", time=99.0)
    assert checked(world, agreements=[*world.agreements(), ended]).bound_unagreed == ("bnd_0",)
    signed_again = replace(ended, kind="signed", time=100.0, order_no="bnd_0-open")
    assert checked(world, agreements=[*world.agreements(), ended, signed_again]).clean


@few
@given(worlds(loops=False, finished="ACTIVE"), st.data())
def test_states_told_in_the_wrong_order_are_found(world: World, data: st.DataObject) -> None:
    pairs = [
        (one, two)
        for one in world.history
        for two in world.history
        if one.tells and two.tells and one.subject == two.subject
        if one.completed < two.invoked and one.state != two.state
    ]
    assume(pairs)
    one, two = data.draw(st.sampled_from(pairs))
    swapped = {
        id(one): replace(one, state=two.state),
        id(two): replace(two, state=one.state),
    }
    world.history = [swapped.get(id(ack), ack) for ack in world.history]
    found = checked(world)
    assert subjects(found.reordered) == {one.subject}
    assert found.lost == found.resurrected == ()
    # Customers' own view shows it without an audit chain, but for what may be a return.
    unseen = replace(world.until(), audit=None)
    expected = set() if (one.state, two.state) in RETURNS else {one.subject}
    assert subjects(checked(world, unseen).reordered) == expected


@few
@given(worlds(loops=False, finished="ACTIVE"), st.data())
def test_an_audit_chain_in_another_order_than_told_is_found(
    world: World, data: st.DataObject
) -> None:
    pairs = [
        (one, two)
        for one in world.history
        for two in world.history
        if one.tells and two.tells and one.subject == two.subject
        if one.completed < two.invoked and one.state != two.state
    ]
    assume(pairs)
    one, two = data.draw(st.sampled_from(pairs))
    first, second = (
        next(n for n, w in enumerate(world.writes) if (w.subject, w.state) == (a.subject, a.state))
        for a in (one, two)
    )
    writes = list(world.writes)
    early, late = writes[first], writes[second]
    writes[first] = Write(late.subject, late.state, early.at, early.node)
    writes[second] = Write(early.subject, early.state, late.at, late.node)
    # A wide tolerance: the order in the chain alone must show it.
    found = check(world.history, replace(world.until(), audit=chains(writes)), tolerance=1e6)
    assert subjects(found.reordered) == {one.subject}


def test_a_write_that_came_after_it_was_told_was_done_twice() -> None:
    told = ack("ACTIVE", 10.0)
    site = World([Write("b", "ACTIVE", 60.0, "lender-1")], []).until()
    found = check([told], site, fault_at=25.0)
    assert subjects(found.redone) == {"b"}
    assert found.lost == found.reordered == ()
    assert found.lost_seconds == 15.0
    assert check([told], World([Write("b", "ACTIVE", 10.5, "lender-1")], []).until()).clean


def test_only_the_audit_chain_tells_a_return_from_a_loss() -> None:
    told = ack("VERIFYING", 10.0)
    returned = World(
        [Write("b", "VERIFYING", 9.0, "lender-1"), Write("b", "OTP_SENT", 12.0, "lender-1")], []
    )
    assert check([told], returned.until()).clean
    lost = World([Write("b", "OTP_SENT", 8.0, "lender-1")], [])
    assert subjects(check([told], lost.until()).lost) == {"b"}
    assert check([told], replace(lost.until(), audit=None)).clean


def test_a_record_that_the_chain_does_not_bear_out_is_named() -> None:
    site = World([Write("b", "ACTIVE", 9.0, "lender-1")], []).until()
    assert check([ack("ACTIVE", 10.0)], replace(site, audit=())).unaudited == ("b",)


def test_what_is_lost_here_is_said_to_be_elsewhere() -> None:
    site = World([Write("b", "ACTIVE", 9.0, "lender-1")], []).until()
    found = check([ack("ACTIVE", 10.0)], SiteRecords(audit=()), others=[replace(site, site="old")])
    (lost,) = found.lost
    assert (lost.subject, lost.told, lost.found, lost.elsewhere) == ("b", "ACTIVE", "", "old")
    assert found.unmerged == ("b",)
    behind = World([Write("b", "OTP_SENT", 1.0, "lender-1")], []).until()
    assert check([ack("ACTIVE", 10.0)], site, others=[behind]).unmerged == ()


def test_lost_time_counts_from_the_last_write_before_the_first_lost_one() -> None:
    told = [ack("ACTIVE", 1.0, "a"), ack("ACTIVE", 3.0, "gone"), ack("ACTIVE", 5.0, "b")]
    site = World([Write(kept, "ACTIVE", 0.5, "lender-1") for kept in "ab"], []).until()
    found = check(told, site, fault_at=10.0)
    assert (found.rpo_seconds, found.lost_seconds) == (9.0, 7.0)


def test_applicants_and_their_documents_are_looked_up() -> None:
    told = [
        ack("REGISTERED", 1.0, "app_1"),
        ack("DOCUMENT bank_card", 2.0, "app_1"),
        ack("REGISTERED", 3.0, "app_2"),
    ]
    whole = {"app_1": frozenset({"bank_card"}), "app_2": frozenset[str]()}
    assert check(told, SiteRecords(applicants=whole)).clean
    found = check(told, SiteRecords(applicants={"app_1": frozenset()}), fault_at=10.0)
    assert {(one.subject, one.found) for one in found.lost} == {
        ("app_1", "REGISTERED"),
        ("app_2", ""),
    }
    assert found.lost_bindings == 0
    assert (found.lost_seconds, found.rpo_seconds) == (8.0, 9.0)


@few
@given(worlds(), st.data())
def test_the_audit_chain_breaks_where_it_was_broken(world: World, data: st.DataObject) -> None:
    audit = list(world.until().audit or ())
    place = data.draw(st.integers(0, len(audit) - 1))
    link = audit[place]
    altered = [*audit[:place], replace(link, sound=False), *audit[place + 1 :]]
    assert breaks(world, altered) == {(link.node, link.sequence, "altered")}
    missing = [*audit[:place], *audit[place + 1 :]]
    length = sum(other.node == link.node for other in audit)
    newest = link.sequence == length
    expected = set() if newest else {(link.node, link.sequence, "unlinked")}
    assert breaks(world, missing) == expected
    tip = AuditTip(node=link.node, sequence=link.sequence, digest=link.digest, at=link.at)
    assert breaks(world, audit, tip) == set()
    cut = [other for other in audit if (other.node, other.sequence) < (link.node, link.sequence)]
    cut += [other for other in audit if other.node > link.node]
    assert breaks(world, cut, tip) == {(link.node, link.sequence, "cut")}
    assert breaks(world, audit, replace(tip, digest="another")) == {
        (link.node, link.sequence, "replaced")
    }


def breaks(world: World, audit: list[Any], *tips: AuditTip) -> set[tuple[str, int, str]]:
    site = replace(world.until(), audit=tuple(audit))
    found = check([], site, tips=tips).audit_breaks
    return {(each.node, each.sequence, each.why) for each in found}


def ack(state: str, completed: float, subject: str = "b") -> Acknowledgement:
    return Acknowledgement(
        customer=1,
        step="confirm",
        subject=subject,
        state=state,
        outcome="ok",
        invoked=completed - 0.5,
        completed=completed,
    )
