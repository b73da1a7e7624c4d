"""Provinces with their census weights, and the counties in which ID numbers are issued."""

from __future__ import annotations

from functools import cache

from scenarios.data_files import read_table

_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})


@cache
def province_weights() -> dict[str, float]:
    """Residents by two-digit province code, 2020 census."""
    return {
        row["code"]: float(row["residents"])
        for row in read_table("scenarios.population", "provinces.csv")
    }


@cache
def counties() -> dict[str, tuple[str, ...]]:
    """Six-digit GB/T 2260 county codes by province: Faker's list without what is not a county."""
    from faker.providers.ssn.zh_CN import (
        Provider,
    )  # slow to import, and not every user draws people

    found: dict[str, list[str]] = {code: [] for code in province_weights()}
    for code in Provider.area_codes:
        if code[:2] in found and _is_county(code):
            found[code[:2]].append(code)
    return {province: tuple(codes) for province, codes in found.items()}


def _is_county(code: str) -> bool:
    if code.endswith("00"):  # a province or prefecture
        return False
    is_city = int(code[2:4]) <= 20 or 51 <= int(code[2:4]) <= 70
    # Below a city, 01 stands for its urban districts together, not for one of them.
    return not (code.endswith("01") and is_city and code[:2] not in _MUNICIPALITIES)
