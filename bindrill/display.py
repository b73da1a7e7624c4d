"""Progress of a run: a Rich display on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reports.progress import Progress
from scenarios.printed_text import printed_text
from scenarios.units import format_duration

PLAIN_LINES = 10
"""How many lines a run prints when nobody watches a terminal."""

_CLOCKS = {"sim": "virtual time", "live": "wall time"}


class Display:
    """Shows `Progress` records until the context ends."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._live: Live | None = None
        self._printed = -1

    def __enter__(self) -> Display:
        if self._console.is_terminal and not self._quiet:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, progress: Progress) -> None:
        """Show the newest figures."""
        if self._quiet:
            return
        if self._live is not None:
            self._live.update(_table(progress))
            return
        tenth = int(PLAIN_LINES * min(1.0, progress.now / progress.until)) if progress.until else 0
        if tenth != self._printed:
            self._printed = tenth
            self._console.print(_line(progress))


def _figures(progress: Progress) -> list[tuple[str, str]]:
    left = max(0.0, progress.until - progress.now)
    return [
        ("arrivals", f"{progress.arrivals:,}"),
        ("active", f"{progress.active:,}"),
        ("throughput", f"{progress.throughput:.1f}/s"),
        ("p95", format_duration(progress.p95)),
        ("faults", printed_text(", ".join(progress.faults)) or "none"),
        ("left", f"at most {format_duration(left)}"),
    ]


def _line(progress: Progress) -> str:
    figures = "  ".join(f"{name} {value}" for name, value in _figures(progress))
    return f"{_CLOCKS[progress.clock]} {format_duration(progress.now)}: {figures}"


def _table(progress: Progress) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_row(
        Text(f"{_CLOCKS[progress.clock]} {format_duration(progress.now)}", style="bold"),
        ProgressBar(total=progress.until or 1.0, completed=progress.now, width=40),
    )
    for name, value in _figures(progress):
        style = "bold red" if name == "faults" and progress.faults else ""
        grid.add_row(Text(name, style="dim"), Text(value, style=style))
    return grid
