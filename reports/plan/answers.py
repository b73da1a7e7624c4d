"""The one page of answers, as texts: for the top of the page, and for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from reports.numbers import shown
from reports.plan.buying import AHEAD, purchases
from reports.plan.models import FAR, apart
from reports.plan.result import CostPart, MonthPlan, NodeModel, Plan, Range, Resource, RunOut, Swing
from reports.words import Words

PACKAGE = "reports.plan"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: the question, the answer, and what there is to say of it. `look` is a class of
    the page's style."""

    question: str
    answer: str
    details: tuple[str, ...]
    look: str


def money(fen: float, words: Words) -> str:
    """An amount for people, to about three digits."""
    yuan = float(f"{fen / 100:.4g}")
    if words.lang == "zh":
        return f"{yuan / 1e4:,.4g} 万元" if abs(yuan) >= 1e4 else f"{yuan:,.0f} 元"
    return f"CNY {yuan / 1e6:,.4g} million" if abs(yuan) >= 1e6 else f"CNY {yuan:,.0f}"


def amount(resource: Resource, value: float, words: Words) -> str:
    """So much of a resource, for people."""
    if resource.endswith("_gb"):
        return f"{value / 1000:,.3g} TB" if value >= 1000 else f"{value:,.0f} GB"
    if resource == "nodes" or resource.startswith("connections"):
        return f"{value:,.0f}"
    if resource.endswith("_month"):
        if words.lang == "zh":
            return f"{value / 1e4:,.4g} 万"
        return f"{value / 1e6:,.3g} M" if value >= 1e6 else f"{value:,.0f}"
    return shown(value, "/s")


def between(low: str, high: str, words: Words) -> str:
    """Both ends of an interval."""
    return words("page.to", low=low, high=high)


def changed(swing: Swing, end: Literal["low", "high"], words: Words) -> str:
    """By how much an assumption is changed at one end."""
    sign = "-" if end == "low" else "+"
    key = "swing.points" if swing.points else "swing.share"
    return words(key, sign=sign, size=f"{swing.change * 100:g}")


def money_range(fen: Range, words: Words) -> str:
    """The interval of an amount of money."""
    return words(
        "page.interval", range=between(money(fen.low, words), money(fen.high, words), words)
    )


def day(date: str | None, plan: Plan, words: Words) -> str:
    """A date, or that it lies beyond the plan."""
    return date or words("page.beyond", last=plan.months[-1].month)


def cards(plan: Plan, words: Words) -> tuple[Card, ...]:
    """The answers in the order in which they are asked."""
    return (
        _runs_out(plan, words),
        _bare(plan, words),
        _next(plan, words),
        _nodes(plan, words),
        _cost(plan, words),
        _sure(plan, words),
    )


def answer_lines(plan: Plan, words: Words) -> list[str]:
    """What the command line prints: the answers, then what to buy."""
    lines = [""]
    for card in cards(plan, words):
        lines.append(f"{card.question}: {card.answer}")
        lines += [f"  {detail}" for detail in card.details]
    lines += ["", words("buy.heading")]
    rows = buy_rows(plan, words)
    lines += [f"  {month}  {what}" for month, _, what in rows]
    return lines if rows else [*lines, f"  {words('buy.nothing')}"]


def buy_rows(plan: Plan, words: Words) -> list[tuple[str, str, str]]:
    """Month, what makes its peak, and all that is bought in it."""
    rows = []
    for month, steps in purchases(plan):
        what = words("buy.join").join(
            words(
                "buy.step",
                resource=words(f"resource.{name}"),
                before=amount(name, before, words),
                after=amount(name, after, words),
            )
            for name, before, after in steps
        )
        rows.append((month.month, events(month, words), what))
    return rows


def buy_about(plan: Plan, words: Words) -> str:
    """What a purchase is meant to last for."""
    return words(
        "buy.about",
        months=AHEAD,
        headroom=shown(plan.reserve.headroom, "share"),
        degraded=shown(plan.reserve.degraded, "share"),
    )


def events(month: MonthPlan, words: Words) -> str:
    """The month's events by their names."""
    return words("page.and").join(words.name("event", event) for event in month.events)


def _runs_out(plan: Plan, words: Words) -> Card:
    first, last = plan.first_out, plan.months[-1].month
    if first is None:
        return Card(
            question=words("answer.runs_out"),
            answer=words("answer.never"),
            details=(words("answer.never_of", last=last),),
            look="met",
        )
    month = next(m for m in plan.months if m.month == (first.date or "")[:7])
    return Card(
        question=words("answer.runs_out"),
        answer=words("answer.runs_out_on", date=first.date),
        details=(
            words(
                "answer.runs_out_of",
                resource=_all_at(plan.run_out, first, words),
                need=amount(first.resource, month.needed[first.resource].value, words),
                has=amount(first.resource, first.has, words),
            ),
            _range(first, plan, words),
        ),
        look="missed",
    )


