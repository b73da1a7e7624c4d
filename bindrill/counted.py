"""Progress of many simulations: a Rich bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PLAIN_LINES = 10
"""How many lines are printed when nobody watches a terminal."""


@contextmanager
def counted(
    console: Console, what: str, total: int, *, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Gives a function that shows how many of `total` are done."""
    if quiet:
        yield lambda done: None
        return
    if not console.is_terminal:
        yield _plain(console, what, total)
        return
    columns = (
        TextColumn(what, markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def _plain(console: Console, what: str, total: int) -> Callable[[int], None]:
    printed = 0

    def show(done: int) -> None:
        nonlocal printed
        tenth = done * PLAIN_LINES // total
        if tenth != printed:
            printed = tenth
            console.print(f"{what}: {done} of {total}")

    return show
