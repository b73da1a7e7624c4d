"""Whatever a scenario file holds, it loads or is refused in lines; nothing else comes of it.

Bounded: a few hundred mutations of the shipped files, and inputs that grow.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scenarios.data_size import parse_size
from scenarios.drill_library import load_shipped
from scenarios.faults import FAULT_KINDS, parse_fault
from scenarios.library_index import LIBRARY, drills, library
from scenarios.loader import dump, load_scenario, override
from scenarios.objectives import METRICS, parse_objective
from scenarios.prices import load_prices
from scenarios.problems import ScenarioProblems
from scenarios.schema import Scenario
from scenarios.text_file import MOST_BYTES
from scenarios.units import parse_duration, parse_number, parse_rate, parse_share
from scenarios.varied import parse_dimension
from scenarios.yaml_values import MOST_NODES

HEAD = "name: trial\nduration: 60s\narrivals: {kind: poisson, rate: 5/s}\n"
SHIPPED = [entry.path for entry in (*library(), *drills())]
TEXTS = {path: path.read_text(encoding="utf-8") for path in SHIPPED}

PARSERS = [
    parse_duration,
    parse_rate,
    parse_share,
    parse_number,
    parse_size,
    parse_objective,
    lambda text: parse_dimension(text, 8),
]

odd_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, -1, 0, 2**63, 10**400]),
    st.floats(),
    st.sampled_from(
        [
            *[
                "20:00",
                "1:30",
                ".inf",
                "-.nan",
                "012",
                "0o17",
                "0x1F",
                "1_000",
                "1e3",
                "1e999",
                "~",
            ],
            *["2026-01-01", "2026-99-99", "120%", "-1%", "0s", "99999999d", "999999999999/s"],
            *["yes", "off", "", " ", "../x", "a/b", "con", "x" * 300, "[/x]", "=cmd", "1" * 5000],
            *["\x1b[31m", "a\nb", "\ud800", "\u202eabc", "\x00", "p95(" + " " * 2000 + "x", "<<"],
        ]
    ),
    st.text(max_size=20),
)
odd_values = st.recursive(
    odd_scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


def refused_in_lines(file: Path) -> Scenario | None:
    """The scenario, or None when it is refused as it should be."""
    try:
        return load_scenario(file)
    except ScenarioProblems as refused:
        problems = refused.problems
    assert problems
    for problem in problems:
        assert str(problem).isprintable()  # so it has no line ends either
        assert len(str(problem)) < 2000
        assert problem.line > 0
    return None


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items if isinstance(node, dict | list) else ():
        found += places(value, (*path, key)) if isinstance(value, dict | list) else [(*path, key)]
    return found


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_shipped_scenario_with_a_strange_value_loads_or_is_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = data.draw(st.sampled_from(SHIPPED))
    content = yaml.safe_load(TEXTS[path])
    place = data.draw(st.sampled_from(places(content)))
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = data.draw(odd_values)
    file = tmp_path_factory.getbasetemp() / "strange.yaml"
    # As somebody would write it: PyYAML puts what it would read otherwise in quotes, so half of the
    # time the quotes go.
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=False)
    if data.draw(st.booleans()):
        text = text.replace("'", "")
    file.write_text(text, encoding="utf-8")
    scenario = refused_in_lines(file)
    if scenario is not None and scenario.arrivals.kind != "recorded":
        file.write_text(dump(scenario), encoding="utf-8")
        assert load_scenario(file) == scenario


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_shipped_scenario_with_other_characters_loads_or_is_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = TEXTS[data.draw(st.sampled_from(SHIPPED))]
    at = data.draw(st.integers(0, len(text)))
    gone = data.draw(st.integers(0, 40))
    strange = st.text(
        "\t\r\n {}[]&*!|>'\"%@`#-?:,<~=0123456789eE_.xo\x00\x85\ufeff\u2028a", max_size=6
    )
    changed = text[:at] + data.draw(strange) + text[at + gone :]
    file = tmp_path_factory.getbasetemp() / "typed.yaml"
    file.write_bytes(changed.encode())
    refused_in_lines(file)


@settings(max_examples=300, deadline=None)
@given(
    text=st.text("0123456789.,:%/smhd() <>=!_eE+-pxKMGTiB", max_size=30)
    | st.text(max_size=20)
    | st.builds(lambda m, t: f"{m}({t}) < {t}", st.sampled_from(list(METRICS)), st.text(max_size=9))
)
@pytest.mark.parametrize("parse", PARSERS)
def test_parsers_read_or_say_what_to_write(parse: Any, text: str) -> None:
    said = ""
    try:
        parse(text)
    except ValueError as refused:
        said = str(refused)
    assert said.isprintable()
    assert len(said) < 1000


@pytest.mark.parametrize("size", [20_000, 1_000_000])
@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "grown",
    ["1", "1 ", "9.", "1s", "p95( ", "(", " ", "1:", "0..1:", "a=1,", "%", "1e", "٣", "<", "_"],
)
def test_long_texts_are_refused_unread(parse: Any, grown: str, size: int) -> None:
    """What is too long is no longer looked at: neither backtracking nor long digits come to it."""
    text = grown * (size // len(grown))
    with pytest.raises(ValueError) as refused:
        parse(text if parse is not PARSERS[-1] else f"a={text}")
    assert len(str(refused.value)) < 400


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(list(FAULT_KINDS)), data=st.data())
def test_a_fault_record_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    fields = [*FAULT_KINDS[kind].model_fields, "unknown"]
    record = data.draw(st.dictionaries(st.sampled_from(fields), odd_values, max_size=5))
    try:
        fault = parse_fault({"target": "bank", "delay": "1s", **record, "kind": kind})
    except ValidationError:
        return
    fault.model_dump_json()


GROWING = {
    "billion laughs": lambda n: (
        HEAD
        + "title: &a0 ha\nvariants:\n- &v0 [x]\n"
        + "".join(f"- &v{i + 1} [{', '.join([f'*v{i}'] * 9)}]\n" for i in range(n))
    ),
    "merges of merges": lambda n: (
        HEAD
        + "lender:\n  m0: &m0 {a: 1}\n"
        + "".join(
            f"  m{i + 1}: &m{i + 1} {{<<: [{', '.join([f'*m{i}'] * 9)}]}}\n" for i in range(n)
        )
    ),
    "an alias of itself": lambda n: HEAD + "world: &w {bank: *w}\n" + "#" * n,
    "merge of itself": lambda n: HEAD + "world: &w {<<: *w}\n" + "#" * n,
    "nesting": lambda n: HEAD + "title: " + "[" * (20 * n),
    "nesting of blocks": lambda n: HEAD + "title:\n  " + "- " * (20 * n) + "x\n",
    "unknown fields": lambda n: HEAD + "".join(f"x{i}: 1\n" for i in range(10 * n)),
    "broken faults": lambda n: HEAD + "faults:\n" + "- {kind: outge}\n" * (10 * n),
    "digits": lambda n: HEAD + f"seed: {'9' * (500 * n)}\n",
    "hexadecimal digits": lambda n: HEAD + f"seed: 0x{'f' * (500 * n)}\n",
    "base 60": lambda n: HEAD + f"drain: 1{':59' * (500 * n)}\n",
    "exponent": lambda n: HEAD + f"drain: 1e{'9' * n}\n",
    "a name": lambda n: "name: " + "a" * (1000 * n) + "\nduration: 1m\narrivals: {kind: x}\n",
    "a key": lambda n: HEAD + "k" * (1000 * n) + ": 1\n",
    "an objective": lambda n: HEAD + f"objectives: ['p95({' ' * (100 * n)}x']\n",
    "a duration": lambda n: HEAD + f"faults: [{{kind: latency, delay: {'1' * (500 * n)}s}}]\n",
    "quotes": lambda n: HEAD + 'title: "' + "\\x" * (500 * n),
}


@pytest.mark.parametrize("grow", GROWING.values(), ids=GROWING)
@pytest.mark.parametrize("size", [12, 60])
def test_a_growing_file_is_refused(grow: Any, size: int, tmp_path: Path) -> None:
    file = tmp_path / "grown.yaml"
    file.write_text(grow(size), encoding="utf-8")
    with pytest.raises(ScenarioProblems) as refused:
        load_scenario(file)
    assert all(len(str(problem)) < 1000 for problem in refused.value.problems)


def test_aliases_count_as_what_they_stand_for(tmp_path: Path) -> None:
    file = tmp_path / "aliases.yaml"
    file.write_text(GROWING["billion laughs"](8))
    with pytest.raises(ScenarioProblems, match=f"more than {MOST_NODES} values"):
        load_scenario(file)


ENCODINGS = {
    "UTF-16": HEAD.encode("utf-16"),
    "UTF-16 without a mark": HEAD.encode("utf-16-le"),
    "UTF-32": HEAD.encode("utf-32"),
    "NUL": (HEAD + "title: a\0b\n").encode(),
    "half a pair, raw": HEAD.encode() + b"title: \xed\xa0\x80\n",
    "half a pair, escaped": HEAD.encode() + b'title: "\\ud800"\n',
    "binary tag": HEAD.encode() + "title: !!binary é\n".encode(),
    "a set": HEAD.encode() + b"population: !!set {a, b}\n",
    "pairs": HEAD.encode() + b"population: !!pairs [a: b]\n",
    "an integer that is none": HEAD.encode() + b"seed: !!int x\n",
    "a float that is none": HEAD.encode() + b"seed: !!float x\n",
    "a time that is none": HEAD.encode() + b"seed: !!timestamp x\n",
    "an escape that is none": HEAD.encode() + b'title: "\\Uffffffff"\n',
    "a merge of a scalar": HEAD.encode() + b"population: {<<: 1}\n",
    "a key that is a list": HEAD.encode() + b"? [a]\n: 1\n",
    "a version": b"%YAML 9.9\n---\n" + HEAD.encode(),
}


@pytest.mark.parametrize("content", ENCODINGS.values(), ids=ENCODINGS)
def test_what_is_no_text_is_refused_with_its_line(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "bytes.yaml"
    file.write_bytes(content)
    assert refused_in_lines(file) is None


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_byte_order_mark_and_line_ends_make_no_difference(mark, end, tmp_path: Path) -> None:
    file = tmp_path / "windows.yaml"
    file.write_bytes(mark + HEAD.encode().replace(b"\n", end))
    assert load_scenario(file).duration == 60


@pytest.mark.parametrize("load", [load_scenario, load_shipped, load_prices])
def test_files_that_are_none_are_refused_in_one_line(load: Any, tmp_path: Path) -> None:
    fifo, large = tmp_path / "fifo.yaml", tmp_path / "large.yaml"
    os.mkfifo(fifo)
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    named = (fifo, large, tmp_path, Path("/dev/zero"), tmp_path / "missing.yaml", Path("a\0b.yaml"))
    for path in (*named, Path("half\ud800.yaml"), Path("x" * 5000 + ".yaml")):
        with pytest.raises(ScenarioProblems) as refused:
            load(path)
        assert len(refused.value.problems) == 1


@settings(max_examples=100, deadline=None)
@given(
    seed=st.none() | st.integers(-(10**40), 10**40),
    duration=st.none() | st.text("0123456789.smhd:", max_size=12),
    rate=st.none() | st.text("0123456789./smhd", max_size=12),
)
def test_options_are_taken_or_refused(seed: Any, duration: Any, rate: Any) -> None:
    scenario = load_scenario(LIBRARY / "baseline.yaml")
    fields = []
    try:
        override(scenario, seed=seed, duration=duration, rate=rate)
    except ScenarioProblems as refused:
        fields = [problem.field for problem in refused.problems]
    assert all(field.startswith("--") for field in fields)
