"""The report: complete in both languages, the answers on top, files beside it, same bytes."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace
from plan_basis import basis, months, plan_of

from reports.capacity.bounds import Bound
from reports.capacity.result import Capacity, Limit, Measured, read_capacity, write_capacity
from reports.capacity.usl import Estimate, UslFit
from reports.plan.answers import PACKAGE, answer_lines, cards
from reports.plan.confirmed_months import to_confirm
from reports.plan.models import NoLimit, apart, models_of, node_range
from reports.plan.page import plan_page, write_page
from reports.plan.result import FILE, Plan, write_plan
from reports.plan.rows import confirmation_rows, model_rows
from reports.words import LANGUAGES, Lang, Words, texts
from scenarios.demand import load_peaks

_HAN = re.compile(r"[\u4e00-\u9fff]")


class _Text(HTMLParser):
    """The words of a page, without style and pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._skipped += tag in ("style", "svg")

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in ("style", "svg")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.found.append(data)


def text_of(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    return " ".join(" ".join(parser.found).split())


def words(lang: Lang) -> Words:
    return Words(lang, PACKAGE)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(basis())


@pytest.fixture(scope="module")
def pages(plan: Plan) -> dict[Lang, str]:
    return {lang: plan_page(plan, words(lang)) for lang in LANGUAGES}


def told(plan: Plan) -> str:
    """The answers of a plan in English."""
    return "\n".join(answer_lines(plan, words("en")))


def test_both_languages_have_the_same_keys_and_names() -> None:
    english, chinese = texts("en", PACKAGE), texts("zh", PACKAGE)
    assert set(english) == set(chinese)
    for key, text in english.items():
        names = set(re.findall(r"\{(\w+)\}", text))
        assert names == set(re.findall(r"\{(\w+)\}", chinese[key])), key


def test_every_key_is_used() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("reports/plan", "reports/templates")
        for path in (Path(__file__).parents[2] / folder).glob("*")
        if path.suffix in (".py", ".j2")
    )
    kinds = ("resource.", "part.", "fault.", "swing_name.", "model.", "answer.", "plot.")
    named = {f"event.{event}" for event in load_peaks().events}
    for key in texts("en", PACKAGE).keys() - named:
        built = key.startswith(kinds) and key.split(".")[1].split("_about")[0] in source
        assert f'"{key}"' in source or f"'{key}'" in source or built, key


def test_every_shipped_event_has_a_name() -> None:
    for event in load_peaks().events:
        assert f"event.{event}" in texts("en", PACKAGE)


def test_chinese_is_chinese() -> None:
    plain = {"model.Erlang C", "model.Allen-Cunneen", "page.lang", "page.to"}
    for key, text in texts("zh", PACKAGE).items():
        if key not in plain and re.search(r"[A-Za-z]", re.sub(r"\{\w+\}", "", text)):
            assert _HAN.search(text), key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_answers_come_first_and_everything_is_there(
    lang: Lang, plan: Plan, pages: dict[Lang, str]
) -> None:
    page = pages[lang]
    text = text_of(page)
    first_figure = page.index("<svg")
    for card in cards(plan, words(lang)):
        assert card.answer in page[:first_figure]
    assert plan.first_out is not None
    assert plan.first_out.date in text
    assert page.count("<svg") == 4
    for month in plan.months:
        assert month.month in text
    for swing in plan.swings:
        assert words(lang)(f"swing_name.{swing.name}") in text
    assert "time_to_recover(bank) < 30s" in text
    assert "<small> plan" not in page  # titles are escaped
    assert "http" not in re.sub(r'xmlns[:\w]*="[^"]*"', "", page)  # nothing is fetched


def test_chinese_page_has_no_english_sentences(pages: dict[Lang, str]) -> None:
    text = text_of(pages["zh"])
    assert not re.search(r"\b(the|and|of|needed|month|today)\b", text)


def test_command_line_says_when_what_and_how_much(plan: Plan) -> None:
    lines = told(plan)
    assert plan.first_out is not None
    assert f"Today's set-up runs out: {plan.first_out.date}" in lines
    assert "Cost of 24 months: CNY" in lines
    assert re.search(r"2027-\d\d  .*lender nodes 2 → \d", lines)


def test_a_set_up_that_lasts_says_so() -> None:
    plan = plan_of(basis(months=months(1e6, 1e6)))
    lines = answer_lines(plan, words("en"))
    assert "Today's set-up runs out: Not within the plan" in lines
    assert lines[-1] == "  Nothing: today's set-up lasts."


def test_a_missed_objective_is_not_called_confirmed(plan: Plan) -> None:
    [held] = plan.confirmations
    missed = replace(held, held=False, missed=("success_rate >= 95%: 80 %",))
    failed = replace(plan, confirmations=(missed,))
    assert not failed.confirmed
    assert "A simulation missed an objective" in told(failed)
    assert confirmation_rows(failed, words("en"))[0][4] == "success_rate >= 95%: 80 %"


def test_too_large_a_forecast_error_is_said_to_outgrow_the_headroom() -> None:
    plan = plan_of(basis(uncertainty=0.6))
    assert "covers the high end of demand until 2027-03" in told(plan)


def test_tables_beside_the_page(tmp_path: Path, plan: Plan) -> None:
    write_page(plan, tmp_path, "en")
    table = pl.read_parquet(tmp_path / "plan.parquet")
    assert table.height == len(plan.months)
    as_text = pl.read_csv(tmp_path / "plan.csv")
    assert as_text.columns == table.columns
    assert table["cost_total_fen"].sum() == pytest.approx(plan.total.value)
    assert table["nodes_bought"].to_list() == [month.bought["nodes"] for month in plan.months]
    assert (table["peak_per_second_low"] < table["peak_per_second_high"]).all()
    read = msgspec.json.decode((tmp_path / "plan.json").read_bytes(), type=Plan)
    assert read.total.value == pytest.approx(plan.total.value)


