"""Others' text on a terminal, in a pipe and in a file: text, whatever the streams can take."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_process import BINDRILL, QUICK, ROOT, run
from rich.table import Table

from bindrill.console import plain_console
from scenarios.printed_text import printed_text, shell_word

NASTY = "[/x] [red]\x1b[31m\n\u202e\udcff"
SHOWN = "[/x] [red]\\x1b[31m\\n\\u202e\\xff"


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    (tmp_path / "quick.yaml").write_text(QUICK, encoding="utf-8")
    return tmp_path


def test_what_cannot_be_seen_is_written_out() -> None:
    assert printed_text(NASTY) == SHOWN
    assert printed_text("场景 é 😀\u3000") == "场景 é 😀\u3000"
    assert printed_text("a\nb\tc\x85\u2028", keep="\n") == "a\nb\\tc\\x85\\u2028"


@pytest.mark.parametrize("word", ["a b", "it's", "\x1b[31m", "two\nlines", "\\n", "é'\x07\\"])
def test_a_word_for_the_shell_comes_back_as_it_was(word: str) -> None:
    printed = subprocess.run(
        ["bash", "-c", f"printf %s {shell_word(word)}"], capture_output=True, check=True
    ).stdout
    assert printed.decode() == word


def test_the_console_takes_nothing_for_markup_not_even_in_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table(box=None)
    table.add_column("[/h]")
    table.add_row(NASTY)
    plain_console().print(NASTY)
    plain_console(width=200).print(table, soft_wrap=False)
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == SHOWN
    assert printed.count(SHOWN) == 2
    assert "[/h]" in printed


def test_nothing_of_the_command_line_prints_by_another_way() -> None:
    others = [
        f"{file.name}: {line.strip()}"
        for file in (ROOT / "bindrill").glob("*.py")
        if file.name != "console.py"
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"(?<![\w.])(print|Console)\(|echo\(|markup=True|from_markup", line)
    ]
    assert not others


def test_paths_and_names_are_printed_as_they_are(quick: Path) -> None:
    out = "[team] x[/nope]\x1b\n\u202e"
    done = run("run", "quick.yaml", "--sim", "--out", out, folder=quick)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert re.search(r"into \[team\] x\[/nope\]\\x1b\\n\\u202e/quick-", lines[0])
    assert any("of 6 succeeded" in line for line in lines)  # its events were found
    assert lines[-1].startswith("Report: [team] x[/nope]\\x1b\\n\\u202e/quick-")
    (folder,) = (quick / out).iterdir()
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))["command"]
    assert told.endswith("--out $'[team] x[/nope]\\x1b\\n\\u202e'")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "[/x]$a_b$" in page  # in figures too, where $ would begin a formula
    again = run("run", "quick.yaml", "--sim", "--json", "--out", out, folder=quick)
    assert json.loads(again.stdout)["run"].startswith("[team] x[/nope]\\x1b\\n\\u202e/quick-")


def test_errors_are_one_line_whatever_they_quote(quick: Path) -> None:
    for arguments in (
        ("validate", b"a\x1b[31m\nbindrill: forged\xff"),
        ("report", b"[/x]\nbindrill: forged\xff"),
        (b"[/x]\n\x1b",),
        ("run", "quick.yaml", "--sim", "--out", b"quick.yaml"),
        ("run", "quick.yaml", "--sim", "--out", b"x\xff"),
    ):
        done = run(*arguments, folder=quick)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert b"\x1b" not in done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "latin-1", "cp1252"])
def test_what_a_stream_cannot_show_is_replaced(quick: Path, encoding: str) -> None:
    (quick / "quick.yaml").rename(quick / "场景.yaml")
    done = run("validate", "场景.yaml", folder=quick, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stdout) == (0, b"??.yaml: quick is valid\n"), done.stderr
    assert run("drill", "--calendar", folder=quick, PYTHONIOENCODING=encoding).returncode == 0
    schema = run("schema", folder=quick, PYTHONIOENCODING=encoding)
    assert json.loads(schema.stdout) == json.loads(run("schema", folder=quick).stdout)


def limited(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command, "bash", *BINDRILL],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("command", ["list", "schema", "--help", "drill"])
def test_a_full_output_is_one_line_and_exit_code_2(tmp_path: Path, command: str) -> None:
    done = limited(f'"$@" {command} > /dev/full', tmp_path)
    assert done.returncode == 2
    assert done.stderr == "bindrill: standard output: No space left on device\n"


def test_readers_that_go_and_closed_streams_leave_no_traceback(tmp_path: Path) -> None:
    piped = limited('"$@" schema | head -c 1; echo "${PIPESTATUS[0]}"', tmp_path)
    assert (piped.stdout, piped.stderr) == ("{141\n", "")
    for closed in (">&-", "<&-", "2>&-"):
        done = limited(f'"$@" list {closed}', tmp_path)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "around",
    [
        {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "MPLCONFIGDIR": "/proc/no"},
        {"HOME": "/proc/none"},
        {"HOME": "relative"},
        {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "1"},
        {"FORCE_COLOR": "1", "COLUMNS": "abc"},
    ],
    ids=lambda around: " ".join(around),
)
def test_a_report_is_the_same_whatever_is_around_it(
    quick: Path, around: dict[str, str], bindrill: Callable[..., object]
) -> None:
    bindrill("run", quick / "quick.yaml", "--sim", "--out", quick / "runs")
    (folder,) = (quick / "runs").iterdir()
    bindrill("report", folder)
    page = (folder / "report.html").read_bytes()
    (quick / "matplotlibrc").write_bytes(b"figure.figsize: 1, 1\n\xff")
    done = run("report", folder, folder=quick, **around)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (folder / "report.html").read_bytes() == page
    assert not (quick / "relative").exists()
