"""Processor time of the processes of a live run, which are all children of this one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import psutil

_MARKS = {
    "lender": "lender-options.json",
    "gateways": "gateways-options.json",
    "load_generator": "locustfile.py",
}
"""What tells a process by its command line."""


class CpuTime(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of processor time so far, or between two looks; `together` with this process too, on
    `cores` cores. `lender_waits`: seconds in which the lender's first thread could have run and had
    no core (0 where the kernel does not tell)."""

    lender: float
    lender_waits: float
    gateways: float
    load_generator: float
    together: float
    cores: int

    def since(self, before: CpuTime) -> CpuTime:
        """What came after `before`."""
        return CpuTime(
            lender=self.lender - before.lender,
            lender_waits=self.lender_waits - before.lender_waits,
            gateways=self.gateways - before.gateways,
            load_generator=self.load_generator - before.load_generator,
            together=self.together - before.together,
            cores=self.cores,
        )


def cpu_times() -> CpuTime:
    """The processor time of the children of this process now."""
    found = dict.fromkeys(_MARKS, 0.0)
    waits = 0.0
    me = psutil.Process()
    own = me.cpu_times()
    for child in me.children(recursive=True):
        try:
            command = " ".join(child.cmdline())
            times = child.cpu_times()
        except psutil.Error:  # it has ended meanwhile
            continue
        for name, mark in _MARKS.items():
            if mark in command:
                found[name] += times.user + times.system
                waits += _waits(child.pid) if name == "lender" else 0.0
    return CpuTime(
        **found,
        lender_waits=waits,
        together=sum(found.values()) + own.user + own.system,
        cores=len(me.cpu_affinity()) if hasattr(me, "cpu_affinity") else psutil.cpu_count() or 1,
    )


def _waits(pid: int) -> float:
    """Seconds that the first thread of a process, in which the lender serves its requests, stood in
    the run queue: the second figure of Linux's `/proc/<pid>/schedstat`, in nanoseconds."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):  # it has ended, or the kernel keeps no such figures
        return 0.0
