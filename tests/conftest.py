from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from bindrill.cli import main
from reports.claims import release


def pytest_configure() -> None:
    # A shell's background job, and what it starts, is deaf to the Ctrl-C that tests send.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Outcome:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def bindrill(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Run the command line in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["bindrill", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        release()  # as when a process ends
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run
