"""The table of all faults in `docs/faults.md`: `python -m scenarios.faults.table` writes it there.

It is made from the fault classes, so that the documentation cannot miss one.
"""

from __future__ import annotations

from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from scenarios.distributions import Delay
from scenarios.faults import FAULT_KINDS, Fault
from scenarios.faults.process import ProcessFault
from scenarios.units import Form

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN = "<!-- made by `python -m scenarios.faults.table` -->"
END = "<!-- end of the table -->"

_HEAD = "| kind | target | fields | what the caller sees | clocks |"
_UNITS = {"duration": "s", "rate": "a second", "share": "0 to 1"}


def table() -> str:
    """One line a kind, in Markdown."""
    lines = [_HEAD, "| --- | --- | --- | --- | --- |"]
    for kind, cls in FAULT_KINDS.items():
        fields = "; ".join(_field(name, field) for name, field in _own(cls)) or "none"
        lines.append(f"| `{kind}` | {_target(cls)} | {fields} | {cls.seen} | {cls.clocks} |")
    return "\n".join(lines)


def filled(document: str) -> str:
    """`document` with the newest table between its marks. Raises ValueError without them."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no place for the table; write {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _own(cls: type[Fault]) -> list[tuple[str, FieldInfo]]:
    shared = {*Fault.model_fields}
    return [(name, field) for name, field in cls.model_fields.items() if name not in shared]


def _target(cls: type[Fault]) -> str:
    if issubclass(cls, ProcessFault):
        return "a process"
    if "between" in cls.model_fields:
        return "a way"
    targets = get_args(cls.model_fields["target"].annotation)
    if cls.on_callbacks:
        targets = ("sms", "payment")
    return ", ".join(targets)


def _field(name: str, field: FieldInfo) -> str:
    default = "" if field.is_required() else f", {_plain(field.default)} if left out"
    unit = _unit(field)
    about = f": {field.description}" if field.description else ""
    return f"`{name}` ({unit}{default}){about}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "no" if not value else "yes"
    return "none" if value in ((), "", None) else f"{value}"


def _unit(field: FieldInfo) -> str:
    form = next((item for item in field.metadata if isinstance(item, Form)), None)
    if form is not None:
        return next((unit for word, unit in _UNITS.items() if word in form.noun), form.noun)
    kind = field.annotation
    if kind is Delay:
        return "s, or percentiles"
    if get_origin(kind) is Literal:
        return " or ".join(str(choice) for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return "list" if Ellipsis in get_args(kind) else f"{len(get_args(kind))} names"
    return {bool: "yes or no", int: "whole number", float: "number", str: "text"}.get(
        kind if isinstance(kind, type) else NoneType, "value"
    )


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
