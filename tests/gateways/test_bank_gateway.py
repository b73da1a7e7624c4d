"""The bank: four elements, signing, unknown outcomes, queries, issuers, magic cards."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from mocks.bank.codes import FIELD39, ONLINE, TO_ONLINE
from mocks.bank.directory import Elements, PopulationDirectory
from mocks.bank.magic import MAGIC_CARDS
from mocks.bank.model import BankGateway
from scenarios.distributions import constant
from scenarios.population import Population
from scenarios.population.cards import luhn_digit
from scenarios.schema import Population as PopulationSpec
from scenarios.world import BankWorld, IssuerWorld

PERSON = {"holder": "全渠道", "id_number": "341126197709218366", "phone": "13552535506"}
CALM = BankWorld(latency={}, decline={})


def card(serial: int, bin_: str = "622202") -> str:
    payload = f"{bin_}{serial:012d}"
    return payload + luhn_digit(payload)


def order(number: Any, card_number: str, **changed: Any) -> dict[str, Any]:
    return {"order_no": f"o{number}", "card_number": card_number, **PERSON, **changed}


class TestSigning:
    def test_open_signs_and_query_tells(self, runner: Any) -> None:
        bank = runner(BankGateway(CALM, 1))
        opened = bank.call("open", **order(1, card(1)))
        assert (opened.status, opened.body["respCode"]) == (200, "00")
        assert (opened.body["issuer"], opened.body["switchCode"]) == ("icbc", "00")
        agreement_no = opened.body["agreement_no"]
        assert len(agreement_no) == 20
        assert agreement_no.isdigit()
        assert agreement_no.endswith("00")
        asked = bank.call("query", order_no="o1").body
        assert (asked["respCode"], asked["origRespCode"]) == ("00", "00")
        assert asked["agreement_no"] == agreement_no

    def test_verify_does_not_sign(self, runner: Any) -> None:
        bank = runner(BankGateway(CALM, 1))
        verified = bank.call("verify", **order(1, card(1)))
        assert verified.body["respCode"] == "00"
        assert "agreement_no" not in verified.body
        assert "agreement_no" not in bank.call("query", order_no="o1").body

    def test_opening_again_gives_the_same_agreement(self, runner: Any) -> None:
        bank = runner(BankGateway(CALM, 1))
        first = bank.call("open", **order(1, card(1))).body["agreement_no"]
        assert bank.call("open", **order(2, card(1))).body["agreement_no"] == first
        assert bank.call("open", **order(3, card(2))).body["agreement_no"] != first

    def test_an_order_number_works_once(self, runner: Any) -> None:
        bank = runner(BankGateway(CALM, 1))
        bank.call("open", **order(1, card(1)))
        again = bank.call("open", **order(1, card(1)))
        assert (again.status, again.body["respCode"]) == (200, "12")
        assert bank.call("query", order_no="o1").body["origRespCode"] == "00"

    def test_a_query_for_nothing_is_34(self, runner: Any) -> None:
        asked = runner(BankGateway(CALM, 1)).call("query", order_no="never")
        assert (asked.status, asked.body["respCode"]) == (200, "34")

    def test_beyond_the_rate_limit_is_37_and_does_nothing(self, runner: Any) -> None:
        bank = runner(BankGateway(BankWorld(latency={}, rate_limit=1.0), 1))
        bank.call("open", **order(1, card(1)))
        refused = bank.call("open", **order(2, card(2)))
        assert (refused.status, refused.body["respCode"]) == (429, "37")
        bank.run_until(1.0)
        assert bank.call("query", order_no="o2").body["respCode"] == "34"

    def test_state_changes_before_the_delay(self, runner: Any) -> None:
        bank = runner(BankGateway(BankWorld(latency={"open": constant(30)}, decline={}), 1))
        assert bank.call("open", **order(1, card(1))).delay == 30
        assert bank.call("open", **order(1, card(1))).body["respCode"] == "12"
        assert bank.call("query", order_no="o1").body["origRespCode"] == "00"


class TestElements:
    @pytest.mark.parametrize(
        ("payload", "code"),
        [
            (order(1, card(1)[:-1] + str((int(card(1)[-1]) + 1) % 10)), "61"),
            (order(1, card(1, "629999")), "61"),
            (order(1, card(1), id_number="341126197709218367"), "66"),
            (order(1, card(1), phone="12345678901"), "66"),
        ],
    )
    def test_malformed_elements_are_declined(
        self, runner: Any, payload: dict[str, Any], code: str
    ) -> None:
        assert runner(BankGateway(CALM, 1)).call("open", **payload).body["respCode"] == code

    @pytest.mark.parametrize("field", ["order_no", "card_number", "holder", "id_number", "phone"])
    def test_missing_and_misshapen_fields_are_400(self, runner: Any, field: str) -> None:
        bank = runner(BankGateway(CALM, 1))
        for value, code in ((None, "13"), ("", "13"), (17, "10"), ([], "10"), ("9" * 600, "10")):
            reply = bank.call("open", **{**order(1, card(1)), field: value})
            assert (reply.status, reply.body["respCode"]) == (400, code), value
            assert reply.body["field"] == field
        assert bank.call("query", order_no="o1").body["respCode"] == "34"
        assert bank.call("query", order_no=[]).status == 400
        assert bank.call("query").status == 400

    def test_the_bank_knows_its_cardholders(self, runner: Any) -> None:
        people = Population(PopulationSpec(size=5000), 3)
        bank = runner(BankGateway(CALM, 1, directory=PopulationDirectory(people)))
        for number in (0, 1, 700, 2, 4000):
            one, other = people.customer(number), people.customer(number + 1)
            true = {"holder": one.name, "id_number": one.id_number, "phone": one.phone}
            wrong = {"holder": other.name, "id_number": other.id_number, "phone": other.phone}
            for field, value in wrong.items():
                mistyped = order(f"{number}{field}", one.card_number, **{**true, field: value})
                reply = bank.call("open", **mistyped)
                same = value == true[field]
                assert reply.body["respCode"] == ("00" if same else "66")
            corrected = bank.call("open", **order(number, one.card_number, **true))
            assert corrected.body["respCode"] == "00"

    def test_strangers_keep_their_own_cards(self) -> None:
        directory = PopulationDirectory(Population(PopulationSpec(size=100_000), 3))
        elements = Elements("a", "b", "c")
        known = [
            serial for serial in range(500) if directory.agrees(card(serial), elements) is False
        ]
        assert len(known) < 25


class TestDeclines:
    def test_shares_of_cards_by_switch_code(self, runner: Any) -> None:
        world = BankWorld(latency={}, decline={"57": 0.2, "41": 0.1})
        bank = runner(BankGateway(world, 1))
        seen = Counter(
            bank.call("open", **order(n, card(n))).body["switchCode"] for n in range(4000)
        )
        assert seen["57"] / 4000 == pytest.approx(0.2, abs=0.02)
        assert seen["41"] / 4000 == pytest.approx(0.1, abs=0.02)
        assert set(seen) == {"00", "57", "41"}

    def test_a_card_is_declined_for_good(self, runner: Any) -> None:
        bank = runner(BankGateway(BankWorld(latency={}, decline={"62": 0.5}), 1))
        for n in range(50):
            codes = {
                bank.call("open", **order(f"{n}-{i}", card(n))).body["respCode"] for i in range(3)
            }
            assert len(codes) == 1

    def test_issuers_differ(self, runner: Any) -> None:
        world = BankWorld(
            latency={"open": constant(0.1)},
            decline={},
            issuers={"icbc": IssuerWorld(latency_factor=5, decline={"57": 1.0})},
        )
        bank = runner(BankGateway(world, 1))
        icbc = bank.call("open", **order(1, card(1)))
        abc = bank.call("open", **order(2, card(2, "622848")))
        assert (icbc.body["respCode"], icbc.delay) == ("77", pytest.approx(0.5))
        assert (abc.body["respCode"], abc.delay) == ("00", pytest.approx(0.1))


class TestUnknownOutcomes:
    def test_a_query_tells_the_truth_a_little_later(self, runner: Any) -> None:
        bank = runner(BankGateway(BankWorld(latency={}, decline={}, unknown=1.0), 1))
        first = Counter(bank.call("open", **order(n, card(n))).body["respCode"] for n in range(300))
        assert set(first) == {"03", "04", "05"}
        asked = bank.call("query", order_no="o0").body
        assert asked["respCode"] == "00"
        assert ONLINE[asked["origRespCode"]].kind == "unknown"
        assert "agreement_no" not in asked
        bank.run_until(600)
        final = Counter()
        for n in range(300):
            asked = bank.call("query", order_no=f"o{n}").body
            final[asked["origRespCode"]] += 1
            assert ("agreement_no" in asked) == (asked["origRespCode"] == "00")
        assert set(final) == {"00", "01"}
        assert final["00"] / 300 == pytest.approx(0.5, abs=0.1)

    def test_the_share_is_kept(self, runner: Any) -> None:
        bank = runner(BankGateway(BankWorld(latency={}, decline={}, unknown=0.1), 1))
        unknown = sum(
            "agreement_no" not in bank.call("open", **order(n, card(n))).body for n in range(3000)
        )
        assert unknown / 3000 == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("card_number", MAGIC_CARDS)
def test_each_magic_card_does_what_its_row_says(runner: Any, card_number: str) -> None:
    magic = MAGIC_CARDS[card_number]
    bank = runner(BankGateway(CALM, 1))
    for attempt in range(magic.times or 1):
        reply = bank.call("open", **order(attempt, card_number))
        if magic.transport == "ok":
            assert reply.body["respCode"] == TO_ONLINE[magic.switch_code]
            assert reply.delay == magic.delay
        else:
            assert reply.transport == magic.transport
            assert reply.body == {}
            assert math.isinf(reply.delay) == (magic.transport == "hang")
        bank.run_until(bank.now + 600)
        asked = bank.call("query", order_no=f"o{attempt}").body
        assert asked["origRespCode"] == TO_ONLINE[magic.final]
        if FIELD39[magic.final].kind == "approved":
            assert asked["agreement_no"].endswith(magic.charge)
        else:
            assert "agreement_no" not in asked
    if magic.times:
        assert bank.call("open", **order("later", card_number)).body["respCode"] == "00"
