"""The report of the pack: one self-contained page, the same for the screen and for A4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.drills.evidence import plots
from reports.drills.evidence.answers import answers, for_a_person, moment, money
from reports.drills.evidence.checksums import Checksum
from reports.drills.evidence.dossier import Dossier
from reports.drills.evidence.listings import FINDINGS
from reports.drills.evidence.words import Words
from reports.drills.result import PHASES, Judgement, Proof, Repair
from reports.numbers import shown
from reports.page import drawing, seen

MOST_ITEMS = 150
"""Identifiers printed in one cell; the listings beside the report have them all."""

GRADES = (1, 2, 3, 4, 5, 6)

_TEMPLATES = Environment(
    loader=PackageLoader(__package__, "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=seen,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["shown"] = shown
_TEMPLATES.filters["moment"] = moment


class Measure(msgspec.Struct, frozen=True):
    """A line of the cover; `met` is None where no objective was stated."""

    name: str
    measured: str
    limit: str
    met: bool | None


class Finding(msgspec.Struct, frozen=True):
    """A line of the proof; `wrong` when there should be none and there are some."""

    name: str
    count: str
    items: tuple[str, ...] = ()
    more: int = 0
    wrong: bool = False


class RepairRow(msgspec.Struct, frozen=True):
    """Differences of one kind with the same repair and outcome; `amount_fen` is their sum."""

    kind: str
    proposal: str
    outcome: str
    items: tuple[str, ...]
    more: int
    amount_fen: int

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.items) + self.more


class PhaseRow(msgspec.Struct, frozen=True):
    """A phase with its UTC times."""

    name: str
    meaning: str
    seconds: float
    began: str
    ended: str


def evidence_page(dossier: Dossier, checksums: Sequence[Checksum], words: Words) -> str:
    """The page in the language of `words`."""
    result = dossier.result
    return _TEMPLATES.get_template("report.html.j2").render(
        t=words,
        dossier=dossier,
        result=result,
        title=words.name("drill", result.name),
        verdict=result.verdict,
        measures=_measures(dossier, words),
        answers=answers(dossier, checksums, words),
        timeline_plot=drawing(plots.timeline(dossier, words)),
        phases_plot=drawing(plots.phases(dossier, words)),
        phases=_phases(dossier, words),
        findings=_findings(result.proof, words) if result.proof else (),
        repairs=_repairs(result.reconciliation.repairs) if result.reconciliation else (),
        open_items=for_a_person(result.reconciliation),
        checksums=checksums,
        grades=GRADES,
        money=lambda fen: money(fen, words),
        css=_css_string,
        page_number=_page_number(words),
    )


def _measures(dossier: Dossier, words: Words) -> tuple[Measure, ...]:
    result, proof = dossier.result, dossier.result.proof
    unknown = words("page.unknown")
    watched = result.state == "complete" and result.fault_at is not None
    never = words("cover.never") if watched else unknown
    measured = {
        "rto": never if result.rto is None else shown(result.rto, "s"),
        "rpo": shown(result.rpo, "s") if proof else unknown,
        "lost": f"{proof.lost_bindings:,} / {proof.acknowledged:,}" if proof else unknown,
        "grade": unknown if result.grade is None else str(result.grade),
    }
    judged: dict[str, Judgement] = {each.objective: each for each in result.judgements}
    return tuple(
        Measure(
            words(f"cover.{name}"),
            value,
            judged[name].limit if name in judged else words("cover.not_judged"),
            judged[name].met if name in judged and result.judged else None,
        )
        for name, value in measured.items()
    )


def _phases(dossier: Dossier, words: Words) -> tuple[PhaseRow, ...]:
    at, rows = dossier.result.fault_at, []
    if at is None:
        return ()
    for part in sorted(dossier.result.phases, key=lambda part: PHASES.index(part.phase)):
        began, at = dossier.utc(at), at + part.seconds
        name, meaning = words(f"phase.{part.phase}"), words(f"phase_meaning.{part.phase}")
        rows.append(PhaseRow(name, meaning, part.seconds, began, dossier.utc(at)))
    return tuple(rows)


def _findings(proof: Proof, words: Words) -> tuple[Finding, ...]:
    rows = [
        Finding(words("proof.acknowledged"), shown(proof.acknowledged, "count")),
        Finding(words("proof.unknown"), shown(proof.unknown, "count")),
    ]
    for kind in FINDINGS:
        items: tuple[str, ...] = getattr(proof, kind)
        rows.append(
            Finding(
                words(f"proof.{kind}"),
                shown(len(items), "count"),
                items[:MOST_ITEMS],
                max(0, len(items) - MOST_ITEMS),
                bool(items),
            )
        )
        if kind == "lost":
            bindings = shown(proof.lost_bindings, "count")
            rows.append(Finding(words("proof.lost_bindings"), bindings))
    return tuple(rows)


def _repairs(repairs: Sequence[Repair]) -> tuple[RepairRow, ...]:
    groups: dict[tuple[str, str, str], list[Repair]] = {}
    for each in repairs:
        groups.setdefault((each.kind, each.proposal, each.outcome), []).append(each)
    return tuple(
        RepairRow(
            *group,
            tuple(each.subject for each in found[:MOST_ITEMS]),
            max(0, len(found) - MOST_ITEMS),
            sum(each.amount_fen for each in found),
        )
        for group, found in groups.items()
    )


def _css_string(text: object) -> Markup:
    """`text` as a string of CSS inside a `<style>` element."""
    safe = "".join(
        character if character.isalnum() or character in " .,:-_" else f"\\{ord(character):x} "
        for character in str(text)
    )
    return Markup(f'"{safe}"')  # noqa: S704 — every sign that could end the string is escaped


def _page_number(words: Words) -> Markup:
    before, rest = words("page.number", page="\0", pages="\1").split("\0")
    between, after = rest.split("\1")
    parts: list[Any] = [_css_string(text) for text in (before, between, after)]
    return Markup("{} counter(page) {} counter(pages) {}").format(*parts)
