"""The printed report: the right glyphs, inside the page, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fake_drill import lossy, make_drill, repairs, timeline

from reports.drills.evidence import LANGUAGES, Lang, write_evidence
from reports.drills.evidence.pdf import write_pdf
from reports.drills.result import Agreeing, Repair, TimelineEntry
from reports.fonts import chinese_font

pdfium = pytest.importorskip("pypdfium2")
try:
    import weasyprint  # noqa: F401
except (ImportError, OSError) as missing:
    pytest.skip(f"WeasyPrint does not load: {missing}", allow_module_level=True)

A4 = (595.3, 841.9)
LONG = "/srv/" + "a-very-long-folder-name/" * 9 + "x" * 130


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of a drill with long commands and identifiers, and tables over several pages."""
    long_step = TimelineEntry(
        do="restart", target="primary", role="heals", phase="act", began=40.0, ended=41.5,
        utc="2026-03-04T01:30:40.000Z", commands=(f"pg_ctl -D {LONG} start", "y" * 300),
        detail="z" * 200,
    )  # fmt: skip
    person = tuple(
        Repair(
            kind="agreement_without_binding", subject=f"bnd_…{number:06x}", proposal="person",
            outcome="a person decides",
        )
        for number in range(60)
    )  # fmt: skip
    more = Agreeing(
        repairs=(*repairs(), *person), left=62, charged_fen=318, refunded_fen=317, conserved=False
    )
    found = lossy().proof
    assert found is not None
    proof = msgspec.structs.replace(
        found,
        lost=tuple(f"bnd_…{number:06x}" for number in range(400)),
        duplicated=(f"bnd_…000001: {'w' * 400}",),
    )
    result = lossy(timeline=(*timeline(), long_step), reconciliation=more, proof=proof)
    run = make_drill(tmp_path_factory.mktemp("runs"), result)
    told: list[str] = []
    for lang in LANGUAGES:
        if lang == "en" or chinese_font():
            write_evidence(run, lang=lang, tell=told.append)
    assert told == []  # no character lacks its glyph
    return run / "evidence"


@pytest.fixture(params=LANGUAGES)
def document(folder: Path, request: pytest.FixtureRequest) -> Iterator[pdfium.PdfDocument]:
    path = folder / f"report.{request.param}.pdf"
    if not path.exists():
        pytest.skip("no font with Chinese characters is installed")
    opened = pdfium.PdfDocument(path)
    yield opened
    opened.close()


def _texts(document: pdfium.PdfDocument) -> list[str]:
    return [page.get_textpage().get_text_bounded() for page in document]


def _lang(document: pdfium.PdfDocument) -> Lang:
    return "zh" if "第" in _texts(document)[0] else "en"


def test_the_text_is_there_in_its_language(document: pdfium.PdfDocument) -> None:
    pages = _texts(document)
    whole = re.sub(r"\s+", "", "".join(pages))
    expected = {
        "en": ["Objectivesmissed", "Whatmustapersondecide?", "Executedby", "Witnessedby"],
        "zh": [
            "目标未达成",
            "哪些事项须由人决定",
            "执行人",
            "见证人",
            "批准人",
            "对账",
            "审计链断裂",
        ],
    }[_lang(document)]
    for text in expected:
        assert text in whole
    for number in range(150):
        assert f"bnd_…{number:06x}" in whole
    assert {"en": "and250more,allinfindings.csv", "zh": "另有250项"}[_lang(document)] in whole
    assert _joined(LONG) in _joined(whole)
    assert ("Approved by" in pages[-1]) or ("批准人" in pages[-1])


def _joined(text: str) -> str:
    """Without hyphens, which pdfium replaces where a line ends with one."""
    return re.sub("[-\x02\ufffe]", "", text)


def test_pages_are_numbered(document: pdfium.PdfDocument) -> None:
    count = len(document)
    form = {"en": f"Page {{}} of {count}", "zh": f"第 {{}} 页，共 {count} 页"}[_lang(document)]
    wanted = [re.sub(r"\s", "", form.format(number)) for number in range(1, count + 1)]
    for number, text in zip(wanted, _texts(document), strict=True):
        assert number in re.sub(r"\s", "", text)


def test_headings_of_a_table_repeat_on_each_of_its_pages(document: pdfium.PdfDocument) -> None:
    heading = {"en": "Proposed repair", "zh": "建议的修复"}[_lang(document)]
    with_items = [
        text
        for text in _texts(document)
        if len(re.findall(r"a person\s+decides|须由人决定", text)) > 5
    ]
    assert len(with_items) >= 2
    assert all(re.sub(r"\s", "", heading) in re.sub(r"\s", "", text) for text in with_items)


def test_everything_lies_inside_the_page(document: pdfium.PdfDocument) -> None:
    for page in document:
        assert page.get_size() == pytest.approx(A4, abs=1)
        text = page.get_textpage()
        for index in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(index)
            if right > left and top > bottom:
                assert left >= 40, _around(text, index)
                assert right <= A4[0] - 40, _around(text, index)
                assert bottom >= 20, _around(text, index)
                assert top <= A4[1] - 20, _around(text, index)


def _around(text: pdfium.PdfTextPage, index: int) -> str:
    return str(text.get_text_range(max(0, index - 20), 40))


def test_a_character_without_a_glyph_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    page = tmp_path / "page.html"
    page.write_text("<meta charset=utf-8><p>an unassigned \u0378 character", encoding="utf-8")
    write_pdf(page, told.append)
    assert len(told) == 1
    assert "(U+0378)" in told[0]


def test_the_same_page_prints_the_same_bytes(folder: Path) -> None:
    path = folder / "report.en.pdf"
    before = path.read_bytes()
    write_pdf(path.with_suffix(".html"), print)
    assert path.read_bytes() == before
