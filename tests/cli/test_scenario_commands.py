from __future__ import annotations

import json

FIVE_MISTAKES = """\
name: Shouting
duration: 60
arrivals:
  kind: poisson
  rate: -5/s
faults:
  - kind: outtage
    target: bank
objectives:
  - p95(confirms) < 800ms
"""


def test_validate_reports_every_mistake_with_its_line(bindrill, tmp_path):
    file = tmp_path / "five.yaml"
    file.write_text(FIVE_MISTAKES)
    outcome = bindrill("validate", file)
    assert outcome.code == 2
    lines = outcome.err.strip().splitlines()
    assert len(lines) == 5
    for line, (number, field) in zip(
        lines,
        [(1, "name"), (2, "duration"), (5, "rate"), (7, "kind"), (10, "objectives")],
        strict=True,
    ):
        assert f"five.yaml:{number}: " in line
        assert field in line


def test_validate_accepts_the_library(bindrill, tmp_path):
    names = [line.split("\t")[0] for line in bindrill("list").out.splitlines()]
    assert {"baseline", "bank-outage", "sms-delay", "flash-crowd"} <= set(names)
    outcome = bindrill("validate", *names)
    assert outcome.code == 0
    assert outcome.out.count("is valid") == len(names)


def test_schema_is_json_schema(bindrill):
    schema = json.loads(bindrill("schema").out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"arrivals", "faults", "objectives"} <= set(schema["properties"])


def test_bad_input_is_one_line_without_traceback(bindrill, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [unclosed\n")
    for arguments, says in (
        (("run", "baselime", "--out", tmp_path), "baseline"),
        (("run", broken, "--out", tmp_path), "broken.yaml:"),
        (("run", "baseline", "--rate=-5/s", "--out", tmp_path), "--rate"),
        (("run", "baseline", "--duration", "soon", "--out", tmp_path), "--duration"),
        (("run", "baseline", "--sim", "--live"), "--sim"),
        (("run", "baseline", "--calibration", tmp_path / "none.yaml"), "bindrill calibrate"),
        (("run", "baseline", "--seed=-1"), "--seed"),
        (("report", tmp_path), "run.json"),
        (("compare", tmp_path, tmp_path), "run.json"),
        (("join", tmp_path / "nowhere"), "nowhere"),
        (("run", "baseline", "--seed", 10**30), "--seed"),
        (("run", "baseline", "--duration", "99999999d"), "write 3650d or less"),
        (("run", "baseline", "--rate", "999999999999/s"), "write 1000000/s or less"),
        (("run", "baseline", "--rate", "0/s"), "is not above 0"),
        (("run", "baseline", "--rate", "9/s", "--duration", "3650d"), "customers would come"),
        (("capacity", "baseline", "--sim", "--within", "99999999d"), "--within"),
        (("capacity", "baseline", "--sim", "--to", "1e9/s"), "--to"),
        (("drill", "--calendar", "--every", "20:00"), "write 20h"),
        (("drill", "async-failover", "--predict", "--database-size", "9999999TB"), "1000TB"),
        (("sweep", "baseline", "--vary", f"arrivals.rate={'1' * 20_000}/s"), "--vary"),
        (("validate", "/dev/zero"), "is no file on a disk"),
        (("serve", "--bank-port", "8080"), "lender and bank are both to listen on port 8080"),
        (("serve", "--without", "bnk"), "bnk"),
        (("frobnicate",), "frobnicate"),
    ):
        outcome = bindrill(*arguments)
        assert outcome.code == 2, arguments
        assert says in outcome.err, arguments
        assert len(outcome.err.strip().splitlines()) == 1, outcome.err
        assert "Traceback" not in outcome.err
    assert not list(tmp_path.glob("base*"))
