"""Soft limits of this process, raised as far as the system lets it."""

from __future__ import annotations

import resource

MOST_FILES = 1_048_576
"""As many as the Linux kernel gives a process unless told otherwise (`fs.nr_open`)."""
_FILES_TO_TRY = (MOST_FILES, 65_536, 10_240)
"""The last is `OPEN_MAX` of macOS, whose kernel refuses more even where the hard limit says so."""


def raise_soft_limits() -> None:
    """Let this process, and those it starts, open as many files and start as many processes as the
    hard limits allow. Never lowers a limit; what the system refuses stays as it was."""
    for most in _FILES_TO_TRY:
        if _raised(resource.RLIMIT_NOFILE, most):
            break
    _raised(resource.RLIMIT_NPROC, None)


def file_limit() -> int | None:
    """How many files this process may have open now; None without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def hard_file_limit() -> int | None:
    """How many files `raise_soft_limits` can come to; None without a limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if hard == resource.RLIM_INFINITY else hard


def _raised(kind: int, most: int | None) -> bool:
    """Whether the soft limit is now the hard one, or `most` where that is less."""
    soft, hard = resource.getrlimit(kind)
    wanted = hard
    if most is not None and (hard == resource.RLIM_INFINITY or hard > most):
        wanted = most
    if soft == resource.RLIM_INFINITY or (wanted != resource.RLIM_INFINITY and soft >= wanted):
        return True
    try:
        resource.setrlimit(kind, (wanted, hard))
    except (OSError, ValueError):
        return False
    return True
