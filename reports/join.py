"""The two clocks joined by customer: who ended alike, and where they disagree."""

from __future__ import annotations

import msgspec
import polars as pl

from reports.numbers import MISSING, shown
from reports.recorder import scan_events
from reports.run_folder import RunFolder, RunProblem
from reports.text_table import aligned

EXAMPLES = 5


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Customers who ended one way in virtual time and another in wall time; `examples` are the
    first few of their numbers."""

    sim_state: str
    sim_cause: str
    live_state: str
    live_cause: str
    count: int
    examples: tuple[int, ...]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """`joined` customers ended in both clocks, `agreeing` of them in the same state for the same
    cause; `share` is None when none could be joined. `sim_only` and `live_only` ended in one."""

    joined: int
    agreeing: int
    share: float | None
    sim_only: int
    live_only: int
    disagreements: tuple[Disagreement, ...]

    def table(self) -> list[tuple[str, ...]]:
        """The disagreements as text, a heading first, the most frequent at the top."""
        rows: list[tuple[str, ...]] = [("simulated", "live", "customers", "for example")]
        rows += [
            (
                f"{d.sim_state} {d.sim_cause}".strip(),
                f"{d.live_state} {d.live_cause}".strip(),
                f"{d.count:,}",
                ", ".join(str(customer) for customer in d.examples),
            )
            for d in self.disagreements
        ]
        return rows

    def lines(self) -> list[str]:
        """The result for the command line: a sentence, and the table of disagreements."""
        if self.share is None:
            return ["No customer ended in both clocks."]
        sentence = (
            f"{shown(self.share, 'share')} of {self.joined:,} customers ended in the same state for"
            f" the same cause; {self.sim_only:,} ended in the simulation only,"
            f" {self.live_only:,} in the live run only."
        )
        return [sentence, *(aligned(self.table()) if self.disagreements else [])]


def join_clocks(run: RunFolder) -> Agreement:
    """Join the `end` events of both clocks. Raises RunProblem when the run has one clock only."""
    if len(run.clocks) < 2:
        raise RunProblem(f"{run.path} was played in one clock only; two are needed for a join")
    sim, live = (_ends(run, clock) for clock in ("sim", "live"))
    both = sim.join(live, on="customer", how="full", suffix="_live", coalesce=True)
    pairs = both.filter(pl.col("state").is_not_null() & pl.col("state_live").is_not_null())
    same = (pl.col("state") == pl.col("state_live")) & (pl.col("cause") == pl.col("cause_live"))
    agreeing = pairs.filter(same).height
    kinds = ["state", "cause", "state_live", "cause_live"]
    differing = (
        pairs.filter(~same)
        .sort("customer")
        .group_by(kinds)
        .agg(pl.len().alias("count"), pl.col("customer").head(EXAMPLES).alias("examples"))
        .sort("count", *kinds, descending=[True, False, False, False, False])
    )
    return Agreement(
        joined=pairs.height,
        agreeing=agreeing,
        share=agreeing / pairs.height if pairs.height else None,
        sim_only=both.filter(pl.col("state_live").is_null()).height,
        live_only=both.filter(pl.col("state").is_null()).height,
        disagreements=tuple(
            Disagreement(
                sim_state=state,
                sim_cause=cause or MISSING,
                live_state=state_live,
                live_cause=cause_live or MISSING,
                count=count,
                examples=tuple(examples),
            )
            for state, cause, state_live, cause_live, count, examples in differing.rows()
        ),
    )


def _ends(run: RunFolder, clock: str) -> pl.DataFrame:
    ends = scan_events(run.path / clock).filter(pl.col("kind") == "end")
    columns = ends.select("customer", "ended", "state", "cause").collect(engine="streaming")
    return columns.sort("customer", "ended").unique("customer", keep="last").drop("ended")
