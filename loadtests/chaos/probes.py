"""Probes of Chaos Toolkit experiments: what a service says of itself.

`url` is a service's root, such as `http://127.0.0.1:8080`. Probes that watch take `seconds`. Every
probe but `service_ready` raises AdminProblem when the service does not answer, which is so for a
gateway whose port an outage closed.
"""

from __future__ import annotations

from collections.abc import Mapping

from loadtests.admin import AdminProblem, fetch
from loadtests.chaos.admin_faults import ServiceFaults
from loadtests.chaos.counters import Answered, observe
from mocks.bank.model import BankGateway
from mocks.payment.model import PaymentGateway
from mocks.sms.model import SmsGateway
from scenarios.addresses import AddressProblem, server_url

__all__ = [
    "bindings_active_per_second",
    "fault_in_force",
    "fault_strikes",
    "gateway_error_share",
    "service_ready",
]

_GATEWAYS = {each.name: each for each in (BankGateway, SmsGateway, PaymentGateway)}
_GATEWAY_OPERATIONS = frozenset(op for each in _GATEWAYS.values() for op in each.operations)


def service_ready(url: str) -> bool:
    """Whether the service takes requests: its `/ready` answers 200. Raises AdminProblem for a
    `url` that is none."""
    try:
        server_url("url", url, "http://127.0.0.1:8080")
    except AddressProblem as problem:
        raise AdminProblem(str(problem)) from None
    try:
        status, _ = fetch(f"{url.rstrip('/')}/ready")
    except AdminProblem:
        return False
    return status == 200


def fault_in_force(url: str, label: str, secrets: Mapping[str, str] | None = None) -> bool:
    """Whether the fault called `label` strikes now; False when it is not set."""
    listed = ServiceFaults(url, secrets).listed()
    return any(fault.in_force for fault in listed if fault.label == label)


def fault_strikes(url: str, label: str, secrets: Mapping[str, str] | None = None) -> int:
    """How often the fault called `label` has struck since it was set. Raises AdminProblem when it
    is not set."""
    listed = ServiceFaults(url, secrets).listed()
    struck = {fault.label: fault.struck for fault in listed}
    if label not in struck:
        known = ", ".join(struck) or "none"
        raise AdminProblem(f"no fault of {url} is called {label}; set are: {known}")
    return struck[label]


def gateway_error_share(url: str, seconds: float = 5.0) -> float:
    """The share of a gateway's calls, in the next `seconds`, that are answered 5xx or not at all.

    Raises AdminProblem when there is no call, of which nothing could fail, or no gateway."""
    requests, _ = observe(url, seconds, _GATEWAYS)
    calls = {kind: n for kind, n in requests.items() if kind.op in _GATEWAY_OPERATIONS}
    failed = sum(n for kind, n in calls.items() if kind.status == 0 or kind.status >= 500)
    if not calls:
        raise AdminProblem(
            f"nobody called {url} in {seconds:g} s; run a load beside the experiment"
        )
    return failed / sum(calls.values())


def bindings_active_per_second(url: str, seconds: float = 5.0) -> float:
    """Test payments a second that the lender at `url` answers with ACTIVE (200), in the next
    `seconds`. A binding that a late notification activates is not among them."""
    requests, watched = observe(url, seconds, ("lender",))
    return requests[Answered("test_payment", 200)] / watched
