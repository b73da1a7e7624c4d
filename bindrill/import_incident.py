"""`bindrill import`: a recorded incident becomes a scenario."""

from __future__ import annotations

import re
from pathlib import Path

from bindrill.console import plain_console
from bindrill.errors import EXIT_MET, InputProblem
from bindrill.outputs import share
from scenarios.incident import scenario_yaml
from scenarios.plain_text import LONGEST_NAME, RESERVED, quoted
from scenarios.printed_text import shell_word
from scenarios.recording import read_recording
from scenarios.units import format_duration
from scenarios.whole_file import write_whole


def import_incident(source: Path, out: Path | None, name: str | None) -> int:
    """Write the scenario of a recording; returns the exit code.

    `out` is the recording's name with `.yaml` in the present folder if not given. Raises
    ScenarioProblems and InputProblem.
    """
    recording = read_recording(source)
    if recording.is_of_nothing:
        raise InputProblem(f"{source}: no gateway has a value in any row; write some")
    target = Path(f"{source.stem}.yaml") if out is None else out
    called = name or re.sub(r"[^a-z0-9]+", "-", target.stem.lower()).strip("-")[:LONGEST_NAME]
    fits = re.fullmatch(r"[a-z0-9][a-z0-9-]*", called) and len(called) <= LONGEST_NAME
    if not fits or called in RESERVED:
        raise InputProblem(
            f"{quoted(called)} cannot be a scenario's name; write --name in lower case, such as"
            " replay"
        )
    if target.exists():
        raise InputProblem(f"{target} is there already; write another with --out, or remove it")
    text = scenario_yaml(recording, called, quoted(source.name)[1:-1])
    try:
        write_whole(target, text.encode())
    except OSError as error:
        raise InputProblem(f"{target} cannot be written: {error.strerror}") from None
    share(target)
    console = plain_console()
    console.print(
        f"{target}: {recording.rows} rows of {format_duration(recording.step)},"
        f" {sum(recording.arrivals) * recording.step:,.0f} customers,"
        f" {', '.join(recording.gateways)}"
    )
    console.print(f"Play it with: bindrill run {shell_word(str(target))} --sim")
    return EXIT_MET
