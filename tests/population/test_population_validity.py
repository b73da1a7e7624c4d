"""Populations that cannot be drawn are refused in words that help."""

from __future__ import annotations

import pytest

from scenarios.population import Population, check
from scenarios.schema import Population as Spec


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (Spec(provinces={"99": 1}), ["provinces.99", "'99'", "11, 12, 13"]),
        (Spec(provinces={"Beijing": 1}), ["provinces.Beijing", "'Beijing'", "11, 12"]),
        (Spec(banks={"chase": 1}), ["banks.chase", "'chase'", "icbc, abc"]),
        (Spec(ages={"young": 1}), ["ages.young", "'young'", "25-34"]),
        (Spec(ages={"40-30": 1}), ["ages.40-30", "25-34"]),
        (Spec(ages={"90-121": 1}), ["ages.90-121", "120"]),
        (Spec(ages={}), ["ages", "25-34"]),
        (Spec(ages={"18-30": 1, "30-40": 1}), ["ages.30-40", "overlaps 18-30"]),
        (Spec(size=9_000_000, ages={"30-30": 1}), ["size", "9000000", "ages 30-30"]),
    ],
)
def test_refused_with_field_value_and_mend(spec: Spec, words: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        check(spec)
    for word in words:
        assert word in str(caught.value)
    with pytest.raises(ValueError):
        Population(spec, seed=1)


def test_every_fault_has_its_line() -> None:
    spec = Spec(provinces={"99": 1}, banks={"chase": 1}, ages={"young": 1})
    with pytest.raises(ValueError) as caught:
        check(spec)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["provinces.99", "banks.chase", "ages.young"]


@pytest.mark.parametrize(
    "spec",
    [
        Spec(),
        Spec(size=10_000_000),
        Spec(ages={"18-30": 1, "30-40": 0}),
        Spec(provinces={"54": 1}, ages={"0-120": 1}),
    ],
)
def test_accepted(spec: Spec) -> None:
    check(spec)
