"""What things cost, and what is there today: the two files a plan is reckoned with."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from scenarios.demand import PLANS
from scenarios.field_numbers import Numerals, folded
from scenarios.plain_text import Line
from scenarios.section import Section
from scenarios.settings_file import load_settings
from scenarios.units import Amount, Count, PerSecond

PRICES = PLANS / "prices.yaml"
TODAY = PLANS / "today.yaml"


def _number(value: Any) -> Any:
    return Numerals().number(folded(value)) if isinstance(value, str) else value


Written = Annotated[Amount, BeforeValidator(_number)]
"""An amount, also as spreadsheets write it: `1,200`, `1.2 K`, `120万`."""
Fen = Annotated[Written, Field(description="a price in fen")]
Gigabytes = Annotated[Written, Field(description="gigabytes, 10^9 bytes")]


class DatabaseClass(Section):
    """A size of database server: durable transactions a second it takes, fen a month."""

    name: Line
    commits: PerSecond = Field(gt=0)
    month: Fen


class DatabasePrices(Section):
    """Fen a month: for a gigabyte of disk, and by class of server."""

    gb_month: Fen
    classes: tuple[DatabaseClass, ...] = Field(min_length=1)

    @field_validator("classes")
    @classmethod
    def _rising(cls, classes: tuple[DatabaseClass, ...]) -> tuple[DatabaseClass, ...]:
        for less, more in pairwise(classes):
            if more.commits <= less.commits:
                raise ValueError(f"{more.name} takes no more than {less.name}; list classes rising")
        return classes

    def class_for(self, commits: float) -> DatabaseClass | None:
        """The smallest class that takes so many transactions a second; None when none does."""
        return next((each for each in self.classes if each.commits >= commits), None)


class DocumentPrices(Section):
    """Fen a gigabyte and month of object storage."""

    gb_month: Fen


class Quota(Section):
    """Calls a second are sold in steps, fen a step and month."""

    step: PerSecond = Field(gt=0)
    month: Fen


class PartnerPrices(Section):
    """Fen for each call that counts, and for the quota of calls a second."""

    each: Fen
    quota: Quota


class Prices(Section):
    """All prices, in CNY fen (1/100 CNY). `node_month` is one lender node."""

    title: Line
    node_month: Fen
    database: DatabasePrices
    documents: DocumentPrices
    sms: PartnerPrices
    bank: PartnerPrices
    payment: PartnerPrices


class Disk(Section):
    """Gigabytes that there are, and that are used when the plan begins."""

    gb: Gigabytes
    used_gb: Gigabytes

    @model_validator(mode="after")
    def _room(self) -> Disk:
        if self.used_gb > self.gb:
            raise ValueError(
                f"used_gb {self.used_gb:g} is above gb {self.gb:g}; write what the disk holds"
            )
        return self


class Database(Disk):
    """The database of today, and the durable transactions a second its class takes."""

    commits: PerSecond


class PartnerQuota(Section):
    """What a partner allows: calls a second, and a month where that is limited."""

    rate: PerSecond
    month: Written | None = Field(default=None, description="calls a month")


class Today(Section):
    """The set-up of today."""

    title: Line
    nodes: Count = Field(ge=1)
    database: Database
    documents: Disk
    sms: PartnerQuota
    bank: PartnerQuota
    payment: PartnerQuota


def load_prices(path: Path = PRICES) -> Prices:
    """Read a price file. Raises ScenarioProblems."""
    return load_settings(path, Prices)


def load_today(path: Path = TODAY) -> Today:
    """Read a file of today's set-up. Raises ScenarioProblems."""
    return load_settings(path, Today)
