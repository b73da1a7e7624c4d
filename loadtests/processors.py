"""Processor time of the processes of a live run, which are all children of this one."""

from __future__ import annotations

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
    `cores` cores."""

    lender: float
    gateways: float
    load_generator: float
    together: float
    cores: int

    def since(self, before: CpuTime) -> CpuTime:
        """What came after `before`."""
        return CpuTime(
            lender=self.lender - before.lender,
            gateways=self.gateways - before.gateways,
            load_generator=self.load_generator - before.load_generator,
            together=self.together - before.together,
            cores=self.cores,
        )


def cpu_times() -> CpuTime:
    """The processor time of the children of this process now."""
    found = dict.fromkeys(_MARKS, 0.0)
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
    return CpuTime(
        **found,
        together=sum(found.values()) + own.user + own.system,
        cores=len(me.cpu_affinity()) if hasattr(me, "cpu_affinity") else psutil.cpu_count() or 1,
    )
