"""The pack's words: the same keys in each language, all of them used, nothing left untranslated."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args, get_type_hints

import pytest

import reports.drills.evidence as evidence
from reports.drills.evidence.checksums import State as FileState
from reports.drills.evidence.listings import FINDINGS
from reports.drills.evidence.words import LANGUAGES, Words, texts
from reports.drills.result import PHASES, Repair
from reports.run_folder import Verdict
from scenarios.drill_steps import STEP_KINDS
from scenarios.drill_steps.base import Party
from scenarios.topology import PostgresStandby, Single, SqliteBackup, TwoSites

SOURCES = Path(evidence.__file__).parent
DRILLS = Path(__file__).parents[2] / "scenarios" / "drills"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NAMES_OF_RECORDS = {
    "do", "phase", "phase_meaning", "role", "party", "topology", "outcome", "objective", "measure",
    "measured", "drill", "repair", "proposal", "machine", "checksum", "verdict", "short", "grades",
}  # fmt: skip
"""Tables whose keys are words of drill.json, looked up by those words."""


def test_every_language_has_the_same_keys_with_the_same_places_to_fill() -> None:
    english = texts("en")
    for lang in LANGUAGES:
        table = texts(lang)
        assert table.keys() == english.keys()
        for key, text in table.items():
            assert text, key
            assert _fields(text) == _fields(english[key]), key


def test_chinese_texts_are_chinese() -> None:
    same = {key for key, text in texts("zh").items() if text == texts("en")[key]}
    assert same <= {
        "method.grade_rto", "method.grade_rpo", "measure.rto", "measure.rpo", "checksums.digest",
        "grades.rpo_6",
    } | {"page.sentences"}  # fmt: skip
    untranslated = {
        key
        for key, text in texts("zh").items()
        if re.search("[A-Za-z]{4}", re.sub(r"\{\w+\}", "", text)) and not CHINESE.search(text)
    }
    assert untranslated <= {"page.lang", "page.fonts"}


def test_templates_have_no_text_of_their_own() -> None:
    page = (SOURCES / "templates" / "report.html.j2").read_text(encoding="utf-8")
    page = re.sub(r"<pre>cd .*?</pre>", "", page)  # a command, the same in every language
    page = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", page, flags=re.DOTALL)
    page = re.sub(r"<style>.*?</style>|<[^>]*>", "", page, flags=re.DOTALL)
    assert re.findall(r"[^\W\d_]+", page) == []


def test_sources_ask_for_keys_that_exist_and_for_all_of_them() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in [*SOURCES.glob("*.py"), *SOURCES.glob("templates/*.j2")]
    )
    asked = set(re.findall(r"""(?:\bt|words)\(\s*"(\w+\.\w*[a-z])["]""", sources))
    assert len(asked) > 80
    assert asked <= texts("en").keys()
    unused = {
        key
        for key in texts("en").keys() - asked
        if key.split(".")[0] not in NAMES_OF_RECORDS and not _built(key)
    }
    assert unused == set()


def _built(key: str) -> bool:
    table, name = key.split(".")
    built = {
        "cover": {"rto", "rpo", "lost", "grade"},
        "proof": set(FINDINGS),
        "sign": {"executed", "witnessed", "approved"},
    }
    return name in built.get(table, set())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_words_of_records_are_known(lang: str) -> None:
    known = texts(lang)  # type: ignore[arg-type]
    for table, words in {
        "do": STEP_KINDS,
        "phase": PHASES,
        "phase_meaning": PHASES,
        "party": get_args(Party),
        "topology": [
            kind.model_fields["kind"].annotation.__args__[0]  # type: ignore[union-attr]
            for kind in (Single, SqliteBackup, PostgresStandby, TwoSites)
        ],
        "outcome": get_args(get_type_hints(Repair)["outcome"]),
        "checksum": get_args(FileState),
        "short": FINDINGS,
        "verdict": get_args(Verdict),
        "drill": [path.stem for path in DRILLS.glob("*.yaml")],
    }.items():
        missing = [word for word in words if f"{table}.{word}" not in known]
        assert not missing, f"add to [{table}] in reports/drills/evidence/{lang}.toml: {missing}"


def test_a_word_that_no_table_knows_stays_as_it_is() -> None:
    assert Words("zh").name("do", "kill") == "强制终止"
    assert Words("zh").name("do", "launch-a-rocket") == "launch-a-rocket"
    with pytest.raises(KeyError):
        Words("zh")("page.no_such_text")


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
