"""The evidence folder: its files, what they say, and that they can be checked."""

from __future__ import annotations

import csv
import hashlib
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_drill import FULL, LOST, clean, interrupted, lossy, make_drill

from mocks.masking import mask_text
from reports.drills.evidence import Lang, pdf, write_evidence
from reports.drills.evidence import pack as pack_module
from reports.drills.result import DrillResult, TimelineEntry
from reports.run_folder import RunProblem

CARD, PHONE, IDENTITY = "6216261000000000018", "13552535506", "341126197709218366"


def made(tmp_path: Path, result: DrillResult | None = None, lang: Lang = "en") -> Path:
    return write_evidence(make_drill(tmp_path, result), lang=lang, pdf=False)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of a drill that lost work, for tests that change nothing in it."""
    return made(tmp_path_factory.mktemp("runs"))


def page(folder: Path, lang: Lang = "en") -> str:
    """The report's text without markup, styles and drawings."""
    text = (folder / f"report.{lang}.html").read_text(encoding="utf-8")
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_the_folder_holds_what_an_auditor_asks_for(usual: Path) -> None:
    assert sorted(path.name for path in usual.iterdir()) == [
        "checksums.sha256", "commands.txt", "findings.csv", "repairs.csv", "report.en.html",
        "timeline.csv", "versions.txt",
    ]  # fmt: skip


def test_the_first_answers_are_those_of_the_drill(usual: Path) -> None:
    text = page(usual)
    assert "Objectives missed" in text
    assert "No: 1 of 4 objectives missed (bindings lost)." in text
    assert "Destroyed: lag replication standby, kill primary. Done: promote standby" in text
    assert "16.8 s, from 2026-03-04 01:30:20.000 to 2026-03-04 01:30:36.800" in text
    assert (
        "Yes: 21 of 341 acknowledged bindings. The oldest lost acknowledgement was given 3.217 s"
        in text
    )
    assert "1 lost and done again, 1 resurrected, 10 charged without a binding" in text
    assert "21 repairs were made and 2 differences are left for a person" in text
    assert "holds 0.01 CNY (1 fen), and that is not what the lender&#39;s records say" in text
    for identifier in LOST:
        assert identifier in text


def test_a_clean_drill_says_so(tmp_path: Path) -> None:
    text = page(made(tmp_path, clean()))
    assert "Objectives met" in text
    assert "Yes: each of the 3 objectives holds." in text
    assert "No: all 352 acknowledged bindings are there." in text
    assert "Yes, without any repair. Money is conserved to the fen." in text
    assert "✗" not in text


def test_an_interrupted_drill_claims_nothing(tmp_path: Path) -> None:
    text = page(made(tmp_path, interrupted()))
    assert "Interrupted: not a proof" in text
    assert "did not run to its end (stopped by Ctrl-C)" in text
    assert "Not known: the acknowledgements were not looked up." in text
    assert "not ended" in text
    assert "✓" not in text
    assert "No: all" not in text


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "The testbed itself was the limit, so no objective was judged"),
        ("zh", "测试平台自身达到上限，因此未作判定"),
    ],
)
def test_a_drill_that_the_testbed_kept_back_is_not_judged(
    tmp_path: Path, lang: Lang, said: str
) -> None:
    html = page(made(tmp_path, clean(limits=(FULL,), judged=False), lang), lang)
    assert said in html
    assert FULL.text in html
    assert "✓" not in html
    assert "✗" not in html


