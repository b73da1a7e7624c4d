"""`bindrill validate`, `schema` and `list`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rich.table import Table

from bindrill.console import plain_console, print_cells, print_json_text
from bindrill.errors import EXIT_BAD_INPUT, EXIT_MET
from scenarios.drill_library import load_shipped
from scenarios.library_index import Entry, drills, library
from scenarios.loader import json_schema
from scenarios.problems import ScenarioProblems


def validate_files(files: list[str]) -> int:
    """Report every mistake in every file, a line each; returns the exit code."""
    bad = 0
    for file in files:
        try:
            scenario = load_shipped(file)
        except ScenarioProblems as problems:
            bad += 1
            for problem in problems.problems:
                plain_console(stderr=True).print(str(problem))
        else:
            plain_console().print(f"{file}: {scenario.name} is valid")
    return EXIT_BAD_INPUT if bad else EXIT_MET


def print_schema() -> None:
    """Print the JSON Schema of scenario files."""
    print_json_text(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def print_library() -> None:
    """Print the shipped scenarios and drills, a line each."""
    print_entries("scenario", library())
    print_entries("drill", drills())


def print_entries(what: str, entries: Iterable[Entry]) -> None:
    """Print names and titles: a table on a terminal, cells for programs elsewhere."""
    console = plain_console()
    if not console.is_terminal:
        for entry in entries:
            print_cells(entry.name, entry.title)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(what, no_wrap=True, min_width=20)
    table.add_column("what happens")
    for entry in entries:
        table.add_row(entry.name, entry.title)
    console.print(table, soft_wrap=False)
