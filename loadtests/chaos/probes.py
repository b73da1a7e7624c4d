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
    "gateway_error_share",
    "service_ready",
]

_GATEWAY_OPERATIONS = frozenset(
    {*BankGateway.operations, *SmsGateway.operations, *PaymentGateway.operations}
)


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


def gateway_error_share(url: str, seconds: float = 5.0) -> float:
    """The share of a gateway's calls, in the next `seconds`, that are answered 5xx or not at all;
    0 when there is no call."""
    requests, _ = observe(url, seconds)
    calls = {kind: n for kind, n in requests.items() if kind.op in _GATEWAY_OPERATIONS}
    failed = sum(n for kind, n in calls.items() if kind.status == 0 or kind.status >= 500)
    return failed / sum(calls.values()) if calls else 0.0


def bindings_active_per_second(url: str, seconds: float = 5.0) -> float:
    """Test payments a second that the lender at `url` answers with ACTIVE (200), in the next
    `seconds`. A binding that a late notification activates is not among them."""
    requests, watched = observe(url, seconds)
    return requests[Answered("test_payment", 200)] / watched