def test_same_plan_same_bytes(tmp_path: Path, pages: dict[Lang, str]) -> None:
    plan = plan_of(basis())
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    page = write_page(plan, tmp_path / "a", "zh")
    assert page.read_text(encoding="utf-8") == pages["zh"]
    write_plan(plan, tmp_path / "b")
    assert (tmp_path / "a" / FILE).read_bytes() == (tmp_path / "b" / FILE).read_bytes()
    assert {file.name for file in (tmp_path / "a").iterdir()} == {
        "plan.html",
        "plan.json",
        "plan.csv",
        "plan.parquet",
    }


# ── models ──────────────────────────────────────────────────────────────────────────────────────


def limit(clock: str, low: float | None, high: float | None, usl: UslFit | None = None) -> Limit:
    measure = Measured(
        clock="live",
        rate=10.0,
        number=0,
        seed=1,
        held=True,
        missed=(),
        causes=(),
        arrivals=100,
        throughput=9.0,
        success_rate=0.9,
        binding=None,
        requests=None,
        lateness=None,
        steps={},
        requests_per_arrival={},
        calls_per_arrival={},
        concurrency=1.0,
        times=None,
        usage=(),
    )
    return Limit(
        clock=clock,  # type: ignore[arg-type]
        state="found" if high else "always",
        low=low,
        high=high,
        lowest=5.0,
        highest=70.0,
        confidence=0.9,
        lead=2,
        measures=(measure,),
        bottleneck=None,
        usl=usl,
    )


def law(*warnings: str) -> UslFit:
    def estimate(value: float) -> Estimate:
        return Estimate(value=value, low=value * 0.9, high=value * 1.1)

    return UslFit(
        points=8,
        most_load=20.0,
        rate_per_unit=estimate(1.0),
        contention=estimate(0.1),
        coherency=estimate(0.01),
        ceiling=estimate(27.0),
        peak=10.0,
        explained=0.99,
        warnings=warnings,
    )


def measured(*limits: Limit) -> Capacity:
    return Capacity(
        scenario="baseline",
        title="",
        seed=1,
        duration=60.0,
        own_rate=6.0,
        precision=0.05,
        objectives=(),
        started="",
        command="",
        machine={},
        calibration="",
        limits=limits,
    )


BOUNDS = (
    Bound(model="Allen-Cunneen", rate=54.0, says=""),
    Bound(model="utilisation", rate=56.0, says=""),
)


def test_the_lowest_of_simulator_and_closed_forms_sizes_the_plan() -> None:
    models, _ = models_of(limit("sim", 61.0, 66.0), BOUNDS, None)
    [used] = [model for model in models if model.used]
    assert used.model == "Allen-Cunneen"
    node = node_range(models)
    assert (node.low, node.value, node.high) == (54.0, 54.0, 66.0)
    models, _ = models_of(limit("sim", 40.0, 42.0), BOUNDS, None)
    assert node_range(models).value == 40.0


def test_no_limit_is_a_problem_with_a_mend() -> None:
    with pytest.raises(NoLimit, match="holds the objectives at no rate down to 5/s"):
        models_of(limit("sim", None, 5.0), BOUNDS, None)


def test_disagreement_with_a_measurement_is_shown() -> None:
    live = limit("live", 20.0, 21.0, law())
    models, warnings = models_of(limit("sim", 61.0, 66.0), BOUNDS, measured(live))
    by_name = {model.model: model for model in models}
    assert by_name["usl"].value == pytest.approx(27.0 / 0.9)  # bindings to arrivals
    assert apart(models) == pytest.approx(61 / 20 - 1)
    plan = plan_of(basis(), models=models, usl_warnings=warnings)
    assert "models of one node differ by 205%" in told(plan)
    assert "live measurement 20/s" in told(plan)
    assert "How sure: Simulated, but models disagree" in told(plan)
    nodes = {row[0]: int(row[4]) for row in model_rows(plan, words("en"))}
    assert nodes["live measurement"] > nodes["simulator"]


def test_a_measured_capacity_reads_back_with_an_endless_law(tmp_path: Path) -> None:
    endless = law("the interval of the ceiling is wider than half of it")
    endless = replace(endless, ceiling=Estimate(value=27.0, low=20.0, high=math.inf))
    capacity = measured(limit("live", 20.0, 21.0, endless))
    write_capacity(capacity, tmp_path)
    assert read_capacity(tmp_path) == capacity
    models, _ = models_of(limit("sim", 61.0, 66.0), BOUNDS, read_capacity(tmp_path))
    assert models[-1].model == "usl"
    assert models[-1].high is None


def test_a_law_that_warns_is_not_believed() -> None:
    live = limit("live", 58.0, 60.0, law("no measure lies beyond the knee"))
    models, warnings = models_of(limit("sim", 61.0, 66.0), BOUNDS, measured(live))
    assert apart(models) < 0.15
    plan = plan_of(basis(), models=models, usl_warnings=warnings)
    note = model_rows(plan, words("en"))[-1][5]
    assert note == "not to be believed: no measure lies beyond the knee"
    assert "models of one node agree within 15%" in told(plan)
    assert "How sure: Confirmed by simulation" in told(plan)


def test_the_fullest_months_are_simulated(plan: Plan) -> None:
    chosen = to_confirm(plan.months, 2)
    assert len(chosen) == 2
    highest = max(month.peak.value for month in plan.months)
    assert highest in {month.peak.value for month in chosen}
    assert to_confirm(plan.months, 0) == ()
