"""What the lender's store did so far, from the lender's metrics."""

from __future__ import annotations

from loadtests.admin import AdminProblem, fetch

_FAMILY = "lender_store_"


def store_work(lender: str) -> dict[str, float]:
    """The counters `busy_seconds`, `executing_seconds`, `commits` and `transactions` of the lender
    at this URL (`mocks.lender.sql_store.StoreWork`); empty when it is too busy to say."""
    try:
        _, text = fetch(f"{lender}/metrics")
    except AdminProblem:
        return {}
    found: dict[str, float] = {}
    for line in text.decode(errors="replace").splitlines():
        name, _, value = line.partition(" ")
        if name.startswith(_FAMILY) and name.endswith("_total"):
            found[name.removeprefix(_FAMILY).removesuffix("_total")] = float(value)
    return found
