"""How customers come: one class for each kind of `arrivals`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from scenarios.section import Section
from scenarios.units import Number, PerSecond, Seconds


class ConstantArrivals(Section):
    """Evenly spaced."""

    kind: Literal["constant"]
    rate: PerSecond


class PoissonArrivals(Section):
    """Independent customers: exponential gaps."""

    kind: Literal["poisson"]
    rate: PerSecond


class RampArrivals(Section):
    """Poisson with a rate that goes linearly from `start` to `end` over `over`, then stays."""

    kind: Literal["ramp"]
    start: PerSecond
    end: PerSecond
    over: Seconds | None = Field(default=None, description="the whole duration if not given")


class Stage(Section):
    """One level of a staircase."""

    rate: PerSecond
    duration: Seconds


class StepArrivals(Section):
    """Poisson, one level after another; the last stays."""

    kind: Literal["steps"]
    steps: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=100_000)]


class SpikeArrivals(Section):
    """Poisson at `rate`, but `peak` in the window."""

    kind: Literal["spike"]
    rate: PerSecond
    peak: PerSecond
    at: Seconds
    duration: Seconds


class DiurnalArrivals(Section):
    """Poisson along a day: `rate` is the day's mean, `hours` the relative weight of each hour."""

    kind: Literal["diurnal"]
    rate: PerSecond
    hours: Annotated[tuple[Number, ...], Field(min_length=24, max_length=24)] = (
        *(0.35, 0.22, 0.15, 0.12, 0.12, 0.18, 0.38, 0.66, 0.95, 1.25, 1.38, 1.40),
        *(1.42, 1.30, 1.28, 1.30, 1.28, 1.25, 1.28, 1.48, 1.86, 1.76, 1.50, 1.13),
    )
    starts_at: Seconds = Field(default=0.0, description="time of day at which the run begins")

    @field_validator("hours")
    @classmethod
    def _no_negative_hour(cls, hours: tuple[float, ...]) -> tuple[float, ...]:
        if min(hours) < 0 or sum(hours) <= 0:
            raise ValueError("hours needs weights of 0 or more, not all 0")
        return hours


class RecordedArrivals(Section):
    """Arrival times from a CSV file with a column `seconds` (since the run began, rising)."""

    kind: Literal["recorded"]
    file: Path = Field(description="relative to the scenario file")
    rate: PerSecond | None = Field(
        default=None, gt=0, description="squeezes or stretches the recording to this mean rate"
    )


Arrivals = Annotated[
    ConstantArrivals
    | PoissonArrivals
    | RampArrivals
    | StepArrivals
    | SpikeArrivals
    | DiurnalArrivals
    | RecordedArrivals,
    Field(discriminator="kind"),
]
