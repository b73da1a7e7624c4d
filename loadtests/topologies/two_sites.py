"""A lender and a PostgreSQL server at each of two sites; customers are sent to one of them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from loadtests.drill.done import Done
from loadtests.relay import Address, Relay
from loadtests.stack import Stack
from loadtests.topologies.base import Sites
from loadtests.topologies.postgres_standby import LENDER, PostgresStandby
from scenarios import topology as layout

SECOND = "lender-2"


class TwoSites(PostgresStandby, Sites):
    """Lender and primary at the first site, `lender-2` and standby at the second. Customers and
    callbacks come through a relay that stands for DNS: after a switch they learn the new address
    within the TTL. Both lenders write to the primary, wherever it is, so the second site serves as
    soon as its server is promoted."""

    def __init__(
        self,
        settings: layout.TwoSites,
        stack: Stack,
        data: Path,
        *,
        small_disk: bool = False,
    ) -> None:
        super().__init__(settings, stack, data, small_disk=small_disk)
        self.ttl = settings.ttl

    @property
    def _lenders(self) -> tuple[str, ...]:
        return (LENDER, SECOND)

    @property
    def database(self) -> str:
        return self._endpoints[-1].url

    def _start_lenders(self) -> None:
        stack = self._stack
        self._door = Relay(_address(stack.address(LENDER)), name="customers' way")
        self._relays.append(self._door)
        stack.start_gateways(f"http://{self._door.address.host}:{self._door.address.port}")
        for number, (name, endpoint) in enumerate(
            zip(self._lenders, self._endpoints, strict=True), start=1
        ):
            stack.start_lender(name, endpoint.url, key_ring=self.keys.file, node=f"lender-{number}")

    def lose_site(self) -> Done:
        self._stack.kill(LENDER)
        self._primary.kill()
        self._line.cut()
        return Done(
            "lender and primary of the first site are dead", ("kill -9 lender", "kill -9 primary")
        )

    def switch_traffic(self) -> Done:
        self._door.switch(_address(self._stack.address(SECOND)), self.ttl)
        return Done(f"customers learn the second site's address within {self.ttl:g} s")


def _address(url: str) -> Address:
    parts = urlsplit(url)
    return Address(parts.hostname or "", parts.port or 0)
