"""The variants of a scenario in one run: their folders, verdicts, and paired comparison.

`<run>/variants/<name>/` is a run's folder of its own, with one `run.json`, `sim/` and `live/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from reports.intervals import Interval, interval, paired
from reports.key_figures import KeyFigure, key_figures
from reports.numbers import MISSING, Unit, shown
from reports.replications import figures_of, read_replications
from reports.run_folder import CLOCKS, Clock, RunFolder
from reports.text_table import aligned
from reports.verdict import CLOCK_NAMES, said, summary_of
from scenarios.schema import Scenario, Variant

Expectation = Literal["as expected", "not as expected", "limited", "interrupted", "failed"]
"""Whether variants met or missed their objectives as their scenario says that they should;
`limited`: the testbed was the limit, so that they were not judged."""

_WORST: tuple[Expectation, ...] = (
    "failed",
    "interrupted",
    "limited",
    "not as expected",
    "as expected",
)


class Played(msgspec.Struct, frozen=True):
    """A variant and the folder of its run."""

    variant: Variant
    run: RunFolder


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one variant: its mean over the `of` replications that have the figure (None
    where none has a value), and the paired difference to the first variant (None for the first)."""

    mean: Interval | None
    of: int
    difference: Interval | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of all variants, in their order."""

    figure: KeyFigure
    cells: tuple[Cell, ...]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """All variants in one clock; `replications` is the most that any was played."""

    clock: Clock
    name: str
    variants: tuple[Played, ...]
    replications: int
    rows: tuple[Row, ...]


def create_variant(run: RunFolder, variant: Variant, scenario: Scenario) -> RunFolder:
    """Make `<run>/variants/<name>` for the variant's scenario."""
    path = run.path / "variants" / variant.name
    path.mkdir(parents=True)
    record = msgspec.structs.replace(
        run.record, scenario=scenario.model_dump(mode="json", by_alias=True), clocks={}
    )
    made = RunFolder(path, record, scenario)
    made.save()
    return made


def played_variants(run: RunFolder) -> tuple[Played, ...]:
    """The variants that were played in `run`, in the order of the scenario. Raises RunProblem."""
    return tuple(
        Played(variant, RunFolder.open(path))
        for variant in run.scenario.variants
        if (path := run.path / "variants" / variant.name).is_dir()
    )


def expectation_of(played: Played) -> Expectation:
    """Whether the variant came out as expected in every clock."""
    found: set[Expectation] = set()
    for clock in played.run.clocks:
        summary_of(played.run, clock)  # settles a run that was killed
        match played.run.record.clocks[clock].verdict:
            case "failed" | "limited" as verdict:
                found.add(verdict)
            case "met" | "missed" as verdict:
                fits = verdict == played.variant.expect
                found.add("as expected" if fits else "not as expected")
            case _:
                found.add("interrupted")
    return next((each for each in _WORST if each in found), "interrupted")


def expectation_of_all(variants: Sequence[Played]) -> Expectation:
    """The worst of the variants."""
    found = {expectation_of(played) for played in variants}
    return next((each for each in _WORST if each in found), "interrupted")


def compare_variants(variants: Sequence[Played], clock: Clock) -> Compared | None:
    """The variants that were played in `clock`; None of none."""
    here = tuple(played for played in variants if clock in played.run.clocks)
    if not here:
        return None
    values = [_Values(played.run, clock) for played in here]
    rows = []
    for figure in key_figures([played.run.scenario for played in here]):
        found = [each.of(figure.path) for each in values]
        if figure.absent or any(v is not None for each in found for v in each.values()):
            rows.append(Row(figure=figure, cells=_cells(found)))
    return Compared(
        clock=clock,
        name=CLOCK_NAMES[clock],
        variants=here,
        replications=max(len(each.numbers) for each in values),
        rows=tuple(rows),
    )


def shown_mean(cell: Cell, row: Row) -> str:
    """A figure for people, with its interval and how many replications had a value."""
    if cell.mean is None:
        return (row.figure.absent or MISSING) if cell.of else MISSING
    text = shown(cell.mean.mean, row.figure.unit)
    if cell.mean.half_width is not None:
        text += f" ± {shown(cell.mean.half_width, row.figure.unit)}"
    return text if cell.mean.count == cell.of else f"{text} ({cell.mean.count} of {cell.of})"


def shown_difference(cell: Cell, row: Row) -> str:
    """The difference with its sign and interval; shares in percentage points (pp)."""
    difference, unit = cell.difference, row.figure.unit
    if difference is None:
        return MISSING
    sign = "−" if difference.mean < 0 else "+"
    text = f"{sign}{_size(abs(difference.mean), unit)}"
    if difference.half_width is not None:
        text += f" ± {_size(difference.half_width, unit)}"
    return text


def variant_lines(variants: Sequence[Played]) -> list[str]:
    """What the command line prints: a line a variant and clock, then the tables of figures."""
    lines = []
    for played in variants:
        lines.append(
            f"{played.variant.name}: {expectation_of(played)} (objectives should be"
            f" {played.variant.expect})"
        )
        lines += [
            f"  {CLOCK_NAMES[clock]}: {said(played.run, clock)}" for clock in played.run.clocks
        ]
    for clock in CLOCKS:
        compared = compare_variants(variants, clock)
        if compared is not None:
            lines += ["", *_tables(compared)]
    return lines


class _Values:
    """Figures of one clock of one run by number of the replication; number 0 of a single run."""

    def __init__(self, run: RunFolder, clock: Clock) -> None:
        self._replications = read_replications(run.clock_folder(clock))
        self._single = {} if self._replications else figures_of(summary_of(run, clock))
        self.numbers = (
            [each.number for each in self._replications.replications] if self._replications else [0]
        )

    def of(self, figure: str) -> dict[int, float | None]:
        if self._replications is not None:
            return self._replications.values(figure)
        return {0: self._single[figure]} if figure in self._single else {}


def _cells(found: Sequence[dict[int, float | None]]) -> tuple[Cell, ...]:
    base = found[0]
    cells = []
    for nth, values in enumerate(found):
        common = sorted(base.keys() & values.keys())
        difference = (
            paired([base[number] for number in common], [values[number] for number in common])
            if nth
            else None
        )
        mean = interval(list(values.values()))
        cells.append(Cell(mean=mean, of=len(values), difference=difference))
    return tuple(cells)


def _size(value: float, unit: Unit) -> str:
    return shown(value, unit).replace("%", "pp")


def _tables(compared: Compared) -> list[str]:
    names = [played.variant.name for played in compared.variants]
    times = f", {compared.replications} replications" if compared.replications > 1 else ""
    lines = [f"{compared.name}{times}"]
    lines += aligned(
        [
            ["", *names],
            *(
                [row.figure.name, *(shown_mean(cell, row) for cell in row.cells)]
                for row in compared.rows
            ),
        ]
    )
    if len(names) > 1:
        lines += ["", f"Difference to {names[0]}, paired"]
        lines += aligned(
            [
                ["", *names[1:]],
                *(
                    [row.figure.name, *(shown_difference(cell, row) for cell in row.cells[1:])]
                    for row in compared.rows
                ),
            ]
        )
    return lines