def test_the_page_fetches_nothing(usual: Path) -> None:
    text = (usual / "report.en.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!#)|@import|url\((?!["']?#)""", text)
    assert "<script" not in text
    assert "var(--" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_text_of_a_drill_is_escaped(tmp_path: Path) -> None:
    run = make_drill(tmp_path)
    # A scenario's name is checked; what a drill.json says may be anything.
    lossy(name="</style><script>", title='<script>"x"&', note="<i>").save(run)
    text = (write_evidence(run, lang="en", pdf=False) / "report.en.html").read_text("utf-8")
    assert "<script>" not in text
    assert re.sub("<svg.*?</svg>", "", text, flags=re.DOTALL).count("</style>") == 1
    assert "&lt;script&gt;" in text


def test_timeline_has_every_action_and_every_moment_in_order(usual: Path) -> None:
    with (usual / "timeline.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["utc"] for row in rows] == sorted(row["utc"] for row in rows)
    assert [row["action"] for row in rows if row["role"] != "mark"] == [
        step.do for step in lossy().timeline
    ]
    promote = next(row for row in rows if row["action"] == "promote")
    assert (promote["utc"], promote["ended_utc"]) == (
        "2026-03-04T01:30:25.600Z", "2026-03-04T01:30:31.900Z",
    )  # fmt: skip
    assert promote["took_seconds"] == "6.300"
    marks = [(row["utc"][14:23], row["phase"]) for row in rows if row["role"] == "mark"]
    assert marks == [
        ("30:20.000", ""), ("30:22.100", "detect"), ("30:25.600", "decide"), ("30:31.900", "act"),
        ("30:33.400", "warm_up"), ("30:36.800", "back"),
    ]  # fmt: skip


def test_listings_are_complete(usual: Path) -> None:
    findings = (usual / "findings.csv").read_text(encoding="utf-8").splitlines()
    assert findings.count("lost," + LOST[5]) == 1
    assert sum(line.startswith("lost,") for line in findings) == len(LOST)
    assert len((usual / "repairs.csv").read_text(encoding="utf-8").splitlines()) == 24
    commands = (usual / "commands.txt").read_text(encoding="utf-8")
    assert commands.startswith("# Started with\nbindrill drill async-failover\n")
    for step in lossy().timeline:
        for command in step.commands:
            assert f"\n{command}\n" in commands
    versions = (usual / "versions.txt").read_text(encoding="utf-8")
    assert "postgresql 17.6 (Debian 17.6-1)\n" in versions
    assert "cores: " in versions


def _check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sha256sum", "-c", "checksums.sha256"],
        cwd=folder, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_checksums_can_be_checked_and_cover_report_logs_and_events(usual: Path) -> None:
    checked = _check(usual)
    assert checked.returncode == 0, checked.stdout
    listed = {line.split("  ")[1] for line in (usual / "checksums.sha256").read_text().split("\n")
              if line}  # fmt: skip
    assert {
        "report.en.html", "timeline.csv", "../drill.json", "../run.json", "../live/logs/lender.log",
        "../live/acknowledgements/0.jsonl",
    } <= listed  # fmt: skip
    assert any(path.startswith("../live/events/part-") for path in listed)
    assert not any("keys.json" in path or path.endswith(".db") for path in listed)


def test_a_log_that_was_changed_or_removed_afterwards_is_found(tmp_path: Path) -> None:
    run = make_drill(tmp_path)
    (run / "live" / "logs" / "primary.log").write_text("nothing happened\n", encoding="utf-8")
    (run / "live" / "logs" / "standby.log").unlink()
    folder = write_evidence(run, lang="en", pdf=False)
    text = page(folder)
    assert "No: 2 files differ from their recorded checksum or are missing" in text
    assert "CHANGED since" in text
    assert "MISSING" in text
    checked = _check(folder)
    assert checked.returncode == 1
    assert "../live/logs/primary.log: FAILED" in checked.stdout
    assert "../live/logs/standby.log: FAILED open or read" in checked.stdout


def test_both_languages_lie_side_by_side(tmp_path: Path) -> None:
    run = make_drill(tmp_path)
    write_evidence(run, lang="en", pdf=False)
    folder = write_evidence(run, lang="zh", pdf=False)
    text = page(folder, "zh")
    assert "目标未达成" in text
    assert "是：341 笔已确认的绑卡中丢失 21 笔" in text
    listed = (folder / "checksums.sha256").read_text()
    assert "report.en.html" in listed
    assert "report.zh.html" in listed
    assert _check(folder).returncode == 0


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = make_drill(tmp_path)
    first = _digests(write_evidence(run, lang="zh", pdf=False))
    assert _digests(write_evidence(run, lang="zh", pdf=False)) == first


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_nothing_personal_gets_into_the_pack(tmp_path: Path) -> None:
    slip = TimelineEntry(
        do="reconcile", target="lender", role="heals", phase="act", began=70.0, ended=71.0,
        utc="2026-03-04T01:31:10.000Z",
        commands=(
            f"curl -d card={CARD} http://127.0.0.1:1/",
            "psql postgresql://bindrill:hunter2@127.0.0.1:5433/lender",
            "PGPASSWORD=hunter2 psql",
        ),
        detail=f"holder {IDENTITY}, phone {PHONE}, card 6216 2610 0000 0000 018",
    )  # fmt: skip
    folder = made(tmp_path, lossy(timeline=(*lossy().timeline, slip), note=f"card {CARD}"))
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        for secret in (CARD, PHONE, IDENTITY, "6216 2610 0000 0000 018", "hunter2"):
            assert secret not in text, path.name
        # Digests and drawings hold digits that mean nothing.
        text = re.sub(r"\b[0-9a-f]{64}\b|<svg.*?</svg>", "", text, flags=re.DOTALL)
        assert [line for line in text.splitlines() if _unmasked(line)] == [], path.name
    assert "621626*********0018" in (folder / "commands.txt").read_text(encoding="utf-8")


def _unmasked(line: str) -> bool:
    return any(mask_text(word) != word for word in re.split(r"[\s<>\"',;=]+", line))


def test_a_run_without_events_or_run_json_still_has_its_evidence(tmp_path: Path) -> None:
    run = make_drill(tmp_path, with_events=False)
    (run / "run.json").write_text("{torn", encoding="utf-8")
    text = page(write_evidence(run, lang="en", pdf=False))
    assert "the service that customers got is not shown" in text
    assert "Objectives missed" in text


def test_no_drill_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunProblem, match=r"holds no drill\.json"):
        write_evidence(tmp_path, lang="en")


def test_without_a_printer_the_page_stays_and_one_line_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "_by_weasyprint", lambda page, tell: None)
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    told: list[str] = []
    folder = write_evidence(make_drill(tmp_path), lang="en", tell=told.append)
    assert (folder / "report.en.html").is_file()
    assert not list(folder.glob("*.pdf"))
    assert len(told) == 1
    assert "scripts/install-system-packages" in told[0]
    assert "\n" not in told[0]
    assert _check(folder).returncode == 0


