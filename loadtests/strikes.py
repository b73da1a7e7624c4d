"""How often the faults of a live run have struck, told by those who apply them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from loadtests.admin import AdminProblem
from loadtests.chaos.admin_faults import ServiceFaults
from reports.strikes import Strikes
from scenarios.faults import Fault


class StrikeCounter:
    """Asks the servers, and is told of the customers' side and of processes."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = faults
        self._found: Strikes = {}
        self._forgetful: set[str] = set()

    def ask(self, urls: Mapping[str, str]) -> None:
        """Ask the servers at `urls`, by name; those without faults, and those that do not answer,
        are left out."""
        for host in {fault.host for fault in self._faults} & urls.keys():
            labels = {fault.label for fault in self._faults if fault.host == host}
            try:
                listed = ServiceFaults(urls[host]).listed()
            except AdminProblem:
                continue
            self._found |= {each.label: each.struck for each in listed if each.label in labels}

    def tell(self, struck: Mapping[str, int]) -> None:
        """Take counts of faults that no server applies."""
        self._found |= struck

    def forgotten_by(self, hosts: Iterable[str]) -> None:
        """These servers have begun a new life, and count from 0."""
        self._forgetful.update(hosts)

    @property
    def counted(self) -> Strikes:
        """What is known: not that a fault never struck of a server that has forgotten."""
        forgotten = {fault.label for fault in self._faults if fault.host in self._forgetful}
        return {
            label: struck
            for label, struck in self._found.items()
            if struck or label not in forgotten
        }
