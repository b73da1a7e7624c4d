"""Every data file names its source and its date, and `bindrill data` says how old it is."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from scenarios.data_files import INPUTS, PACKAGES, UnsourcedData, data_files, described

ROOT = Path(__file__).parents[2]


def test_every_data_file_says_where_it_is_from_and_of_when() -> None:
    found = {file.path for file in data_files()}
    on_disk = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for suffix in ("csv", "yaml")
        for path in (ROOT / package).rglob(f"*.{suffix}")
        if not set(path.relative_to(ROOT).parts) & set(INPUTS)
    }
    assert found == on_disk
    assert all(file.as_of <= datetime.now(UTC).date() for file in data_files())


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "# source: somebody\na,b\n",
        "# as of: 2024-01-01\na,b\n",
        "# source: \n# as of: 2024-01-01\n",
        "# source: x\n# as of: yesterday\n",
        "# source: x\n# source: y\n# as of: 2024-01-01\n",
    ],
)
def test_a_file_that_does_not_say_it_is_named(text: str) -> None:
    with pytest.raises(UnsourcedData, match=r"^mocks/x\.csv: write one line"):
        described("mocks/x.csv", text)


def test_command_tells_ages(bindrill) -> None:
    shown = bindrill("data")
    assert shown.code == 0
    (carriers,) = [line for line in shown.out.splitlines() if "carriers.csv" in line]
    age = (datetime.now(UTC).date() - date(2024, 6, 30)).days
    assert f"2024-06-30  {age:,} d" in carriers
    assert "Faker" in shown.out


def test_command_fails_when_figures_are_too_old(bindrill) -> None:
    old = bindrill("data", "--older-than", "730d", "--json")
    records = json.loads(old.out)
    assert old.code == 99
    assert "scenarios/population/provinces.csv" in [record["file"] for record in records]
    assert all(record["age_days"] > 730 for record in records)
    assert bindrill("data", "--older-than", "100000d").code == 0
    wrong = bindrill("data", "--older-than", "soon")
    assert wrong.code == 2
    assert wrong.err.startswith("bindrill: --older-than")