@pytest.mark.parametrize("problem", [OSError("cannot load library 'libpango'"), ImportError()])
def test_chromium_prints_where_weasyprint_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    printer = _program(
        tmp_path / "chromium",
        'for each; do case $each in --print-to-pdf=*) echo %PDF-1.7 > "${each#*=}";; esac; done',
    )
    monkeypatch.setattr(pdf.shutil, "which", lambda name: str(printer))
    monkeypatch.setattr("builtins.__import__", _import_that_fails(problem))
    told: list[str] = []
    folder = write_evidence(make_drill(tmp_path), lang="en", tell=told.append)
    assert told == []
    assert (folder / "report.en.pdf").read_bytes() == b"%PDF-1.7\n"


def test_a_chromium_that_fails_is_no_printer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printer = _program(tmp_path / "chromium", "exit 1")
    monkeypatch.setattr(pdf, "_by_weasyprint", lambda page, tell: None)
    monkeypatch.setattr(pdf.shutil, "which", lambda name: str(printer))
    told: list[str] = []
    folder = write_evidence(make_drill(tmp_path), lang="en", tell=told.append)
    assert len(told) == 1
    assert not list(folder.glob("*.pdf"))


def test_without_a_chinese_font_there_is_no_chinese_pdf_of_boxes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_module, "chinese_font", lambda: None)
    monkeypatch.setattr("reports.drills.evidence.plots.chinese_font", lambda: None)
    told: list[str] = []
    folder = write_evidence(make_drill(tmp_path), lang="zh", tell=told.append)
    assert not list(folder.glob("*.pdf"))
    assert len(told) == 1
    assert "fonts-noto-cjk" in told[0]
    # The reader's own fonts draw the plots' texts, which are kept as text.
    drawn = (folder / "report.zh.html").read_text(encoding="utf-8")
    assert re.search(r"<text[^>]*>自故障起的秒数</text>", drawn)


def _program(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def _import_that_fails(problem: Exception) -> Callable[..., Any]:
    real = __import__

    def failing(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "weasyprint":
            raise problem
        return real(name, *arguments, **named)

    return failing
