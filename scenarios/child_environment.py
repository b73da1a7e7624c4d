"""What a child process inherits: places and language, and nothing that configures a program.

What somebody set for other tools of theirs must not change a run: LOCUST_* and locust.conf, the
proxies, PG* (which lead libpq to another server), PYTHONPATH and the present folder (whose modules
would take the place of ours), GEVENT_*, DASK_*, OMP_* and so on. So what is passed on is listed,
and what is not listed stays behind.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_INHERITED = frozenset(
    {
        # Where programs, files and people are.
        "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP",
        # How paths are spelled and times are shown: parent and child must agree.
        "LANG", "LANGUAGE", "TZ", "TZDIR",
        # Without which this interpreter and its libraries might not start.
        "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "PYTHONHOME",
        # Whom to trust as a service to test over TLS.
        "SSL_CERT_FILE", "SSL_CERT_DIR",
        # Ours: the secret that a service to test shares with the gateways.
        "BINDRILL_SIGNING_KEY",
    }
)  # fmt: skip
_LIBPQ = "PG"
_SAFE_PATH = "PYTHONSAFEPATH"


def child_environment() -> dict[str, str]:
    """The environment of a child process, which finds the modules that this process finds, and none
    in its present folder."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or name.startswith("LC_")
    }
    modules = [place for place in sys.path if place and os.pathsep not in place]
    return inherited | {
        _SAFE_PATH: "1",
        "PYTHONPATH": os.pathsep.join(modules),
        "PYTHONUTF8": str(sys.flags.utf8_mode),
    }


def libpq_variables() -> dict[str, str]:
    """PG*: how to reach a database of the user's own, for a child that is to reach it."""
    return {name: value for name, value in os.environ.items() if name.startswith(_LIBPQ)}


def forget_libpq() -> None:
    """From now on this process and its children reach the PostgreSQL server that they name, and no
    other: libpq reads PG* for whatever it is not told."""
    for name in libpq_variables():
        del os.environ[name]


@contextmanager
def safe_path() -> Iterator[None]:
    """Python processes that a library starts meanwhile take no module from their present folder."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_SAFE_PATH, None)
        else:
            os.environ[_SAFE_PATH] = before
