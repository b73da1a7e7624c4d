"""Errors by which the system tells this process that it has no more: each is evidence of a ceiling,
also where it came and went between two looks."""

from __future__ import annotations

import errno
import re
from collections import Counter

_NAMES = {
    errno.EMFILE: "EMFILE",
    errno.ENFILE: "ENFILE",
    errno.EADDRNOTAVAIL: "EADDRNOTAVAIL",
    errno.ENOMEM: "ENOMEM",
    errno.ENOBUFS: "ENOBUFS",
}
_counts: Counter[str] = Counter()


def note_exhaustion(error: BaseException | None) -> bool:
    """Count `error`, or what caused it, if it says that files, ports or memory are used up;
    whether it does."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        name = "ENOMEM" if isinstance(error, MemoryError) else None
        if isinstance(error, OSError):
            name = _NAMES.get(error.errno or _told_in_words(error))
        if name is not None:
            _counts[name] += 1
            return True
        error = error.__cause__ or error.__context__
    return False


def taken_exhaustion() -> dict[str, int]:
    """How often each error came since the last time, by its name."""
    taken = dict(_counts)
    _counts.clear()
    return taken


def _told_in_words(error: OSError) -> int:
    """The number that polars, as all of Rust, writes at the end of its message alone."""
    told = re.search(r"\(os error (\d{1,4})\)", str(error))
    return int(told[1]) if told else 0
