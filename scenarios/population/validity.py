"""Whether a population can be drawn as the scenario asks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from scenarios.population.ages import AgeBand, parse_band
from scenarios.population.cards import issuer_weights
from scenarios.population.identities import places
from scenarios.population.regions import province_weights

if TYPE_CHECKING:
    from scenarios.schema import Population as PopulationSpec


def check(spec: PopulationSpec) -> None:
    """Raise ValueError when `spec` cannot be honoured.

    The message has one line a fault: the field (`provinces.99`), the value, and what is accepted.
    """
    faults = [f"{field}: {message}" for field, message in problems(spec)]
    if faults:
        raise ValueError("\n".join(faults))


def problems(spec: PopulationSpec) -> Iterator[tuple[str, str]]:
    """What `check` complains of, as (field below `population`, message)."""
    yield from _unknown("provinces", "a province code", spec.provinces, province_weights())
    yield from _unknown("banks", "an issuer", spec.banks, issuer_weights())
    bands: dict[AgeBand, str] = {}
    for text, weight in spec.ages.items():
        try:
            band = parse_band(text)
        except ValueError as error:
            yield f"ages.{text}", str(error)
        else:
            if weight > 0:
                bands[band] = text
    if not spec.ages:
        yield "ages", "no age band is given; write one or more, such as 25-34: 1"
    for below, above in pairwise(sorted(bands)):
        if below.high >= above.low:
            yield f"ages.{bands[above]}", f"overlaps {bands[below]}; write bands that do not"
    yield from _too_large(spec, bands)


def _unknown(
    field: str, what: str, given: dict[str, float], known: dict[str, float]
) -> Iterator[tuple[str, str]]:
    for key in given:
        if key not in known:
            yield f"{field}.{key}", f"{key!r} is not {what}; write one of {', '.join(known)}"


def _too_large(spec: PopulationSpec, bands: dict[AgeBand, str]) -> Iterator[tuple[str, str]]:
    known = province_weights()
    inhabited = [code for code, weight in (spec.provinces or known).items() if weight > 0]
    spaces = [
        (places(code, band), code, text)
        for code in inhabited
        if code in known
        for band, text in bands.items()
    ]
    if spaces and spec.size > min(spaces)[0]:
        space, code, text = min(spaces)
        yield (
            "size",
            f"{spec.size} customers are more than the {space} ID numbers of province {code} at "
            f"ages {text}; write {space} or less, or a wider band",
        )
