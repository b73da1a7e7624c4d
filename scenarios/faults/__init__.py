"""Faults: one file each, all behind `scenarios.faults.base.Fault`.

Adding a fault is adding a file here: every module's `Fault` subclass with a `kind` joins the union
that scenarios and admin APIs accept.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from scenarios.faults.base import Context, Effect, Fault

__all__ = ["FAULT_KINDS", "AnyFault", "Context", "Effect", "Fault", "parse_fault"]


def _discover() -> dict[str, type[Fault]]:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found = {cls.model_fields["kind"].default: cls for cls in Fault.__subclasses__()}
    return dict(sorted(found.items()))


FAULT_KINDS: dict[str, type[Fault]] = _discover()
"""Every fault by its `kind`."""

_UNION: Any = reduce(or_, FAULT_KINDS.values())

AnyFault = Annotated[_UNION, Field(discriminator="kind")]
"""The record of any fault, told apart by `kind`."""

_ADAPTER: TypeAdapter[Fault] = TypeAdapter(AnyFault)


def parse_fault(record: Any) -> Fault:
    """A fault from its JSON record. Raises pydantic.ValidationError on a bad one."""
    return _ADAPTER.validate_python(record)
