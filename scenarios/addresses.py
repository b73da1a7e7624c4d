"""The one check of addresses, whoever gives them: an option, a setting, a scenario, an experiment.

What is taken is taken as written: nothing is added, resolved or repaired here, because programs
differ in what they make of `127.1` or of a URL with a blank in it.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urlsplit

import msgspec

LOOPBACK_NAME = "localhost"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_URL = 2000
_LONGEST_HOST = 253
_SHOWN = 200
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST_AND_PORT = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[!-~]*)?")
_PORT = re.compile(r"[0-9]{1,5}")


class AddressProblem(ValueError):
    """An address that cannot be meant; the message is one line that names where it was given, and
    says what to write."""


class Address(msgspec.Struct, frozen=True):
    """Where a server is: `host` without brackets, `path` in front of all others, without a slash
    at its end."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header has them; a port that goes without saying is left
        out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse_address(name: str, url: str, example: str) -> Address:
    """The parts of the root URL of a server, `http://host:port` or `https://…`, given as `name`
    (`--target`). `example` is what could be written. Raises AddressProblem."""
    if "@" in _SCHEME.sub("", url).partition("/")[0]:
        # Not shown: it may hold a password.
        raise AddressProblem(f"{name} holds a user name or password; write {example}")
    shown = show(url)
    what = f"{name} {shown}".rstrip()
    if not _SCHEME.match(url):
        plain = _HOST_AND_PORT.fullmatch(url) is not None
        raise AddressProblem(f"{what} is not a URL; write {f'http://{url}' if plain else example}")
    wrong = "" if len(url) <= _LONGEST_URL else f"is longer than {_LONGEST_URL} characters"
    if not wrong:
        bad = next((each for each in url if not "!" <= each <= "~" or each in '"<>\\^`{|}'), "")
        wrong = f"holds {_named(bad)}" if bad else ""
    if not wrong:
        try:
            return _parts(url)
        except ValueError as error:
            wrong = str(error)
    raise AddressProblem(f"{what} {wrong}; write {example}")


def server_url(name: str, url: str, example: str) -> str:
    """`url` without slashes at its end, checked as `parse_address` does. Raises AddressProblem."""
    parse_address(name, url, example)
    return url.rstrip("/")


def check_host(name: str, host: str) -> None:
    """Raises AddressProblem when `host`, given as `name`, is no host name or IP address to listen
    on, without a scheme, brackets or a port."""
    try:
        _check_host(host)
    except ValueError as error:
        raise AddressProblem(f"{name} {show(host)} {error}; write 127.0.0.1") from None


def check_scheduler(name: str, address: str) -> None:
    """Raises AddressProblem when `address`, given as `name`, is not that of a Dask scheduler:
    `host:port` or `tcp://host:port`, or tls, ucx, ws or wss in place of tcp."""
    scheme, _, rest = address.rpartition("://")
    try:
        if scheme not in ("", "tcp", "tls", "ucx", "ws", "wss"):
            raise ValueError(f"has a scheme that no scheduler has, {scheme}")
        parts = urlsplit(f"//{rest}")
        if parts.netloc != rest or "@" in rest:
            raise ValueError("is more than a host and a port")
        _check_host(_unbracketed(parts.netloc, parts.hostname))
        if _port(parts.netloc) is None:
            raise ValueError("has no port")
    except ValueError as error:
        raise AddressProblem(
            f"{name} {show(address)} {error}; write tcp://127.0.0.1:8786"
        ) from None


def is_loopback(host: str) -> bool:
    """Whether `host` certainly names this machine's loopback: `localhost`, 127.0.0.0/8 written as
    four numbers, or ::1.

    Strict on purpose. Short and hexadecimal forms (127.1, 0x7f.1), `localhost.`, IPv4 in IPv6
    (::ffff:127.0.0.1) and 0.0.0.0 mean different things to different programs.
    """
    if host.lower() == LOOPBACK_NAME:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        # Python 3.13 counts ::ffff:127.0.0.1 as loopback, earlier ones do not.
        return address == ipaddress.IPv6Address("::1") and "%" not in host
    return address.is_loopback


def is_loopback_url(url: str) -> bool:
    """Whether `url` is an HTTP address on this machine's loopback."""
    try:
        return is_loopback(_parts(url).host)
    except ValueError:
        return False


def in_path(segment: str | int) -> str:
    """`segment`, such as an identifier, as one segment of a URL's path: whatever it holds, it can
    neither end the segment nor leave it."""
    text = quote(str(segment), safe="")
    return text.replace(".", "%2E") if text.strip(".") == "" else text


def show(text: str) -> str:
    """`text` as a line can quote it: control characters and the like as Python writes them, and
    not longer than a line."""
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode()
        for each in cut
    )


def _parts(url: str) -> Address:
    """Raises ValueError, whose message goes on after the URL."""
    try:
        parts = urlsplit(url)
        host = _unbracketed(parts.netloc, parts.hostname)
    except ValueError:
        raise ValueError("has brackets around what is no IPv6 address") from None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("is neither http:// nor https://")
    if not parts.netloc:
        raise ValueError("names no host")
    if "@" in parts.netloc:
        raise ValueError("holds a user name")
    if "?" in url or "#" in url:
        raise ValueError("is more than a server's address: leave out ? and #, and what follows")
    port = _port(parts.netloc)
    _check_host(host)
    return Address(
        scheme, host, _DEFAULT_PORTS[scheme] if port is None else port, parts.path.rstrip("/")
    )


def _unbracketed(netloc: str, hostname: str | None) -> str:
    """The host of `netloc`; `hostname` is what the parser found, in small letters."""
    if netloc.startswith("["):
        host = hostname or ""
        ipaddress.IPv6Address(host)
        return host
    return netloc.rpartition("@")[2].partition(":")[0].lower()


def _port(netloc: str) -> int | None:
    _, colon, port = netloc.rpartition("]")[2].partition(":")
    if not colon:
        return None
    if not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise ValueError(f"has the port {show(port)!r}, which is none from 1 to 65535")
    return int(port)


def _check_host(host: str) -> None:
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError("is no host name or IP address") from None
        if "%" in host:
            raise ValueError("has a zone, which is not taken")
        return
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError(
                "has a number for a host that is no IPv4 address of four numbers"
            ) from None
        return
    if len(host) > _LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("has no host name that can be looked up")


def _named(character: str) -> str:
    if character.isspace():
        return "a blank"
    return f"the character {show(character)}"
