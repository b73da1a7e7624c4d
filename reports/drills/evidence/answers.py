"""The first page after the cover: what everybody asks first, answered in a sentence each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reports.drills.evidence.checksums import Checksum
from reports.drills.evidence.dossier import Dossier
from reports.drills.evidence.listings import FINDINGS
from reports.drills.evidence.words import Words
from reports.drills.result import Agreeing, DrillResult, Proof, Repair
from reports.numbers import shown
from scenarios.ceilings.judge import in_words


class Answer(msgspec.Struct, frozen=True):
    """`good` is None where the answer is neither good nor bad news."""

    question: str
    text: str
    good: bool | None


def answers(dossier: Dossier, checksums: Sequence[Checksum], words: Words) -> tuple[Answer, ...]:
    """Each question with its answer, the verdict first."""
    result = dossier.result
    return (
        _met(result, words),
        _done(result, words),
        _down(dossier, words),
        _lost(result.proof, words),
        _wrong(result.proof, words),
        _agree(result.reconciliation, words),
        _decide(result.reconciliation, words),
        _files(checksums, words),
    )


def for_a_person(agreeing: Agreeing | None) -> tuple[Repair, ...]:
    """Differences that reconciliation did not settle."""
    return tuple(each for each in agreeing.repairs if each.outcome != "done") if agreeing else ()


def moment(utc: str) -> str:
    """A UTC time as people read it, which a narrow column can break after the date."""
    return utc.replace("T", " ").removesuffix("Z")


def money(fen: int, words: Words) -> str:
    """An amount in yuan and in fen."""
    sign, size = "-" if fen < 0 else "", abs(fen)
    return words("money.amount", yuan=f"{sign}{size // 100:,}.{size % 100:02}", fen=f"{fen:,}")


def _met(result: DrillResult, words: Words) -> Answer:
    question, stated = words("answers.met_q"), result.judgements
    if result.state != "complete":
        note = result.note or words("page.unknown")
        return Answer(question, words("answers.met_incomplete", note=note), False)
    if not result.judged:
        limits = in_words(result.limits)
        return Answer(question, words("answers.met_limited", limits=limits), False)
    if not stated:
        return Answer(question, words("answers.met_none"), None)
    missed = [each.objective for each in stated if not each.met]
    if not missed:
        return Answer(question, words("answers.met_yes", count=len(stated)), True)
    names = words("page.and").join(words.name("measure", name) for name in missed)
    text = words("answers.met_no", missed=len(missed), count=len(stated), names=names)
    return Answer(question, text, False)


def _done(result: DrillResult, words: Words) -> Answer:
    names: dict[str, list[str]] = {"destroys": [], "heals": []}
    for step in result.timeline:
        if step.phase == "act":  # to notice and to decide is told by the phases
            name = f"{words.name('do', step.do)} {words.name('party', step.target)}".strip()
            names[step.role].append(name)
    joined = {
        role: words("page.and").join(found) or words("page.none") for role, found in names.items()
    }
    text = words("answers.done", destroyed=joined["destroys"], healed=joined["heals"])
    return Answer(words("answers.done_q"), text, None)


def _down(dossier: Dossier, words: Words) -> Answer:
    result, question = dossier.result, words("answers.down_q")
    if result.fault_at is None:
        return Answer(question, words("answers.down_unfelt"), None)
    if result.rto is None and result.state != "complete":
        return Answer(question, words("answers.down_unknown"), False)
    if result.rto is None:
        return Answer(question, words("answers.down_no"), False)
    back = result.fault_at + result.rto
    said = {
        "rto": shown(result.rto, "s"),
        "fault": moment(dossier.utc(result.fault_at)),
        "back": moment(dossier.utc(back)),
    }
    if not result.phases:
        return Answer(question, words("answers.down_plain", **said), None)
    longest = max(result.phases, key=lambda part: part.seconds)
    phase, seconds = words.name("phase", longest.phase), shown(longest.seconds, "s")
    return Answer(question, words("answers.down_yes", **said, phase=phase, seconds=seconds), None)


def _lost(proof: Proof | None, words: Words) -> Answer:
    question = words("answers.lost_q")
    if proof is None:
        return Answer(question, words("answers.lost_unknown"), False)
    acknowledged = shown(proof.acknowledged, "count")
    if not proof.lost:
        return Answer(question, words("answers.lost_no", acknowledged=acknowledged), True)
    seconds = f"{proof.lost_seconds:.3f} s"  # to the millisecond: the two are close together
    if not proof.lost_bindings:
        lost = shown(len(proof.lost), "count")
        text = words(
            "answers.lost_applicants", lost=lost, acknowledged=acknowledged, seconds=seconds
        )
        return Answer(question, text, False)
    text = words(
        "answers.lost_yes",
        lost=shown(proof.lost_bindings, "count"),
        acknowledged=acknowledged,
        seconds=seconds,
        kept=f"{proof.kept_seconds:.3f} s",
    )
    return Answer(question, text, False)


def _wrong(proof: Proof | None, words: Words) -> Answer:
    question = words("answers.wrong_q")
    if proof is None:
        return Answer(question, words("answers.lost_unknown"), False)
    counts = {kind: len(getattr(proof, kind)) for kind in FINDINGS if kind != "lost"}
    found = [words(f"short.{kind}", count=count) for kind, count in counts.items() if count]
    if not found:
        return Answer(question, words("answers.wrong_no"), True)
    text = words("answers.wrong_yes", found=words("page.and").join(found))
    return Answer(question, text, False)


def _agree(agreeing: Agreeing | None, words: Words) -> Answer:
    question = words("answers.agree_q")
    if agreeing is None:
        return Answer(question, words("answers.agree_unknown"), False)
    done = sum(each.outcome == "done" for each in agreeing.repairs)
    books = words("answers.agree_left", done=done, left=agreeing.left)
    if not agreeing.left:
        books = words("answers.agree_yes", done=done) if done else words("answers.agree_as_is")
    held = money(agreeing.charged_fen - agreeing.refunded_fen, words)
    kept = words("answers.agree_money_kept")
    if not agreeing.conserved:
        kept = words("answers.agree_money_wrong", held=held)
    good = not agreeing.left and agreeing.conserved
    return Answer(question, words("page.sentences", first=books, second=kept), good)


def _decide(agreeing: Agreeing | None, words: Words) -> Answer:
    question, open_items = words("answers.decide_q"), for_a_person(agreeing)
    if agreeing is None:
        return Answer(question, words("answers.agree_unknown"), False)
    if not open_items:
        return Answer(question, words("answers.decide_none"), True)
    return Answer(question, words("answers.decide_some", count=len(open_items)), False)


def _files(checksums: Sequence[Checksum], words: Words) -> Answer:
    question = words("answers.files_q")
    recorded = [each for each in checksums if each.state != "hashed now"]
    differing = [each for each in recorded if each.state != "as recorded"]
    if differing:
        return Answer(question, words("answers.files_no", count=len(differing)), False)
    if not recorded:
        return Answer(question, words("answers.files_none"), None)
    return Answer(question, words("answers.files_yes", count=len(recorded)), True)
