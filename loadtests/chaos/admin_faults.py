"""The faults of one service through its admin API, as actions and probes need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from loadtests.admin import AdminProblem, call_admin, error_message, read_reply
from scenarios.addresses import in_path

TOKEN = "admin_token"  # noqa: S105  # the name of a secret, not one
"""The key of the admin token among an activity's secrets."""


class ListedFault(msgspec.Struct, frozen=True):
    """A fault as `GET /__admin/faults` lists it."""

    label: str
    in_force: bool
    struck: int


class _Listing(msgspec.Struct):
    faults: list[ListedFault]


class _Cleared(msgspec.Struct):
    cleared: int


class ServiceFaults:
    """The faults of the service at `url` (`http://127.0.0.1:8081`); `secrets` may hold the admin
    token. Every method raises AdminProblem when the service does not answer, or refuses."""

    def __init__(self, url: str, secrets: Mapping[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._token = (secrets or {}).get(TOKEN, "")

    def listed(self) -> list[ListedFault]:
        """All faults that are set."""
        return self._listing(self._call("GET", "/faults"))

    def put(self, record: Mapping[str, Any]) -> list[ListedFault]:
        """Set one fault, whose window counts from now; the faults that are set then."""
        return self._listing(self._call("PUT", "/faults", dict(record)))

    def clear(self, label: str | None = None) -> int:
        """Remove the fault called `label`, or all; how many went."""
        path = "/faults" if label is None else f"/faults/{in_path(label)}"
        content = self._call("DELETE", path, may_miss=label is not None)
        if not content:
            self.listed()  # any server says 404: is this one of those that have faults at all?
            return 0
        return read_reply(self._url, content, _Cleared).cleared

    def _listing(self, content: bytes) -> list[ListedFault]:
        return read_reply(self._url, content, _Listing).faults

    def _call(self, method: str, path: str, body: Any = None, *, may_miss: bool = False) -> bytes:
        """The answer's body; empty if the answer says that there is no such thing, which it may
        where it `may_miss`."""
        status, content = call_admin(self._url, method, path, body, self._token)
        if status == 404 and may_miss:
            return b""
        if status != 200:
            raise AdminProblem(f"{self._url} refuses ({status}): {error_message(content)}")
        return content
