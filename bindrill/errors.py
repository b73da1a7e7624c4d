"""Problems that are the user's to mend: one clear line, no traceback."""

from __future__ import annotations

EXIT_MET = 0
EXIT_BAD_INPUT = 2
EXIT_LIMITED = 98
"""The testbed met a ceiling of its own, and no objective was judged."""
EXIT_MISSED = 99
"""Objectives missed: the code k6 uses for failed thresholds."""
EXIT_INTERRUPTED = 130


class InputProblem(Exception):
    """A command's options do not go together, or name something that is not there."""


def exit_code_of(problem: Exception) -> int:
    """The exit code of one of the `user_problems`."""
    from loadtests.calibration import AtTestbedLimit

    return EXIT_LIMITED if isinstance(problem, AtTestbedLimit) else EXIT_BAD_INPUT


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
