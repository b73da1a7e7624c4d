"""`bindrill data`: the data files, where their figures are from, and how old they are."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from importlib import metadata

from bindrill.console import plain_console, print_json_text
from bindrill.errors import EXIT_MET, EXIT_MISSED
from bindrill.option_values import positive
from reports.text_table import aligned
from scenarios.data_files import DataFile, data_files
from scenarios.units import parse_age

_DAY = 86400.0


def show_data(older_than: str | None, *, as_json: bool) -> int:
    """Print every data file, or those whose figures are older than `older_than`; returns the exit
    code, EXIT_MISSED if any is older. Raises InputProblem."""
    today = datetime.now(UTC).date()
    files = data_files()
    if older_than is not None:
        days = positive("--older-than", older_than, parse_age, "an age such as 730d") / _DAY
        files = [file for file in files if _age(file, today) > days]
    if as_json:
        told = [_record(file, today) for file in files]
        print_json_text(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for line in _lines(files, today, older_than):
            plain_console().print(line)
    return EXIT_MISSED if older_than is not None and files else EXIT_MET


def _age(file: DataFile, today: date) -> int:
    """Days since the figures' date."""
    return (today - file.as_of).days


def _record(file: DataFile, today: date) -> dict[str, str | int]:
    return {
        "file": file.path,
        "as_of": file.as_of.isoformat(),
        "age_days": _age(file, today),
        "source": file.source,
    }


def _lines(files: list[DataFile], today: date, older_than: str | None) -> list[str]:
    if not files:
        return [f"No data file is older than {older_than}."]
    rows = [
        (file.path, file.as_of.isoformat(), f"{_age(file, today):,} d", file.source)
        for file in sorted(files, key=lambda file: file.as_of)
    ]
    return [
        *aligned([("file", "as of", "age", "source"), *rows]),
        f"Names and counties: the lists of Faker {metadata.version('faker')}.",
    ]
