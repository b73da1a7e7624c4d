"""Tables that are measured a few rows at a time: beside `table.md`, its figures in
`table-rows.json` and what people say of them in `table-notes.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml
from pydantic import TypeAdapter, ValidationError

from bindrill.errors import InputProblem
from bindrill.outputs import check_output, share
from reports.run_folder import write_record
from scenarios.whole_file import write_whole

R = TypeVar("R", bound=msgspec.Struct)

_NOTES = TypeAdapter(dict[str, str])


def notes_file(out: Path) -> Path:
    """Where the explanations for the table `out` are: `fidelity-notes.yaml` for `fidelity.md`."""
    return out.with_name(f"{out.stem}-notes.yaml")


def rows_file(out: Path) -> Path:
    """Where the figures of the table `out` are: `fidelity-rows.json` for `fidelity.md`."""
    return out.with_name(f"{out.stem}-rows.json")


def check_table(out: Path, option: str, inputs: Iterable[Path] = ()) -> None:
    """Raises InputProblem when the table, given by `option`, cannot be written, or is a file of
    another kind that is there already."""
    check_output(out, option, inputs)
    check_output(rows_file(out), option)
    if out.exists() and not rows_file(out).exists():
        raise InputProblem(
            f"{option}: {out} is there without {rows_file(out).name}, so it is no such table; write"
            " another name, or remove it"
        )


def kept_rows(out: Path, kind: type[R], *, otherwise: str) -> list[R]:
    """The rows of the table `out` that were measured before; none without its figures. Raises
    InputProblem, which says what removing them leads to (`otherwise`)."""
    file = rows_file(out)
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[kind])  # type: ignore[valid-type]
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise InputProblem(f"{file} cannot be read ({error}); remove it to {otherwise}") from None


def write_table(out: Path, rows: Sequence[msgspec.Struct], page: str) -> None:
    """Write the table's `page`, and the figures behind it."""
    write_record(rows_file(out), rows)
    write_whole(out, page.encode())
    share(out, rows_file(out))


def read_notes(file: Path) -> Mapping[str, str]:
    """Explanations by name; none without the file. Raises InputProblem."""
    try:
        return _NOTES.validate_python(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        raise InputProblem(
            f"{file} cannot be read; write lines such as retry-storm: why it is off"
        ) from None
