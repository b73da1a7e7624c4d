"""Where PostgreSQL's server programs are, and who may run them."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from loadtests.process import StackProblem
from scenarios.child_environment import child_environment

OLDEST = 13
"""The oldest major version whose tools (pg_verifybackup, pg_rewind with recovery) are enough."""
INSTALL = "scripts/install-system-packages"
"""The one command, from the project's folder."""
_NEEDED = ("initdb", "postgres", "pg_ctl", "pg_basebackup", "pg_rewind", "pg_controldata")
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_ACCOUNT = "postgres"


@dataclass(frozen=True)
class Installation:
    """PostgreSQL's programs in `programs`, of major `version`, run as `user` (None: as we are)."""

    programs: Path
    version: int
    user: str | None

    def run(
        self,
        program: str,
        *arguments: str | Path,
        folder: Path,
        timeout: float,
        password: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, in `folder`. Raises StackProblem with what it said last when it
        fails or takes longer than `timeout` seconds."""
        try:
            done = subprocess.run(
                [self.programs / program, *arguments],
                cwd=folder,
                env=child_environment() | {"LC_ALL": "C", "PGPASSWORD": password},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
                user=self._account and self._account.pw_uid,
                group=self._account and self._account.pw_gid,
                extra_groups=self._account and [],
            )
        except subprocess.TimeoutExpired:
            raise StackProblem(f"{program} took longer than {timeout:.0f} s") from None
        if done.returncode:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            telling = [line for line in said if re.search(r"error|fatal|panic", line, re.I)]
            last = (telling or said or ["it said nothing"])[-1].strip()
            raise StackProblem(f"{program} failed: {last}")
        return done

    def give(self, path: Path) -> None:
        """Let the user that runs PostgreSQL own `path`."""
        if self.user is not None:
            account = pwd.getpwnam(self.user)
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)

    @property
    def _account(self) -> pwd.struct_passwd | None:
        return None if self.user is None else pwd.getpwnam(self.user)


@cache
def find_installation() -> Installation:
    """The newest PostgreSQL on this machine. Raises StackProblem, in one line, for what is missing
    and how to get it."""
    found = max(_installed(), default=None)
    if found is None:
        raise StackProblem(f"PostgreSQL's server programs are not installed: run {INSTALL}")
    version, programs = found
    if version < OLDEST:
        raise StackProblem(
            f"PostgreSQL {version} in {programs} is older than {OLDEST}: run {INSTALL}"
        )
    return Installation(programs, version, _user())


def _installed() -> Iterator[tuple[int, Path]]:
    folders = {Path(found).resolve().parent for name in _NEEDED if (found := shutil.which(name))}
    for pattern in _PLACES:
        folders.update(Path("/").glob(pattern.removeprefix("/")))
    if (config := shutil.which("pg_config")) is not None:
        asked = subprocess.run(
            [config, "--bindir"], capture_output=True, text=True, timeout=10, check=False
        )
        if asked.returncode == 0:
            folders.add(Path(asked.stdout.strip()))
    for folder in folders:
        if all((folder / name).exists() for name in _NEEDED):
            told = subprocess.run(
                [folder / "postgres", "--version"],
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            ).stdout
            if number := re.search(r"(\d+)", told):
                yield int(number.group(1)), folder


def _user() -> str | None:
    """PostgreSQL refuses to run as root, so root needs somebody to run it as."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise StackProblem(
            f"PostgreSQL does not run as root, and there is no user {_ACCOUNT} to run it as:"
            f" run {INSTALL}, or run as another user"
        ) from None
    return _ACCOUNT
