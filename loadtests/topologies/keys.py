"""The lender's key file, lost and brought back from its copy."""

from __future__ import annotations

import shutil
from pathlib import Path

from loadtests.drill.done import Done
from loadtests.process import StackProblem
from loadtests.stack import Stack
from mocks.lender.key_ring import KeyRing, KeyRingError


class Keys:
    """The key file `file` of the lenders called `lenders`, and its copy in another folder."""

    def __init__(self, file: Path, escrow: Path, stack: Stack, lenders: tuple[str, ...]) -> None:
        self.file = file
        self._copy = escrow / file.name
        self._stack = stack
        self._lenders = lenders

    def prepare(self) -> None:
        """Make the folders, before the first lender starts."""
        for folder in (self.file.parent, self._copy.parent):
            folder.mkdir(parents=True, exist_ok=True)

    def deposit(self) -> None:
        """Copy the key file, once it is there."""
        shutil.copy2(self.file, self._copy)

    def lose(self, how: str) -> Done:
        """Remove the key file, or put another in its place (`how` wrong), and start the lenders
        anew. Raises StackProblem when one starts all the same."""
        self.file.unlink()
        if how == "wrong":
            try:
                KeyRing.create(self.file)
            except KeyRingError as error:
                raise StackProblem(str(error)) from None
        said = []
        for name in self._lenders:
            self._stack.kill(name)
            try:
                self._stack.restart(name)
            except StackProblem as problem:
                said.append(str(problem).partition(" (log:")[0])
            else:
                raise StackProblem(f"{name} started with a key file that is {how}")
        return Done("; ".join(said))

    def bring_back(self) -> Done:
        """Put the copy in place and start the lenders. Raises StackProblem."""
        shutil.copy2(self._copy, self.file)
        for name in self._lenders:
            self._stack.restart(name)
        return Done("key file from escrow, mode 0600; the lender opens its data")
