"""The packed times of messages say what a plain list would."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from mocks.sms.sent_times import SentTimes


def test_packing_and_merging_lose_no_message_and_no_order() -> None:
    random = Random(4)
    packed, plain = SentTimes(1e9, few=50, most=400), defaultdict(list)
    now = 0.0
    for _ in range(3000):
        now += random.random()
        number = 13_000_000_000 + random.randrange(500)
        packed.add(number, now)
        plain[number].append(now)
    for number, times in plain.items():
        assert list(packed.of(number)) == times
    assert packed.of(19_999_999_999) == ()


def test_what_is_older_than_the_day_is_dropped() -> None:
    sent = SentTimes(100.0, few=10, most=40)
    for second in range(1000):
        sent.add(second, float(second))
    assert sent.of(5) == ()
    assert all(sent.of(second) for second in range(901, 1000))
    assert sum(len(sent.of(second)) for second in range(1000)) < 200


def test_few_sheets_whatever_was_sent() -> None:
    sent = SentTimes(1e9, few=10, most=160)
    for second in range(10_000):
        sent.add(second, float(second))
    assert len(sent._sheets) <= 10_000 / 160 + 5
