"""Passwords, tokens and keys: hidden wherever they stand, never short, for their owner's eyes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtests.stack import Stack
from mocks.lender.sql_store import SqlStore
from mocks.lender.store import StoreUnavailable
from mocks.server.options import (
    ServeOptions,
    check_secret,
    read_options,
    write_options,
)
from mocks.server.problems import StartProblem
from scenarios.loader import load_scenario
from scenarios.passwords import command_line, without_password, without_secrets

SECRET = "s3cretpw"
HIDDEN_IN = (
    "postgresql://u:s3cretpw@127.0.0.1:1/d",
    "postgresql://:s3cretpw@127.0.0.1:1/d",
    "postgresql+psycopg://u:s3cretpw@127.0.0.1:1/d",
    "postgresql+psycopg2://u:s3cretpw@/d?host=127.0.0.1:1&host=127.0.0.1:2",
    "postgresql://127.0.0.1:1/d?user=u&password=s3cretpw",
    "postgresql://u@127.0.0.1:1/d?sslpassword=s3cretpw",
    "postgresql://u@127.0.0.1:1/d?p%61ssword=s3cretpw",
    "postgresql://u@127.0.0.1:1/d?pasword=s3cretpw",
    "postgresql://u@127.0.0.1:1/d?password=a@s3cretpw",
    "postgresql://u:a@s3cretpw@127.0.0.1:1/d",
    "postgresql://u:a/s3cretpw@127.0.0.1:1/d",
    "postgresql://u:a%40s3cretpw@127.0.0.1:1/d",
    "postgresql://u:a?s3cretpw@127.0.0.1:1/d",
    "postgresql://u:s3cretpw@127.0.0.1:port/d",
    "mysql://u:s3cretpw@127.0.0.1/d",
    "host=127.0.0.1 password=s3cretpw",
)


@pytest.mark.parametrize("url", HIDDEN_IN)
def test_a_password_is_hidden_wherever_an_address_has_it(url: str) -> None:
    assert SECRET not in without_password(url)
    assert SECRET not in without_secrets(f"database {url} failed")
    for typed in (["--db", url], [f"--db={url}"], [url]):
        assert SECRET not in command_line(["bindrill", "run", *typed])
    with pytest.raises(StoreUnavailable) as refused:
        SqlStore(url)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u@h:5432/lender?sslmode=require",
        "sqlite:////home/me@work/lender.db",
        "postgresql://[::1]:5432/d",
        "http://127.0.0.1:8080/v1/applicants?x=1",
    ],
)
def test_an_address_without_a_password_is_shown_as_it_is(address: str) -> None:
    assert without_secrets(f"see {address}: gone") == f"see {address}: gone"


def test_tokens_of_a_command_are_hidden() -> None:
    typed = ["bindrill", "serve", "--admin-token", SECRET, f"--token={SECRET}", "--host", "::1"]
    assert command_line(typed) == "bindrill serve --admin-token '***' '--token=***' --host ::1"


def test_a_short_token_or_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_secret("the key", "k" * 16)
    for options in (
        {"admin_token": "k" * 15},
        {"admin_token": ""},
        {"signing_key": "k" * 15},
    ):
        with pytest.raises(StartProblem, match="at least 16"):
            ServeOptions(ports={"bank": 0}, **options).check()
    monkeypatch.setenv("BINDRILL_SIGNING_KEY", "short")
    with pytest.raises(StartProblem, match="BINDRILL_SIGNING_KEY"):
        ServeOptions(ports={"bank": 0}).check()


@pytest.fixture(params=[0o000, 0o077])
def mask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_database_and_options_are_their_owners_alone(tmp_path: Path, mask: int) -> None:
    file = tmp_path / "lender.db"
    with closing(SqlStore(f"sqlite:///{file}")):
        beside = [file.with_name(file.name + end) for end in ("", "-wal", "-shm")]
        assert [rights(path) for path in beside] == [0o600] * 3
    options = tmp_path / "options.json"
    options.touch()
    options.chmod(0o644)
    write_options(ServeOptions(ports={"bank": 0}), options)
    assert rights(options) == 0o600


def test_the_lenders_password_is_in_no_file_and_on_no_command_line(tmp_path: Path) -> None:
    """SQLite takes a parameter that nobody shows, so that the lender starts with a secret."""
    database = f"sqlite:///{tmp_path / 'own.db'}?timeout=5.{'7' * 9}"
    with Stack(load_scenario("baseline"), tmp_path, database=database) as stack:
        stack.start_gateways(stack.address("lender"))
        stack.start_lender("lender", database, key_ring=tmp_path / "keys.json")
        process = psutil.Process(stack.process("lender").pid)
        assert "77777" not in " ".join(process.cmdline())
        stack.kill("lender")
        stack.restart("lender")
    assert (tmp_path / "own.db").exists()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"77777" not in path.read_bytes(), path
    assert read_options(tmp_path / "lender-options.json").database is None


def test_a_token_comes_from_a_file_or_the_environment(
    tmp_path: Path, bindrill: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("short\n")
    told = bindrill("serve", "--without", "lender", "--admin-token-file", token)
    assert (told.code, "has 5 characters" in told.err) == (2, True)
    both = bindrill("serve", "--admin-token", "x" * 16, "--admin-token-file", token)
    assert "two tokens" in both.err
    monkeypatch.setenv("BINDRILL_ADMIN_TOKEN", "seven77")
    told = bindrill("serve", "--without", "lender")
    assert (told.code, "has 7 characters" in told.err) == (2, True)
    token.write_text("a\nb\n")
    monkeypatch.delenv("BINDRILL_ADMIN_TOKEN")
    for wrong in (token, tmp_path / "none"):
        refused = bindrill("faults", "list", "--token-file", wrong)
        assert refused.code == 2
        assert str(wrong) in refused.err
    monkeypatch.setenv("BINDRILL_DB", f"postgresql://u:a@{SECRET}@h/d")
    asked = bindrill("reconcile")
    assert asked.code == 2
    assert SECRET not in asked.err
