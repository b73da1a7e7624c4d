"""Actions of Chaos Toolkit experiments: break something at a service, and mend it.

`url` is a service's root, such as `http://127.0.0.1:8081`. `secrets` may hold `admin_token`, for
services on another address than loopback. Every action raises AdminProblem when the service does
not answer, or refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadtests.chaos.admin_faults import ServiceFaults

__all__ = ["clear_fault", "clear_faults", "set_fault"]


def set_fault(
    url: str, fault: Mapping[str, Any], secrets: Mapping[str, str] | None = None
) -> list[str]:
    """Set one fault, a record as in a scenario's `faults`, whose window counts from now.

    Returns the labels of all faults that are set then. One of the same label is replaced.
    """
    return [each.label for each in ServiceFaults(url, secrets).put(fault)]


def clear_fault(url: str, label: str, secrets: Mapping[str, str] | None = None) -> int:
    """Remove the fault called `label` (its `name`, or kind and target); returns how many went: 0
    when there was none, so that a rollback may come twice."""
    return ServiceFaults(url, secrets).clear(label)


def clear_faults(url: str, secrets: Mapping[str, str] | None = None) -> int:
    """Remove all faults; returns how many there were."""
    return ServiceFaults(url, secrets).clear()
