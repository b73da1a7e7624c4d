"""Forecasts and growth: peaks by hand, intervals, and every mistake in a file named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scenarios.demand import FORECAST, grown, load_peaks, read_forecast
from scenarios.problems import ScenarioProblems


def forecast(folder: Path, text: str) -> Path:
    file = folder / "forecast.csv"
    file.write_text(text, encoding="utf-8")
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(ScenarioProblems) as raised:
        read_forecast(file, load_peaks())
    return [str(problem).removeprefix(f"{file}:") for problem in raised.value.problems]


def test_peak_is_the_mean_rate_times_the_factor(tmp_path: Path) -> None:
    file = forecast(tmp_path, "month,applications,peak_factor\n2027-02,2419200,12\n")
    [month] = read_forecast(file, load_peaks())
    # 28 days of 86,400 s: one application a second on average.
    assert month.peak == pytest.approx(12.0)


def test_factor_of_an_event_is_day_by_hour_by_burst(tmp_path: Path) -> None:
    file = forecast(
        tmp_path, "month,applications,event\n2027-06,2592000,campaign\n2027-07,2592000,payday\n"
    )
    june, july = read_forecast(file, load_peaks())
    shape = load_peaks().events["campaign"].shape
    assert june.peak == pytest.approx(shape.day * shape.hour * 24 * shape.burst)
    assert june.peak > 2 * july.peak
    assert june.events == ("campaign",)


def test_written_factor_outweighs_the_event(tmp_path: Path) -> None:
    file = forecast(tmp_path, "month,applications,peak_factor,event\n2027-06,2592000,3,campaign\n")
    assert read_forecast(file, load_peaks())[0].peak == pytest.approx(3.0)


def test_growth_compounds_from_the_first_month() -> None:
    months = grown(2000, 0.05, 14, date(2027, 11, 1), load_peaks())
    assert [month.month for month in months[:3]] == ["2027-11", "2027-12", "2028-01"]
    assert months[0].applications == pytest.approx(2000 * 30)
    assert months[12].applications == pytest.approx(2000 * 1.05**12 * 30)
    assert months[0].events == ("double-11",)
    assert months[2].events == ("spring-festival",)
    assert months[0].peak_factor > months[2].peak_factor > months[1].peak_factor


def test_interval_is_the_uncertainty_a_year_ahead_and_grows() -> None:
    months = grown(2000, 0.05, 24, date(2027, 1, 1), load_peaks())
    assert months[11].spread(0.1) == pytest.approx(1.1)
    spreads = [month.spread(0.1) for month in months]
    assert spreads == sorted(spreads)
    assert spreads[0] > 1.0
    assert all(month.spread(0.0) == 1.0 for month in months)


def test_shipped_forecast_reads() -> None:
    months = read_forecast(FORECAST, load_peaks())
    assert len(months) == 24
    assert all(month.peak > 0 for month in months)


def test_every_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    file = forecast(
        tmp_path,
        "month,applications,peak_factor,event\n"
        "2027-01,-5,,\n"
        "2027-02,many,,\n"
        "2027-03,100,0.5,\n"
        "2027-04,100,,pay-day\n"
        "2027-06,100,,\n"
        "June,100,,\n",
    )
    assert problems(file) == [
        "2: applications: -5 is below 0; write 0 or more",
        "3: applications: 'many' is not a number; write one such as 120000",
        "4: peak_factor: 0.5 is below 1; write 1 or more",
        "5: event: there is no event 'pay-day'; did you mean payday?",
        "6: month: 2027-06 does not follow 2027-04; write 2027-05",
        "7: month: 'June' is not a month; write one such as 2027-03",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("month\n2027-01\n", "1: applications: the column is missing; the first line is"),
        ("month,aplications\n2027-01,5\n", "did you mean applications?"),
        ("month,applications\n", "holds no month"),
        ("month,applications\n2027-01,5,7\n", "2: 3 cells, but 2 columns"),
    ],
)
def test_unusable_files(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in line for line in problems(forecast(tmp_path, text)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('month,applications\n2027/3,"4,470,000"\n2027/4,4.47 Mil\n', 4.47e6),
        ("sep=;\nMonth;Applications;Peak Factor\n01.03.2027;4.470.000;9,5\n", 4.47e6),
        ("month,applications,\nMar-27,447\u4e07,\nApr-27,1,\n", 4.47e6),
        ("# ours\n\nmonth\tapplications\n3/1/2027\t5\n4/1/2027\t5\n", 5),
        ("month,applications\n1/3/2027,5\n1/4/2027,5\n", 5),
        ("month,applications\n2027-03-31,5\n2027-04-30 00:00:00,5\n", 5),
        ("month,applications,peak_factor,event\n2027-03,5\n", 5),
    ],
)
def test_months_and_numbers_as_spreadsheets_write_them(
    tmp_path: Path, text: str, wanted: float
) -> None:
    first, *_ = read_forecast(forecast(tmp_path, text), load_peaks())
    assert (first.month, first.applications) == ("2027-03", pytest.approx(wanted))


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1e30", "1e30 is above 100,000,000,000"),
        ("0", "0 in every month"),
        ("+Inf", "'+Inf' is not a number"),
        ("12%", "'12%' is not a number"),
        ("NaN", "'NaN' is no value"),
    ],
)
def test_numbers_that_cannot_be_meant(tmp_path: Path, cell: str, said: str) -> None:
    found = problems(forecast(tmp_path, f"month,applications\n2027-03,{cell}\n"))
    assert said in found[0]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioProblems, match="there is no such file"):
        read_forecast(tmp_path / "none.csv", load_peaks())


def test_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "forecast.csv"
    file.write_bytes("月份".encode("gbk"))
    with pytest.raises(ScenarioProblems, match="UTF-8"):
        read_forecast(file, load_peaks())
