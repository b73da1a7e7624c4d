"""What the locustfile is told by its environment."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from scenarios.addresses import server_url

DEFAULT_SCENARIO = "baseline"
DEFAULT_SMS_URL = "http://127.0.0.1:8082"
UNTESTED = 97
"""Locust's exit code for a test that did not test what it was to test, as `bindrill` has it."""


class Settings(msgspec.Struct, frozen=True):
    """`BINDRILL_SCENARIO`: a scenario's file or name. `BINDRILL_SMS_URL`: the SMS gateway at whose
    handset inbox customers read their codes. `BINDRILL_EVENTS`: the folder below which events are
    recorded; none, no recording. `BINDRILL_ORIGIN`: when the schedule starts, in seconds since the
    epoch; a second after the test's start if not given. `BINDRILL_PROGRESS`: a file that gets a
    line of JSON (`loadtests.overview.Look`) a second. `BINDRILL_FOREIGN`: true for a lender that is
    a team's own, whose refusal of every customer ends the test early."""

    scenario: str = DEFAULT_SCENARIO
    sms_url: str = DEFAULT_SMS_URL
    events: Path | None = None
    origin: float | None = None
    progress: Path | None = None
    foreign: bool = False

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the variables. Raises ValueError, naming the variable, on a bad one."""
        sms_url = os.environ.get(_variable("sms_url"))
        if sms_url:
            server_url(_variable("sms_url"), sms_url, DEFAULT_SMS_URL)
        variables = {
            field: value
            for field in cls.__struct_fields__
            if (value := os.environ.get(_variable(field)))
        }
        try:
            return msgspec.convert(variables, cls, strict=False, dec_hook=_path)
        except msgspec.ValidationError:
            if variables.get("foreign", "true").lower() not in ("true", "false", "1", "0"):
                raise ValueError(
                    f"BINDRILL_FOREIGN is {variables['foreign']!r}; write true or false"
                ) from None
            raise ValueError(
                f"BINDRILL_ORIGIN is {variables['origin']!r}; write seconds since the epoch"
            ) from None

    def as_environment(self) -> dict[str, str]:
        """All variables, as `from_environment` reads them; empty where there is no setting."""
        values = {field: getattr(self, field) for field in self.__struct_fields__}
        return {_variable(f): "" if value is None else str(value) for f, value in values.items()}


def _variable(field: str) -> str:
    return f"BINDRILL_{field.upper()}"


def _path(_: type, value: str) -> Path:
    return Path(value)
