"""What makes a scenario a drill: what is destroyed, how it is brought back, and what is allowed."""

from __future__ import annotations

from pydantic import Field, model_validator

from scenarios.distributions import Delay
from scenarios.drill_steps import AnyStep
from scenarios.section import Section
from scenarios.units import Count, Number, Seconds


class Probe(Section):
    """How an outage is noticed: a health check from outside."""

    every: Seconds = Field(default=0.5, gt=0, description="between two checks")
    timeout: Seconds = Field(default=1.0, gt=0, description="until a check counts as failed")
    failures: Count = Field(
        default=3, ge=1, description="failed checks in a row that make an alarm"
    )


class DrillObjectives(Section):
    """What the drill must show; a field that is left out is not judged."""

    rto: Seconds | None = Field(default=None, description="from the fault to service at objective")
    rpo: Seconds | None = Field(default=None, description="acknowledged work lost, in time")
    lost: Count | None = Field(default=None, ge=0, description="acknowledged bindings lost")
    grade: Count | None = Field(default=None, ge=1, le=6, description="GB/T 20988-2007, at least")


class Drill(Section):
    """Steps in their order, and how recovery is judged.

    Service is at its objective again once, for `stable_for`, at least `back_at` of the customers'
    requests in each second that has some were answered without a failure of the service.
    """

    probe: Probe = Probe()
    decision: Delay = Field(
        default=Delay(p50=2.0, p99=6.0), description="from the alarm to the order to act"
    )
    back_at: Number = Field(default=0.95, gt=0, le=1)
    stable_for: Seconds = Field(default=3.0, gt=0)
    objectives: DrillObjectives = DrillObjectives()
    steps: tuple[AnyStep, ...]

    @model_validator(mode="after")
    def _something_breaks(self) -> Drill:
        if not any(step.role == "destroys" for step in self.steps):
            raise ValueError("steps destroy nothing; begin with a step such as {do: kill}")
        if self.steps[0].at is None:
            raise ValueError("the first step has no time; write at: 20s")
        return self
