"""Delay distributions, sampled by inverse CDF so that one keyed uniform gives one value."""

from __future__ import annotations

import math
from functools import cached_property
from statistics import NormalDist
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from scenarios.units import DURATION, OddNumber, Seconds, parse_duration, refuse_bare

Z99 = NormalDist().inv_cdf(0.99)
"""The standard normal's 99th percentile."""

WIDEST = 1_000_000
"""Of p99 over p50: beyond it a draw near 1 would be longer than any number."""

_inverse_normal = NormalDist().inv_cdf


class Delay(BaseModel):
    """A delay: constant (`120ms`), or log-normal by its median and 99th percentile.

    Log-normal is the usual first model of service latency and of human think time; the two
    percentiles fix it: mu = ln p50, sigma = ln(p99 / p50) / z(0.99).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    p50: Seconds
    p99: Seconds

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str | OddNumber):
            parse_duration(str(value))  # an error here names the delay, not both its percentiles
            return {"p50": value, "p99": value}
        refuse_bare(value, info, DURATION, ("s", "ms", "m"))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"p50": value, "p99": value}
        if isinstance(value, dict) and set(value) == {"p50"}:
            return {"p50": value["p50"], "p99": value["p50"]}
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        percentiles = handler.resolve_ref_schema(handler(core_schema))
        both = {**percentiles, "required": ["p50"]}
        percentiles.clear()
        percentiles.update(
            title=both.pop("title"),
            description="a constant such as 120ms, or {p50: 100ms, p99: 1s}",
            anyOf=[both["properties"]["p50"], both],
        )
        return percentiles

    @model_validator(mode="after")
    def _ordered(self) -> Delay:
        if wrong := impossible(self.p50, self.p99):
            raise ValueError(wrong)
        return self

    @cached_property
    def log_normal(self) -> tuple[float, float]:
        """Mu and sigma of the logarithm; (0, 0) for a constant."""
        if self.p50 <= 0 or self.p50 == self.p99:
            return (0.0, 0.0)
        return (math.log(self.p50), math.log(self.p99 / self.p50) / Z99)

    def at(self, uniform: float) -> float:
        """The delay in seconds at quantile `uniform` in [0, 1)."""
        mu, sigma = self.log_normal
        if sigma == 0.0:
            return self.p50
        return math.exp(mu + sigma * _inverse_normal(uniform or 2.0**-65))

    @property
    def mean(self) -> float:
        """The mean in seconds."""
        mu, sigma = self.log_normal
        return math.exp(mu + sigma * sigma / 2) if sigma else self.p50


def impossible(p50: float, p99: float) -> str | None:
    """Why no log-normal has these percentiles, with the mend; None where one has."""
    if p99 < p50:
        return "p99 is below p50; write the larger value as p99"
    if p50 == 0 < p99:
        return "p50 is 0, and so would every value be; write p50 above 0"
    if p99 > WIDEST * p50:
        return f"p99 is more than {WIDEST} times p50; write percentiles nearer to each other"
    return None


def constant(seconds: float) -> Delay:
    """A delay of `seconds`, always."""
    return lognormal(seconds, seconds)


def lognormal(p50: float, p99: float) -> Delay:
    """A log-normal delay by its median and 99th percentile in seconds."""
    return Delay.model_construct(p50=p50, p99=p99)
