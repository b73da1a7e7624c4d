"""`bindrill validate`, `schema` and `list`."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table

from bindrill.errors import EXIT_BAD_INPUT, EXIT_MET
from scenarios.drill_library import load_shipped
from scenarios.library_index import drills, library
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
                print(problem, file=sys.stderr)
        else:
            print(f"{file}: {scenario.name} is valid")
    return EXIT_BAD_INPUT if bad else EXIT_MET


def print_schema() -> None:
    """Print the JSON Schema of scenario files."""
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def print_library() -> None:
    """Print the shipped scenarios and drills, a line each."""
    console = Console()
    for what, entries in (("scenario", library()), ("drill", drills())):
        if not console.is_terminal:
            for entry in entries:
                print(f"{entry.name}\t{entry.title}")
            continue
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column(what, no_wrap=True, min_width=20)
        table.add_column("what happens")
        for entry in entries:
            table.add_row(entry.name, entry.title)
        console.print(table)
