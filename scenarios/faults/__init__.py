"""Faults: one file each, all behind `scenarios.faults.base.Fault`.

Adding a fault is adding a file here: every `Fault` subclass with a `kind` joins the union that
scenarios and admin APIs accept, and the table in `docs/faults.md`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from scenarios.faults.base import Context, Effect, Fault

__all__ = ["FAULT_KINDS", "AnyFault", "Context", "Effect", "Fault", "parse_fault"]

_NO_FAULTS = ("base", "table")


def _descendants(cls: type[Fault]) -> Iterator[type[Fault]]:
    for child in cls.__subclasses__():
        yield child
        yield from _descendants(child)


def _discover() -> dict[str, type[Fault]]:
    for module in pkgutil.iter_modules(__path__):
        if module.name not in _NO_FAULTS:
            importlib.import_module(f"{__name__}.{module.name}")
    kinds = {cls.model_fields["kind"].default: cls for cls in _descendants(Fault)}
    return {kind: kinds[kind] for kind in sorted(kind for kind in kinds if isinstance(kind, str))}


FAULT_KINDS: dict[str, type[Fault]] = _discover()
"""Every fault by its `kind`."""

_UNION: Any = reduce(or_, FAULT_KINDS.values())

AnyFault = Annotated[_UNION, Field(discriminator="kind")]
"""The record of any fault, told apart by `kind`."""

_ADAPTER: TypeAdapter[Fault] = TypeAdapter(AnyFault)


def parse_fault(record: Any) -> Fault:
    """A fault from its JSON record. Raises pydantic.ValidationError on a bad one."""
    return _ADAPTER.validate_python(record)
