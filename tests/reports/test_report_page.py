from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fake_runs import make_run, record, rows, scenario

from reports.html import write_report
from reports.run_folder import RunFolder
from reports.verdict import conclude

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Text, identifiers and references of a page; fails on tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text.append(data)

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.links.append(value or "")


def _empty(base: Path) -> RunFolder:
    run = RunFolder.create(base, scenario())
    for clock in ("sim", "live"):
        run.begin(clock)
        conclude(run, clock, state="complete", wall_seconds=0.0)
    return run


def _interrupted(base: Path) -> RunFolder:
    run = RunFolder.create(base, scenario())
    record(run.begin("sim"), rows(0.0))
    conclude(run, "sim", state="complete", wall_seconds=1.0)
    record(run.begin("live"), rows(0.0, until=12.0))
    return run


RUNS: dict[str, Callable[[Path], RunFolder]] = {
    "both": make_run,
    "sim only": lambda base: make_run(base, ("sim",)),
    "live only": lambda base: make_run(base, ("live",)),
    "interrupted": _interrupted,
    "empty": _empty,
    "never run": lambda base: RunFolder.create(base, scenario()),
}


@pytest.mark.parametrize("kind", RUNS)
def test_a_report_is_whole_and_reaches_for_nothing(tmp_path: Path, kind: str) -> None:
    run = RUNS[kind](tmp_path)
    source = write_report(run).read_text()
    page = Page(source)
    assert all(link.startswith("#") for link in page.links)
    assert not re.search(r"https?:|@import|url\((?!#)", source)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)
    text = " ".join(page.text)
    assert not re.search(r"\b(nan|NaN|None|inf|Undefined)\b", text.split("The scenario")[0])
    expected = {"both": 7, "interrupted": 7, "empty": 7, "never run": 0}.get(kind, 5)
    assert source.count("<svg") == expected
    assert ("Interrupted" in text) is (kind == "interrupted")


def test_the_report_says_what_was_measured_every_time_alike(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    source = write_report(run).read_text()
    assert write_report(run).read_text() == source
    text = " ".join(Page(source).text)
    text = re.sub(r"\s+", " ", text)
    for wanted in (
        "The bank is down for a while",
        "Answers <503> & worse.",
        "Objectives missed",
        "✓ met, 2 s",
        "✗ missed",
        "arrivals offered",
        "outage-bank",
        "(simulated − live) / live",
        "Both clocks name the same causes of failure in the same order: bank_unavailable",
        "Disagreements",
        "bindrill run",
        "polars",
        "kind: outage",
    ):
        assert wanted in text, wanted


def test_text_from_the_scenario_is_escaped(tmp_path: Path) -> None:
    faults = [
        {
            "kind": "outage",
            "target": "bank",
            "name": "<b>$down$</b>",
            "start": 5,
            "duration": 5,
        }
    ]
    run = make_run(tmp_path, ("sim",), title="<script>alert(1)</script>", faults=faults)
    source = write_report(run).read_text()
    assert "<script" not in source
    assert "<b>" not in source
    assert "<b>$down$</b>" in " ".join(Page(source).text)
