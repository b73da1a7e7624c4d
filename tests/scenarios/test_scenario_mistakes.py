"""Every kind of mistake in a scenario file is named with its line, field and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.loader import load_scenario, override
from scenarios.problems import Problem, ScenarioProblems

HEAD = """\
name: trial
duration: 60s
arrivals: {kind: poisson, rate: 5/s}
"""


@pytest.fixture
def problems(tmp_path: Path):
    """The problems of a file with this text."""

    def load(text: str | bytes) -> list[Problem]:
        file = tmp_path / "trial.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ScenarioProblems) as raised:
            load_scenario(file)
        return raised.value.problems

    return load


# The text after HEAD (3 lines), the line, the field, and words of the message.
MISTAKES = {
    "bare duration": ("drain: 30\n", 4, "drain", "30 has no unit; write 30s"),
    "not a duration": ("drain: soon\n", 4, "drain", "'soon' is not a duration; write 250ms"),
    "empty value": ("drain:\n", 4, "drain", "nothing is not a duration; write"),
    "unknown field": ("sead: 4\n", 4, "sead", "did you mean seed?"),
    "unknown field below": (
        "journey:\n  pace: 1\n  think:\n    registre: 5s\n",
        7, "journey.think.registre", "did you mean register?",
    ),
    "share above 1": (
        "population:\n  typos:\n    phone: 150%\n",
        6, "population.typos.phone", "'150%' is above 1; write 2% or 0.02",
    ),
    "bare delay": (
        "world:\n  sms:\n    latency:\n      send: 5\n",
        7, "world.sms.latency.send", "5 has no unit",
    ),
    "percentiles swapped": (
        "journey:\n  patience: {p50: 9s, p99: 1s}\n",
        5, "journey.patience", "p99 is below p50",
    ),
    "unknown operation of a gateway": (
        "world:\n  bank:\n    latency:\n      opn: 5ms\n",
        7, "world.bank.latency.opn", "write open, verify, query",
    ),
    "unknown answer of the switch": (
        "world:\n  bank:\n    decline:\n      57: 1%\n      5: 1%\n",
        8, "world.bank.decline.5", "'5' is not known here; write 00, 01, 03",
    ),
    "whole number": (
        "lender:\n  otp:\n    tries: 2.5\n",
        6, "lender.otp.tries", "2.5 is not a whole number; write 2",
    ),
    "integer too small": ("lender:\n  otp: {tries: 0}\n", 5, "lender.otp.tries", "write 1 or more"),
    "text for a section": (
        "world:\n  sms:\n    carrier: fast\n",
        6, "world.sms.carrier", "the fields delay, loss, duplicate",
    ),
    "mapping for a list": ("objectives: {}\n", 4, "objectives", "is not a list"),
    "number for text": ("title: 12\n", 4, "title", "write it in quotes: '12'"),
    "unknown choice": (
        "world:\n  sms:\n    limits:\n      day_is: calender\n",
        7, "world.sms.limits.day_is", "did you mean calendar?",
    ),
    "weights": ("population:\n  ages: {25-34: -1}\n", 5, "population.ages", "write 0 or more"),
    "unknown province": (
        "population:\n  provinces:\n    11: 1\n    99: 2\n",
        7, "population.provinces.99", "'99' is not a province code",
    ),
    "unknown bank": (
        "population:\n  banks:\n    icbc: 1\n    icbk: 1\n",
        7, "population.banks.icbk", "'icbk' is not an issuer",
    ),
    "unknown issuer in the world": (
        "world:\n  bank:\n    issuers:\n      nobank: {latency_factor: 2}\n",
        7, "world.bank.issuers.nobank", "is not an issuer; write one of icbc",
    ),
    "unknown fault": (
        "faults:\n- kind: outge\n  target: bank\n",
        5, "faults[0].kind", "did you mean outage? write one of bandwidth, carrier-delay,",
    ),
    "fault without kind": (
        "faults:\n\n- target: bank\n  share: 1\n",
        6, "faults[0].kind", "is missing; write one of bandwidth,",
    ),
    "fault without target": ("faults:\n- kind: outage\n", 5, "faults[0].target", "is missing"),
    "number for a mode": (
        "faults:\n- kind: outage\n  target: bank\n  mode: 503\n",
        7, "faults[0].mode", "503 is read as a number; write it in quotes: '503'",
    ),
    "number for a code": (
        "faults:\n- kind: error\n  target: bank\n  code: 03\n",
        7, "faults[0].code", "write it in quotes: '03'",
    ),
    "operation of another target": (
        "faults:\n- kind: latency\n  target: bank\n  delay: 1s\n  ops: [open, send]\n",
        8, "faults[0].ops", "bank has no operation 'send'; write open, verify, query",
    ),
    "operation of the lender": (
        "faults:\n- kind: latency\n  target: lender\n  delay: 1s\n  ops: [conform]\n",
        8, "faults[0].ops", "lender has no operation 'conform'; write register,",
    ),
    "callback that is none": (
        "faults:\n- kind: lost-callback\n  target: sms\n  ops: [send]\n",
        7, "faults[0].ops", "sms has no callback 'send'; write sms_report",
    ),
    "target without callbacks": (
        "faults:\n- kind: lost-callback\n  target: bank\n",
        6, "faults[0].target", "bank sends no callbacks; write sms or payment",
    ),
    "fault rules": (
        "faults:\n- {kind: outage, target: bank, mode: refuse}\n",
        5, "faults[0]", "mode refuse closes the port",
    ),
    "fault after the end": (
        "faults:\n- kind: outage\n  target: bank\n  start: 2m\n",
        7, "faults[0].start", "outage-bank starts at 2m, but the run ends at 2m",
    ),
    "twin faults": (
        "faults:\n- {kind: outage, target: bank}\n- {kind: outage, target: bank}\n",
        6, "faults[1]", "another fault is called outage-bank too",
    ),
    "unknown issuer of a fault": (
        "faults:\n- kind: outage\n  target: bank\n  issuer: nobody\n",
        7, "faults[0].issuer", "'nobody' is not an issuer",
    ),
    "declines beyond one whole": (
        "world:\n  bank:\n    decline: {51: 60%, 54: 60%}\n",
        6, "world.bank.decline", "the shares add up to 120%; write shares of 100% or less",
    ),
    "an issuer's declines beyond one whole": (
        "world:\n  bank:\n    issuers:\n      icbc: {decline: {51: 0.7, 54: 0.30001}}\n",
        7, "world.bank.issuers.icbc.decline", "add up to 100.001%",
    ),
    "declines of bank and issuer beyond one whole": (
        "world:\n  bank: {decline: {51: 60%}, issuers: {icbc: {decline: {54: 60%}}}}\n",
        5, "world.bank", "issuers.icbc.decline with the bank's decline: the shares add up to 120%",
    ),
    "duration beyond the bound": ("drain: 99999999d\n", 4, "drain", "write 3650d or less"),
    "rate beyond the bound": (
        "world:\n  bank: {rate_limit: 999999999999/s}\n",
        5, "world.bank.rate_limit", "write 1000000/s or less",
    ),
    "seed beyond the bound": ("seed: 10000000000000000000\n", 4, "seed", "is above"),
    "count beyond the bound": (
        "world:\n  lender: {workers: 1000000000000}\n",
        5, "world.lender.workers", "write 1000000000 or less",
    ),
    "time of day": ("drain: 20:00\n", 4, "drain", "'20:00' is not a duration; write 20h"),
    "time of day for a delay": (
        "world: {network: 1:30}\n", 4, "world.network", "write 1h30m",
    ),
    "time of day for a title": ("title: 20:00\n", 4, "title", "write it in quotes: '20:00'"),
    "infinity": ("drain: .inf\n", 4, "drain", "'.inf' is not a duration; write 250ms"),
    "not a number": ("journey: {pace: .nan}\n", 4, "journey.pace", ".nan is not a number"),
    "weights that are infinite": (
        "population: {ages: {25-34: .inf}}\n", 4, "population.ages.25-34", "not a number",
    ),
    "a weight that is none": (
        "population: {provinces: {11: .nan}}\n", 4, "population.provinces.11", "not a number",
    ),
    "octal": ("seed: 012\n", 4, "seed", "012 is not a whole number; write 12"),
    "underscores": ("drain: 1_000\n", 4, "drain", "1_000 has no unit; write 1000s"),
    "exponent": ("drain: 1e3\n", 4, "drain", "1e3 has no unit; write 1000s, 1000ms"),
    "date": ("drain: 2026-01-01\n", 4, "drain", "'2026-01-01' is not a duration"),
    "no date": ("drain: 2026-99-99\n", 4, "drain", "'2026-99-99' is not a duration"),
    "switch for a duration": ("drain: yes\n", 4, "drain", "yes is not a duration; write 250ms"),
    "switch for a count": ("seed: on\n", 4, "seed", "on is not a whole number"),
    "text for a count": ("seed: '7'\n", 4, "seed", "'7' is not a whole number; write 7"),
    "half a surrogate pair": ('title: "\\ud800"\n', 4, "title", "half of a surrogate pair"),
    "escape": ('title: "\\e[31m"\n', 4, "title", "a control character (U+001B) in it; delete it"),
    "line end in a title": ('title: "a\\nb"\n', 4, "title", "has a line end in it; write one line"),
    "turned text": ('title: "\\u202Exyz"\n', 4, "title", "an invisible control (U+202E)"),
    "control in a key": ('"\\e": 1\n', 4, "", "a control character"),
    "control in a fault's name": (
        'faults:\n- {kind: outage, target: bank, name: "a\\nb"}\n',
        5, "faults[0].name", "has a line end in it",
    ),
    "title too long": (f"title: {'x' * 300}\n", 4, "title", "more than 200 characters"),
    "fault of no time": (
        "faults:\n- {kind: outage, target: bank, duration: 0s}\n",
        5, "faults[0]", "duration 0 strikes nothing; write 250ms",
    ),
    "ramp longer than its fault": (
        "faults:\n- {kind: latency, target: bank, delay: 1s, duration: 5s, ramp: 6s}\n",
        5, "faults[0]", "ramp is longer than duration",
    ),
    "a fault that starts as the run ends": (
        "drain: 0.2s\nfaults:\n- kind: outage\n  target: bank\n  start: 60.2s\n",
        8, "faults[0].start", "starts at 1m, but the run ends at 1m",
    ),
    "median of 0": (
        "journey: {patience: {p50: 0, p99: 5s}}\n", 4, "journey.patience", "write p50 above 0",
    ),
    "a kind that is a list": (
        "faults:\n- {kind: [outage], target: bank}\n", 5, "faults[0].kind", "is not a kind",
    ),
    "objective that is none": ("objectives:\n- fast\n", 5, "objectives[0]", "is not an objective"),
    "unknown metric": (
        "objectives:\n- p95(confirm) < 1s\n- sucess_rate > 1%\n",
        6, "objectives[1]", "did you mean success_rate?",
    ),
    "unknown step": ("objectives:\n- p95(confrim) < 1s\n", 5, "objectives[0]", "mean confirm?"),
    "recovery without fault": (
        "faults:\n- {kind: outage, target: bank, name: night}\n"
        "objectives:\n- time_to_recover(night) < 1s\n- time_to_recover(sms) < 1s\n",
        8, "objectives[1]", "no fault of this scenario strikes sms; write one of bank, night",
    ),
    "field twice": ("seed: 1\ndrain: 9s\nseed: 2\n", 6, "seed", "given twice, on lines 4 and 6"),
    "YAML syntax": ("drain: 9s\n title: x\n", 5, "", "not valid YAML: mapping values are not"),
    "tab": ("journey:\n\tpace: 1\n", 5, "", "indent with spaces"),
    "YAML tag": ("title: !!python/name:os.system x\n", 4, "", "not valid YAML"),
    "two documents": ("---\nname: other\n", 4, "", "keep one scenario a file"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "field", "words"), MISTAKES.values(), ids=MISTAKES)
def test_one_mistake_is_one_line(problems, text, line, field, words) -> None:
    (problem,) = problems(HEAD + text)
    assert (problem.line, problem.field) == (line, field)
    assert words in problem.message
    assert "\n" not in str(problem)


# Whole files: the line, the field, and words of the message.
WHOLE = {
    "missing field": (
        "# load\nname: trial\nduration: 1m\narrivals:\n  kind: poisson\n",
        4, "arrivals.rate", "is missing; write a rate: 50/s",
    ),
    "missing at the top": (
        "# no duration\n\nname: trial\narrivals: {kind: poisson, rate: 5/s}\n",
        3, "duration", "is missing; write a duration: 250ms",
    ),
    "negative rate": (
        "name: trial\nduration: 1m\narrivals:\n  kind: poisson\n  rate: -5\n",
        5, "arrivals.rate", "-5 is below 0; write 50/s, 600/m or 1000/h",
    ),
    "negative rate with its unit": (
        "name: trial\nduration: 1m\narrivals:\n  kind: poisson\n  rate: -5/s\n",
        5, "arrivals.rate", "'-5/s' is below 0; write 50/s, 600/m or 1000/h",
    ),
    "duration 0": (
        "name: trial\nduration: 0s\narrivals: {kind: poisson, rate: 5/s}\n",
        2, "duration", "'0s' is not above 0; write 250ms",
    ),
    "unknown arrivals": (
        "name: trial\nduration: 1m\narrivals:\n  kind: poison\n  rate: 5/s\n",
        4, "arrivals.kind",
        "'poison' is not a kind; did you mean poisson? write one of constant, poisson, ramp,",
    ),
    "stage in steps": (
        "name: trial\nduration: 1m\narrivals:\n  kind: steps\n  steps:\n"
        "  - {rate: 5/s, duration: 9s}\n  - rate: 5/s\n    duration: 9\n",
        8, "arrivals.steps[1].duration", "9 has no unit",
    ),
    "hours of a day": (
        "name: trial\nduration: 1m\narrivals: {kind: diurnal, rate: 5/s, hours: [1, 2]}\n",
        3, "arrivals.hours", "has 2 items; write at least 24",
    ),
    "spike after the end": (
        "name: trial\nduration: 1m\narrivals:\n"
        "  {kind: spike, rate: 1/s, peak: 9/s,\n   at: 70s, duration: 5s}\n",
        5, "arrivals.at", "the spike is at 1m10s, after arrivals stop at 1m",
    ),
    "customers beyond the bound": (
        "name: trial\nduration: 3650d\narrivals: {kind: poisson, rate: 5/s}\n",
        3, "arrivals", "1.58e+09 customers would come, more than 100,000,000",
    ),
    "ramp longer than the run": (
        "name: trial\nduration: 1m\narrivals: {kind: ramp, start: 1/s, end: 2/s, over: 61s}\n",
        3, "arrivals.over", "the ramp takes 1m1s, but arrivals stop at 1m",
    ),
    "spike of no time": (
        "name: trial\nduration: 1m\n"
        "arrivals: {kind: spike, rate: 1/s, peak: 2/s, at: 5s, duration: 0s}\n",
        3, "arrivals.duration", "a spike of 0 is none",
    ),
    "time of day of arrivals": (
        "name: s\nduration: 1h\narrivals: {kind: diurnal, rate: 2/s, starts_at: 20:00}\n",
        3, "arrivals.starts_at", "'20:00' is not a duration; write 20h",
    ),
    "name that is a path": (
        "name: ../x\nduration: 1m\narrivals: {kind: poisson, rate: 5/s}\n",
        1, "name", "'../x' does not fit; write lower case",
    ),
    "name too long": (
        f"name: {'a' * 300}\nduration: 1m\narrivals: {{kind: poisson, rate: 5/s}}\n",
        1, "name", "more than 64 characters",
    ),
    "name of a device": (
        "name: con\nduration: 1m\narrivals: {kind: poisson, rate: 5/s}\n",
        1, "name", "no name of a folder on Windows",
    ),
    "bad name": (
        "name: Trial One\nduration: 1m\narrivals: {kind: poisson, rate: 5/s}\n",
        1, "name", "write lower case, digits, hyphens",
    ),
    "empty": ("", 1, "", "there is nothing in it"),
    "a list": ("- name: trial\n", 1, "", "no fields"),
    "not UTF-8": (b"name: trial\ntitle: \xff\n", 2, "", "not UTF-8"),
    "unprintable": ("name: trial\ntitle: \x07\n", 2, "", "unprintable"),
    "too deep": ("name: " + "[" * 5000, 1, "", "nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "field", "words"), WHOLE.values(), ids=WHOLE)
def test_one_mistake_in_a_whole_file(problems, text, line, field, words) -> None:
    (problem,) = problems(text)
    assert (problem.line, problem.field) == (line, field)
    assert words in problem.message


@pytest.mark.parametrize(
    ("csv", "words"),
    {
        None: "trace.csv does not exist",
        "time\n1\n": "no column 'seconds' in its first line (it has time)",
        "seconds\n1\n3\n2\n": "line 4: 2 comes after 3",
        "seconds\n1\nx\n": "line 3: 'x' is not a number of seconds",
        "seconds\n-1\n": "line 2: -1 is not a time since the run began",
        "seconds\n": "holds no arrivals",
    }.items(),
)
def test_bad_recording(problems, tmp_path: Path, csv: str | None, words: str) -> None:
    if csv is not None:
        (tmp_path / "trace.csv").write_text(csv)
    (problem,) = problems(
        "name: trial\nduration: 1m\narrivals:\n  kind: recorded\n  file: trace.csv\n"
    )
    assert (problem.line, problem.field) == (5, "arrivals.file")
    assert words in problem.message


def test_five_mistakes_are_five_problems(problems, tmp_path: Path) -> None:
    """Among them some that take two sound fields to see, beside broken ones."""
    found = problems(
        "name: trial\n"
        "duration: 60s\n"
        "arrivals:\n"
        "  kind: poisson\n"
        "  rate: -5\n"  # line 5
        "journy: {pace: 1}\n"  # line 6
        "faults:\n"
        "- kind: outage\n"
        "  target: bank\n"
        "  start: 1h\n"  # line 10
        "- kind: latency\n"
        "  target: sms\n"  # line 11, no delay
        "objectives:\n"
        "- time_to_recover(bank) < 1s\n"
        "- time_to_recover(sms) < 1s\n"
        "- time_to_recover(payment) < 1s\n"  # line 16
    )
    assert [(p.line, p.field) for p in found] == [
        (5, "arrivals.rate"),
        (6, "journy"),
        (10, "faults[0].start"),
        (11, "faults[1].delay"),
        (16, "objectives[2]"),
    ]
    assert str(found[0]) == (
        f"{tmp_path}/trial.yaml:5: arrivals.rate: -5 is below 0; write 50/s, 600/m or 1000/h"
    )


def test_a_check_points_past_items_that_are_left_out(problems) -> None:
    found = problems(
        HEAD + "faults:\n- nonsense\n- kind: outage\n  target: bank\n  issuer: nobody\n"
        "objectives: [nonsense, time_to_recover(sms) < 1s]\n"
    )
    assert [(p.line, p.field) for p in found] == [
        (5, "faults[0]"),
        (8, "faults[1].issuer"),
        (9, "objectives[0]"),
        (9, "objectives[1]"),
    ]


def test_a_broken_neighbour_does_not_hide_a_checked_field(problems) -> None:
    found = problems(HEAD + "population:\n  size: many\n  provinces: {99: 1}\n")
    assert [p.field for p in found] == ["population.size", "population.provinces.99"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bank-outge", "did you mean bank-outage?"),
        ("nothing-like-it", "shipped are bank-outage, baseline"),
        ("missing/file.yaml", "there is no such scenario or file"),
    ],
)
def test_unknown_scenario_is_one_line(name: str, words: str) -> None:
    with pytest.raises(ScenarioProblems) as raised:
        load_scenario(name)
    line = str(raised.value)
    assert line.startswith(f"{name}: ")
    assert words in line
    assert "bindrill list" in line
    assert "\n" not in line


def test_a_path_suggests_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "evening.yaml").write_text(HEAD)
    with pytest.raises(ScenarioProblems, match=r"did you mean .*evening\.yaml\?"):
        load_scenario(tmp_path / "evning.yaml")
    with pytest.raises(ScenarioProblems, match="is a folder"):
        load_scenario(tmp_path)


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({"rate": "-5/s"}, ["--rate: -5/s is below 0; write 50/s, 600/m or 1000/h"]),
        ({"rate": "5"}, ["--rate: '5' is not a rate; write 50/s, 600/m or 1000/h"]),
        ({"duration": "0s"}, ["--duration: 0s is not above 0; write 250ms, 30s, 5m, 2h or 1h30m"]),
        ({"rate": "0/s"}, ["--rate: 0/s is not above 0; write 50/s, 600/m or 1000/h"]),
        ({"seed": 10**30}, [f"--seed: {10**30} is above {2**63 - 1}; write that or less"]),
        ({"duration": "99999999d"}, ["--duration: 99999999d is above 3650d; write 3650d or less"]),
        (
            {"rate": "999999999999/s"},
            ["--rate: 999999999999/s is above 1000000/s; write 1000000/s or less"],
        ),
        (
            {"duration": "1:30"},
            [
                "--duration: '1:30' is not a duration; write 1h30m for hours and minutes, or 1m30s"
                " for minutes and seconds"
            ],
        ),
        ({"seed": -1}, ["--seed: -1 is below 0; write 0 or more"]),
        (
            {"seed": -1, "rate": "x"},
            [
                "--seed: -1 is below 0; write 0 or more",
                "--rate: 'x' is not a rate; write 50/s, 600/m or 1000/h",
            ],
        ),
    ],
)
def test_bad_option(options, lines) -> None:
    with pytest.raises(ScenarioProblems) as raised:
        override(load_scenario("bank-outage"), **options)
    assert str(raised.value).splitlines() == lines


def test_a_run_too_short_for_its_faults_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "late.yaml"
    file.write_text(HEAD + "drain: 0s\nfaults:\n- {kind: outage, target: bank, start: 30s}\n")
    with pytest.raises(ScenarioProblems, match="--duration: outage-bank starts at 30s"):
        override(load_scenario(file), duration="20s")
