"""Problems that are the user's to mend: one clear line, no traceback."""

from __future__ import annotations

import errno
import os

EXIT_MET = 0
EXIT_BAD_INPUT = 2
EXIT_FAILED = 97
"""The run failed, or did not test what it was to test."""
EXIT_LIMITED = 98
"""The testbed met a ceiling of its own, and no objective was judged."""
EXIT_MISSED = 99
"""Objectives missed: the code k6 uses for failed thresholds."""
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141
"""Whoever read the output has gone: the code of a program that SIGPIPE ends."""

_OUT_OF_SOMETHING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
    | {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
"""What the machine refuses even where no file is named."""


class InputProblem(Exception):
    """A command's options do not go together, or name something that is not there."""


def exit_code_of(problem: Exception) -> int:
    """That of one of `user_problems`: a run that had begun failed, or the testbed was the limit, or
    else it is bad input."""
    from loadtests.calibration import AtTestbedLimit
    from loadtests.process import RunFailed

    if isinstance(problem, AtTestbedLimit):
        return EXIT_LIMITED
    return EXIT_FAILED if isinstance(problem, RunFailed) else EXIT_BAD_INPUT


def user_problems() -> tuple[type[Exception], ...]:
    """Exceptions whose message is written for the user."""
    from loadtests.calibration import AtTestbedLimit
    from loadtests.process import StackProblem
    from mocks.lender.store import StoreUnavailable
    from mocks.lender.vault import VaultError
    from mocks.server.problems import StartProblem
    from reports.run_folder import RunProblem
    from scenarios.addresses import AddressProblem
    from scenarios.problems import ScenarioProblems
    from sim.cluster import ClusterProblem
    from sim.littles_law import LittlesLawBroken

    return (
        AddressProblem,
        ClusterProblem,
        InputProblem,
        LittlesLawBroken,
        RunProblem,
        ScenarioProblems,
        StackProblem,
        StartProblem,
        StoreUnavailable,
        AtTestbedLimit,
        VaultError,
    )


def for_the_user(error: Exception) -> list[str] | None:
    """What to say of an exception, a line each; None when it is a defect, to be seen whole.

    An OSError is the user's when it names a file, or when the machine is out of something.
    """
    from scenarios.problems import ScenarioProblems

    if isinstance(error, ScenarioProblems):
        return [str(problem) for problem in error.problems]
    if isinstance(error, user_problems()):
        return [str(error)]
    if isinstance(error, OSError) and (error.filename or error.errno in _OUT_OF_SOMETHING):
        said = error.strerror or str(error)
        return [f"{_name(error.filename)}: {said}" if error.filename else said]
    return None


def _name(file: object) -> str:
    return os.fsdecode(file) if isinstance(file, bytes) else str(file)
