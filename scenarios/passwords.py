"""Passwords and tokens taken out of addresses, command lines and messages before they are shown,
stored or logged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl

from scenarios.printed_text import shell_word

HIDDEN = "***"

SHOWN_PARAMETERS = frozenset(
    {"application_name", "connect_timeout", "dbname", "host", "mode", "port", "service", "sslmode"}
    | {"target_session_attrs", "user"}
)
"""Of an address's parameters, those that may be shown. Any other may be a secret, or a secret's
name in another spelling."""
_SECRET_OPTIONS = frozenset({"--admin-token", "--token"})
_DATABASE = "--db"
_FILES = frozenset({"sqlite", "sqlite+pysqlite"})
"""Schemes of addresses that name a file, which has no password."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_ADDRESS = re.compile(rf"{_SCHEME.pattern}://[^\s\"<>]*")
_PLACE = r"(?P<place>(?:\[[0-9A-Fa-f:.]*\]|[^:/?#@\[\]]*)(?::[0-9]*)?)"
_PLAIN = re.compile(rf"{_PLACE}(?P<path>[/#][^?@]*|[,;:.)']*)(?:\?(?P<query>[^@]*))?")
_WITH_USER = re.compile(rf"(?P<user>[^:/?#@]*)(?P<password>:[^/?#@]*)?@{_PLAIN.pattern}")
_NAMED_SECRET = re.compile(
    r"(?i)\b(\w*(?:password|passwd|passphrase|secret|token))(\s*[=:]\s*)[^\s;,&'\"]+"
)


def without_password(address: str) -> str:
    """An address without its user's password and without parameters that may hold one.

    Where it is not plain what the password is, since it holds an `@` or a `/` that is not written
    `%40` or `%2F`, all is hidden that may be a part of it.
    """
    scheme, _, rest = address.partition("://")
    if scheme in _FILES:
        return address.partition("?")[0]
    parts = _WITH_USER.fullmatch(rest) or _PLAIN.fullmatch(rest)
    if not _SCHEME.fullmatch(scheme) or not rest:
        return HIDDEN
    if parts is None:
        return f"{scheme}://{HIDDEN}"
    shown = "".join(f"{parts[name] or ''}" for name in ("place", "path"))
    if parts.re is _WITH_USER:
        password = f":{HIDDEN}" if parts["password"] else ""
        shown = f"{parts['user']}{password}@{shown}"
    parameters = [
        f"{key}={value}"
        for key, value in parse_qsl(parts["query"] or "", keep_blank_values=True)
        if key in SHOWN_PARAMETERS
    ]
    return f"{scheme}://{shown}" + ("?" + "&".join(parameters) if parameters else "")


def without_secrets(text: str) -> str:
    """Any text without the passwords in its addresses, and without what `password=` and its like
    introduce."""
    text = _ADDRESS.sub(lambda found: _bare(found[0]), text)
    return _NAMED_SECRET.sub(rf"\1\2{HIDDEN}", text)


def command_line(words: Sequence[str]) -> str:
    """A command as it was typed, to be copied to a shell, without its secrets."""
    shown: list[str] = []
    option = ""
    for word in words:
        name, equals, value = word.partition("=")
        if option:
            shown.append(shell_word(_of_option(option, word)))
            option = ""
        elif name == _DATABASE or name in _SECRET_OPTIONS:
            shown.append(shell_word(f"{name}={_of_option(name, value)}" if equals else name))
            option = "" if equals else name
        else:
            shown.append(shell_word(without_secrets(word)))
    return " ".join(shown)


def _of_option(option: str, value: str) -> str:
    return without_password(value) if option == _DATABASE else HIDDEN


def _bare(address: str) -> str:
    """An address as it is, its parameters too, unless it holds something like a password."""
    plain = _PLAIN.fullmatch(address.partition("://")[2])
    if plain is None:
        return without_password(address)
    names = [key for key, _ in parse_qsl(plain["query"] or "", keep_blank_values=True)]
    secret = any(_NAMED_SECRET.search(f"{name}=x") for name in names)
    return without_password(address) if secret else address
