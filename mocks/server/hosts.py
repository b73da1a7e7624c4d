"""The names under which a server is asked. A web page may make a name of its own point at loopback
(DNS rebinding): its browser then asks for that name, and only the name tells."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104  # what such a server is bound to, no binding

_LONGEST = 261
"""Characters: the longest name (RFC 1035) and a port."""
_MOST_KNOWN = 64
"""Authorities that are not looked at again: every client of a server sends the same one."""
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})")
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")


def is_host_name(text: str) -> bool:
    """Whether `text` is a bare host name or IP address: no scheme, no port, no path."""
    return _NAME.fullmatch(text) is not None or _address(text) is not None


class Hosts:
    """The names of one server: those of loopback, the address it is bound to, and those the user
    allows. One that is bound to every address takes any IP address, which no page can make up."""

    def __init__(self, bound: str, allowed: Iterable[str] = ()) -> None:
        self._names = {_plain(name) for name in (*LOOPBACK, bound, *allowed)}
        self._any_address = bound in ANY_ADDRESS
        self._known: set[str] = set()

    def serves(self, authority: str) -> bool:
        """Whether `authority`, such as `127.0.0.1:8080`, is one of them, at whatever port: a
        container's or a tunnel's port need not be ours."""
        if authority in self._known:
            return True
        found = _AUTHORITY.fullmatch(authority) if len(authority) <= _LONGEST else None
        if found is None:
            return False
        name = _plain(found[1] or found[2])
        if name not in self._names and not (self._any_address and _address(name) is not None):
            return False
        if len(self._known) < _MOST_KNOWN:
            self._known.add(authority)
        return True


def authority_of(target: str) -> str | None:
    """The authority that a request's target names besides its Host header; None for a path."""
    if target.startswith("/") or target == "*":
        return None
    try:
        return urlsplit(target if "://" in target else f"//{target}").netloc
    except ValueError:
        return ""


def _plain(name: str) -> str:
    address = _address(name)
    return name.lower().removesuffix(".") if address is None else address


def _address(name: str) -> str | None:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return None
