"""What a live run costs whom: processor time of its processes, and what the lender waits for."""

from __future__ import annotations

import msgspec
import psutil

from loadtests.admin import AdminProblem, fetch
from reports.progress import Progress

_PROCESSES = {
    "lender": "lender-options.json",
    "gateways": "gateways-options.json",
    "locust": "locustfile.py",
}
"""The live processes below this one, each by a word of its command."""


class Costs:
    """Looks at a live run from its first arrival to its last look: give `ready` and `look` to
    `loadtests.live_run.run_live`."""

    def __init__(self) -> None:
        self._lender = ""
        self._position = 0
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._ended = 0
        self._waits = [0.0, 0.0, 0.0, 0.0]

    def ready(self, urls: dict[str, str]) -> None:
        """The servers stand."""
        self._lender = urls["lender"]

    def look(self, progress: Progress) -> None:
        """Another second has passed."""
        used = _processor_seconds()
        self._first = self._first or used
        self._last = used
        self._ended = progress.ended
        try:
            status, body = fetch(f"{self._lender}/__admin/timings?after={self._position}")
        except AdminProblem:
            return
        if status != 200:
            return
        told = msgspec.json.decode(body)
        self._position = told["next"]
        for kind, _, _, *seconds in told["timings"]:
            if kind == "request":
                # total, calls, commits, lines
                self._waits = [w + s for w, s in zip(self._waits, seconds[:4], strict=True)]

    def figures(self) -> dict[str, float | str]:
        """Milliseconds of processor time a customer, by process; shares of the lender's time in
        requests that it spent waiting; and who used the most processor time, with the cores' share
        that it was."""
        if not self._ended or not self._waits[0]:
            return {}
        total, calls, commits, lines = self._waits
        used = {name: self._last[name] - self._first.get(name, 0.0) for name in self._last}
        costs = {
            f"{name}_cpu_ms_per_customer": round(1000 * seconds / self._ended, 1)
            for name, seconds in used.items()
        }
        most = max(used, key=lambda name: used[name])
        return {
            **costs,
            "most_cpu": f"{most} ({used[most] / sum(used.values()):.0%})",
            "lender_waits_for_commits": f"{commits / total:.0%}",
            "lender_waits_for_gateways": f"{calls / total:.0%}",
            "lender_waits_for_workers": f"{lines / total:.0%}",
        }


def _processor_seconds() -> dict[str, float]:
    found: dict[str, float] = {}
    for child in psutil.Process().children(recursive=True):
        try:
            command, times = " ".join(child.cmdline()), child.cpu_times()
        except psutil.Error:  # it has just ended
            continue
        for name, word in _PROCESSES.items():
            if word in command:
                found[name] = found.get(name, 0.0) + times.user + times.system
    return found
