"""Faults of whole processes in wall time: SIGKILL, SIGSTOP and SIGCONT, and restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from scenarios.faults import Fault
from scenarios.faults.kill import Kill
from scenarios.faults.process import ProcessFault
from scenarios.faults.restart import Restart


class Processes(Protocol):
    """The stack's processes, `lender` and `gateways`, by name."""

    def kill(self, name: str) -> None:
        """End it at once."""

    def shut(self, name: str) -> None:
        """End it gracefully."""

    def restart(self, name: str) -> None:
        """Start it again after either."""

    def pause(self, name: str) -> None:
        """Let it stand still."""

    def resume(self, name: str) -> None:
        """Let it go on."""


class ProcessFaults:
    """Carries out the process faults among `faults`; `restarted` gets the name of a process that
    serves again after one."""

    def __init__(
        self, faults: Sequence[Fault], processes: Processes, restarted: Callable[[str], None]
    ) -> None:
        self._processes = processes
        self._restarted = restarted
        planned = [
            step
            for fault in faults
            if isinstance(fault, ProcessFault)
            for step in self._steps(fault)
        ]
        self._planned = sorted(planned, key=lambda step: step[0])
        self.begun = {fault.label: 0 for fault in faults if isinstance(fault, ProcessFault)}
        """Faults by label: 1 once carried out."""

    def act(self, now: float, most: float) -> float:
        """Do what is due at `now` (seconds since the run began); seconds until the next step, and
        `most` at the most. Raises StackProblem when a process does not start again."""
        while self._planned and self._planned[0][0] <= now:
            self._planned.pop(0)[1]()
        return min(most, self._planned[0][0] - now) if self._planned else most

    def _steps(self, fault: ProcessFault) -> Iterator[tuple[float, Callable[[], None]]]:
        processes, name = self._processes, fault.process
        if isinstance(fault, Kill):
            yield fault.start, partial(self._begin, fault.label, processes.kill, name)
            yield fault.start + fault.down, partial(self._start_again, name)
        elif isinstance(fault, Restart):
            yield fault.start, partial(self._begin, fault.label, processes.shut, name)
            yield fault.start, partial(self._start_again, name)
        else:
            yield fault.start, partial(self._begin, fault.label, processes.pause, name)
            yield fault.end, partial(processes.resume, name)

    def _begin(self, label: str, strike: Callable[[str], None], name: str) -> None:
        strike(name)
        self.begun[label] = 1

    def _start_again(self, name: str) -> None:
        self._processes.restart(name)
        self._restarted(name)
