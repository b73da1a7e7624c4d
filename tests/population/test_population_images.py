"""Pictures decode, have the size asked for, and hold nothing personal."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from scenarios.keyed import Keyed
from scenarios.population import Population
from scenarios.population.images import KINDS, LARGEST, SMALLEST, image_size, render
from scenarios.schema import Population as Spec

POPULATION = Population(Spec(), seed=31)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1_000), st.sampled_from(KINDS), st.integers(SMALLEST, LARGEST))
def test_a_decodable_jpeg_of_exactly_the_size(number: int, kind: str, size: int) -> None:
    data = render(POPULATION.customer(number), kind, size)
    assert len(data) == size
    with Image.open(BytesIO(data)) as image:
        image.load()
        assert image.format == "JPEG"
        assert image.size == (856, 540)


def test_each_customer_and_kind_has_its_own_bytes() -> None:
    customers = [POPULATION.customer(n) for n in range(40)]
    pictures = {render(customer, kind, 60_000) for customer in customers for kind in KINDS}
    assert len(pictures) == 40 * len(KINDS)
    assert render(customers[3], "bank_card", 60_000) in pictures


def test_nothing_personal_in_the_bytes() -> None:
    customer = POPULATION.customer(5)
    for kind in KINDS:
        data = render(customer, kind, SMALLEST)
        for secret in (customer.name, customer.id_number, customer.phone, customer.card_number):
            assert secret.encode() not in data


def test_sizes_are_within_bounds_and_reach_both() -> None:
    keyed = Keyed(8)
    words = [word for n in range(400) for word in keyed.words("image", n)]
    sizes = [image_size(word) for word in words]
    assert all(50 * 1024 <= size <= 300_000 for size in sizes)
    assert min(sizes) < 60_000
    assert max(sizes) > 290_000


def test_refuses_what_it_cannot_draw() -> None:
    customer = POPULATION.customer(1)
    with pytest.raises(ValueError, match="id_card_front"):
        render(customer, "passport", 60_000)
    with pytest.raises(ValueError, match="too few"):
        render(customer, "bank_card", 1_000)
