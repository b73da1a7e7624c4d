"""What every part of a scenario file has in common."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import AfterValidator, BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a scenario: unknown fields are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


def one_of(known: Iterable[str]) -> AfterValidator:
    """Keys of a table by operation or gateway: a typo would be a setting that does nothing."""
    names = tuple(known)

    def check(key: str) -> str:
        if key not in names:
            raise ValueError(f"{key!r} is not known here; write {', '.join(names)}")
        return key

    return AfterValidator(check)
