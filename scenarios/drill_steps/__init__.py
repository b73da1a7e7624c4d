"""Steps of a drill: one file each, all behind `scenarios.drill_steps.base.DrillStep`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args

from pydantic import Field

from scenarios.drill_steps.base import DrillStep

__all__ = ["STEP_KINDS", "AnyStep", "DrillStep"]


def _discover() -> dict[str, type[DrillStep]]:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    kinds = {
        get_args(cls.model_fields["do"].annotation)[0]: cls for cls in DrillStep.__subclasses__()
    }
    return dict(sorted(kinds.items()))


STEP_KINDS: dict[str, type[DrillStep]] = _discover()
"""Every step by its `do`."""

_UNION: Any = reduce(or_, STEP_KINDS.values())

AnyStep = Annotated[_UNION, Field(discriminator="do")]
"""The record of any step, told apart by `do`."""
