"""Figures of this process and its machine, each cheap enough to be read once a second."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path

import psutil

from scenarios.ceilings.exhaustion import note_exhaustion
from scenarios.ceilings.soft_limits import file_limit

_FILES = next((path for path in ("/proc/self/fd", "/dev/fd") if Path(path).is_dir()), "/dev/fd")
_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CONNECTIONS = (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6"))
_HOLD_A_PORT = (b"01", b"02", b"04", b"05", b"06", b"08")
"""States of the kernel's table in which a connection keeps its port: established, opening, closing
and waiting after its end."""
_CGROUPS = Path("/sys/fs/cgroup")


def open_files() -> int:
    """How many files this process has open; all that it may have when there is none left even to
    look."""
    try:
        # Without the one that the listing itself takes; as names, since there may be thousands.
        return len(os.listdir(_FILES)) - 1  # noqa: PTH208
    except OSError as error:
        if error.errno == errno.EMFILE:
            return file_limit() or 0
        note_exhaustion(error)
        return 0


def port_limit() -> int | None:
    """How many connections to one address the machine has ports for; None where it does not tell
    (it does on Linux)."""
    try:
        low, high = _PORT_RANGE.read_text().split()
        return int(high) - int(low) + 1
    except (OSError, ValueError):
        return None


def most_ports_to_one_address() -> int:
    """The connections, of all processes, to the address that has most of them (on Linux; else 0).
    Takes some milliseconds where there are ten thousand."""
    towards: Counter[bytes] = Counter()
    for table in _CONNECTIONS:
        try:
            rows = table.read_bytes().splitlines()[1:]
        except OSError:
            continue
        towards.update(fields[2] for row in rows if (fields := row.split())[3] in _HOLD_A_PORT)
    return max(towards.values(), default=0)


class Allowance:
    """What the machine, or the control groups (v2) that hold this process, let it have."""

    def __init__(self) -> None:
        groups = _own_groups()
        quotas = [quota for group in groups if (quota := _quota(group)) is not None]
        self.cores: float = min([float(_cores()), *quotas])
        """Cores that may be used at a time."""
        self._limits = {g: limit for g in groups if (limit := _number(g / "memory.max"))}

    def memory_left(self) -> float | None:
        """The share of the memory that is still to be had: of the machine, or of the control group
        that has least left. None when the system does not tell."""
        try:
            machine = psutil.virtual_memory()
        except OSError:  # no file left to look into
            return None
        left = [machine.available / machine.total]
        for group, limit in self._limits.items():
            if (used := _number(group / "memory.current")) is not None:
                # Cached files can be dropped, so they are not in the way.
                left.append(1 - (used - _cached(group)) / limit)
        return round(max(0.0, min(left)), 4)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _own_groups() -> list[Path]:
    """The control group of this process and those around it."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    name = next((line[3:] for line in lines if line.startswith("0::")), None)
    if name is None:
        return []
    own = _CGROUPS / name.lstrip("/")
    return [group for group in (own, *own.parents) if group.is_relative_to(_CGROUPS)]


def _quota(group: Path) -> float | None:
    try:
        most, period = (group / "cpu.max").read_text().split()
        return int(most) / int(period)
    except (OSError, ValueError):  # there is no quota: its file says "max", or is not there
        return None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _cached(group: Path) -> int:
    try:
        rows = (group / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(row.split()[1]) for row in rows if row.startswith("inactive_file ")), 0)