def _all_at(found: Sequence[RunOut], first: RunOut, words: Words) -> str:
    names = [words(f"resource.{each.resource}") for each in found if each.date == first.date]
    return words("page.and").join(names)


def _range(each: RunOut, plan: Plan, words: Words) -> str:
    return words(
        "answer.range_early", early=day(each.early, plan, words), late=day(each.late, plan, words)
    )


def _bare(plan: Plan, words: Words) -> Card:
    first = plan.bare[0]
    if first.date is None:
        return Card(
            question=words("answer.bare"),
            answer=words("answer.never"),
            details=(words("answer.bare_never"),),
            look="met",
        )
    return Card(
        question=words("answer.bare"),
        answer=first.date,
        details=(
            words("answer.bare_of", resource=_all_at(plan.bare, first, words)),
            _range(first, plan, words),
        ),
        look="missed",
    )


def _next(plan: Plan, words: Words) -> Card:
    """The first purchase; the table has the rest."""
    rows = buy_rows(plan, words)
    if not rows:
        nothing = words("buy.nothing")
        return Card(question=words("answer.next"), answer=nothing, details=(), look="met")
    month, event, what = rows[0]
    return Card(
        question=words("answer.next"),
        answer=month,
        details=(what, words("answer.next_event", event=event or words("page.none"))),
        look="interrupted",
    )


def _nodes(plan: Plan, words: Words) -> Card:
    top = max(plan.months, key=lambda month: month.peak.value)
    needed = top.needed["nodes"]
    node = plan.profile.node
    spread = between(shown(node.low, "/s"), shown(node.high, "/s"), words)
    return Card(
        question=words("answer.buy"),
        answer=amount("nodes", top.bought["nodes"], words),
        details=(
            words(
                "page.interval",
                range=between(f"{needed.low:.0f}", f"{needed.high:.0f}", words),
            ),
            words(
                "answer.buy_of",
                peak=f"{top.peak.value:.3g}",
                month=top.month,
                node=f"{shown(node.value, '/s')} ({spread})",
            ),
            words("answer.buy_today", today=f"{plan.has['nodes']:.0f}"),
        ),
        look="met" if top.bought["nodes"] <= plan.has["nodes"] else "interrupted",
    )


def _cost(plan: Plan, words: Words) -> Card:
    first, last = plan.months[0], plan.months[-1]
    parts: dict[CostPart, float] = {}
    for month in plan.months:
        for part, cost in month.cost.items():
            parts[part] = parts.get(part, 0.0) + cost.value
    total = plan.total
    most = max(parts, key=lambda part: parts[part])
    share = parts[most] / total.value if total.value else 0.0
    return Card(
        question=words("answer.cost", count=len(plan.months)),
        answer=money(total.value, words),
        details=(
            money_range(total, words),
            words(
                "answer.cost_of",
                first=money(first.total.value, words),
                first_month=first.month,
                last=money(last.total.value, words),
                last_month=last.month,
            ),
            words("answer.cost_most", part=words(f"part.{most}"), share=f"{share:.0%}"),
        ),
        look="plain",
    )


def _sure(plan: Plan, words: Words) -> Card:
    held = sum(each.held for each in plan.confirmations)
    count = len(plan.confirmations)
    verdict = "sure_yes" if plan.confirmed and count else "sure_no" if count else "sure_none"
    details = [words("answer.sure_held", held=held, count=count)] if count else []
    details += [_agreement(plan.models, words), _covered(plan, words)]
    short = [month.month for month in plan.months if month.database_class is None]
    if short:
        details.append(words("answer.sure_class", months=words("page.and").join(short)))
    look = "met" if verdict == "sure_yes" and not short else "missed"
    if look == "met" and apart(plan.models) > FAR:
        verdict, look = "sure_but", "interrupted"
    return Card(
        question=words("answer.sure"),
        answer=words(f"answer.{verdict}"),
        details=tuple(details),
        look=look,
    )


def _agreement(models: Sequence[NodeModel], words: Words) -> str:
    far = apart(models)
    if far <= FAR:
        return words("answer.sure_agree", share=f"{FAR:.0%}")
    named = words("page.and").join(
        f"{words(f'model.{each.model}')} {shown(each.value, '/s')}"
        for each in models
        if each.trusted
    )
    return words("answer.sure_apart", share=f"{far:.0%}", models=named)


def _covered(plan: Plan, words: Words) -> str:
    """Until when the high end of demand stays within the headroom over expected demand."""
    margin = 1 + plan.reserve.headroom
    covered = [month for month in plan.months if month.peak.high <= month.peak.value * margin]
    until = words("answer.sure_all")
    if len(covered) < len(plan.months):
        last = covered[-1].month if covered else words("page.none")
        until = words("answer.sure_until", month=last)
    return words("answer.sure_demand", headroom=shown(plan.reserve.headroom, "share"), until=until)
