"""One run on disk: `runs/<scenario>-<YYYYmmdd-HHMMSS>/` and its `run.json`."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import psutil
from pydantic import ValidationError

from scenarios.ceilings.met import Met
from scenarios.passwords import command_line
from scenarios.printed_text import printed_text
from scenarios.schema import Scenario
from scenarios.whole_file import write_whole

T = TypeVar("T")

Clock = Literal["sim", "live"]
CLOCKS: tuple[Clock, ...] = ("sim", "live")
"""Virtual time and wall time, as folders are called."""

State = Literal["running", "complete", "interrupted", "failed"]
Verdict = Literal["met", "missed", "limited", "interrupted", "failed"]
"""`limited`: the testbed met a ceiling of its own, so that no objective was judged."""

_LIBRARIES = ("bindrill", "simpy", "locust", "aiohttp", "polars", "numpy", "sqlalchemy", "uvloop")


PRIVATE = 0o700
"""Rights of folders of runs, which hold databases, keys and logs."""


class RunProblem(Exception):
    """A run cannot be made or read; the message is one line for the user."""


class ClockRecord(msgspec.Struct, kw_only=True):
    """What `run.json` says of one clock.

    `wall_seconds` is how long it took; `planned` the arrivals scheduled for the whole run, where
    known. A state that stays `running` is that of a run which was killed. `limits`: ceilings of the
    testbed's own that were met (`scenarios.ceilings`); `judged`: whether objectives were, in spite
    of them.
    """

    state: State = "running"
    wall_seconds: float = 0.0
    planned: int | None = None
    verdict: Verdict | None = None
    note: str = ""
    limits: tuple[Met, ...] = ()
    judged: bool = True


class RunRecord(msgspec.Struct, kw_only=True):
    """`run.json`. `scenario` is the scenario as resolved, in the form that loads again."""

    format: int = 1
    scenario: dict[str, Any]
    seed: int
    started: str
    command: str
    versions: dict[str, str]
    machine: dict[str, Any]
    clocks: dict[str, ClockRecord] = {}


class RunFolder:
    """A run's folder. `create` makes one, `open` reads one."""

    def __init__(self, path: Path, record: RunRecord, scenario: Scenario) -> None:
        self.path = path
        self.record = record
        self.scenario = scenario

    @classmethod
    def create(
        cls,
        base: Path,
        scenario: Scenario,
        *,
        command: Sequence[str] = (),
        started: datetime | None = None,
    ) -> RunFolder:
        """Make `base/<scenario>-<YYYYmmdd-HHMMSS>` (UTC) with its `run.json`.

        An existing folder is never used again: a second run in one second gets `-2`, and so on.
        `command` is what the user typed, for the report. Raises RunProblem.
        """
        started = (started or datetime.now(UTC)).astimezone(UTC)
        record = RunRecord(
            scenario=scenario.model_dump(mode="json", by_alias=True),
            seed=scenario.seed,
            started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            command=command_line(command),
            versions=_versions(),
            machine=_machine(),
        )
        path = new_folder(base, f"{scenario.name}-{started:%Y%m%d-%H%M%S}")
        run = cls(path, record, scenario)
        run.save()
        return run

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Read a run. Raises RunProblem when there is none, or an unreadable one."""
        file = path / "run.json"
        check_spelling(path)
        if not path.is_dir():
            raise RunProblem(
                f"{path} is not a folder; give a run's folder, such as runs/baseline-…"
            )
        try:
            record = msgspec.json.decode(file.read_bytes(), type=RunRecord)
            scenario = Scenario.model_validate(record.scenario)
        except FileNotFoundError:
            raise RunProblem(f"{path} holds no run.json; give a run's folder") from None
        except (OSError, msgspec.MsgspecError) as error:
            raise RunProblem(f"{file} cannot be read: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RunProblem(
                f"{file} holds a scenario of another version: {where}: {first['msg']}"
            ) from None
        return cls(path, record, scenario)

    def save(self) -> None:
        """Write `run.json`, whole or not at all."""
        write_record(self.path / "run.json", self.record, order="sorted", indent=2)

    def clock_folder(self, clock: Clock) -> Path:
        """Where one clock's events, summary and logs go."""
        return self.path / clock

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """The clocks that this run was played in, virtual time first."""
        return tuple(clock for clock in CLOCKS if clock in self.record.clocks)

    def begin(self, clock: Clock, *, planned: int | None = None) -> Path:
        """Note that a clock starts, with its number of scheduled arrivals; returns its folder."""
        folder = self.clock_folder(clock)
        folder.mkdir(exist_ok=True)
        self.record.clocks[clock] = ClockRecord(planned=planned)
        self.save()
        return folder


def write_record(
    path: Path, record: Any, *, order: Literal["sorted"] | None = None, indent: int = 1
) -> Path:
    """Write `record` as JSON that people can read, whole or not at all; returns `path`. Keys stand
    in the record's own order unless they are to be sorted."""
    encoded = msgspec.json.encode(record, order=order)
    write_whole(path, msgspec.json.format(encoded, indent=indent) + b"\n")
    return path


def read_record(path: Path, kind: type[T], *, missing: str) -> T:
    """Read what `write_record` wrote. Raises RunProblem: `missing` when there is no such file, or
    why it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise RunProblem(missing) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise RunProblem(f"{path} cannot be read: {error}") from None


def new_folder(base: Path, name: str) -> Path:
    """Make `base/name`, for its owner alone, or `base/name-2` and so on where it exists. Raises
    RunProblem."""
    check_spelling(base)
    for number in range(1, 1000):
        path = base / (name if number == 1 else f"{name}-{number}")
        try:
            base.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            path.mkdir(mode=PRIVATE)
        except FileExistsError:
            if not base.is_dir():
                raise RunProblem(f"{path} cannot be made: {base} is not a folder") from None
            continue
        except OSError as error:
            raise RunProblem(f"{path} cannot be made: {error.strerror}") from None
        return path
    raise RunProblem(f"{base} holds too many runs called {name}")


def check_spelling(path: Path) -> None:
    """Raises RunProblem for a path that is not text: tables are read by a library that takes no
    other names."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise RunProblem(
            f"{printed_text(str(path))} is not UTF-8 text; give a folder whose name is"
        ) from None


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _machine() -> dict[str, Any]:
    return {
        "cores": len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "platform": platform.platform(terse=True),
        "machine": platform.machine(),
    }
