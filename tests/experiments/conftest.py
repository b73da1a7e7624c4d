from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bindrill.cli import main

TINY = """\
name: tiny
duration: 12s
drain: 8s
arrivals: {kind: poisson, rate: 4/s}
journey: {pace: 0.02}
faults:
- {kind: outage, target: bank, start: 3s, duration: 2s}
objectives: [success_rate >= 1%]
"""

VARIANTS = """\
variants:
- name: plain
- name: strict
  title: An objective that cannot be met
  expect: missed
  changes:
    fault.bank.duration: 6s
    objectives: [p95(confirm) < 1ms]
"""


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
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """A scenario file with this text."""

    def write(text: str) -> Path:
        file = tmp_path / "tiny.yaml"
        file.write_text(text)
        return file

    return write
