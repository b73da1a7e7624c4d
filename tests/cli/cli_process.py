"""The command line in a process of its own, and a scenario of three seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
BINDRILL = (sys.executable, "-m", "bindrill")
QUICK = """\
name: quick
title: "[/x] [red]t[/red]"
duration: 3s
drain: 8s
arrivals: {kind: constant, rate: 2/s}
journey: {pace: 0.02, come_back: 0}
world:
  sms: {limits: {minute: 10}, carrier: {delay: 200ms, loss: 0}}
faults:
  - {kind: latency, target: bank, name: "[/x]$a_b$", delay: 100ms, start: 1s}
"""


def run(
    *arguments: str | bytes | Path,
    folder: Path,
    before: Callable[[], object] | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in `folder`; `before` happens in the process first."""
    return subprocess.run(
        [*BINDRILL, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        preexec_fn=before,
        timeout=120,
        check=False,
    )
