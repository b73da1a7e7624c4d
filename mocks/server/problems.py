"""Why servers do not start."""

from __future__ import annotations


class StartProblem(Exception):
    """The servers cannot start. The message is one line that says what to do."""


class PortBusy(StartProblem):
    """The port is taken by another program."""
