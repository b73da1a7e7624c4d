"""Addresses on the command line: refused in one line, before anything is begun."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("serve", "--without", "lender", "--callback-url", "127.0.0.1:9"),
            "--callback-url 127.0.0.1:9 is not a URL; write http://127.0.0.1:9",
        ),
        (
            ("run", "baseline", "--live", "--target", "127.0.0.1:9000"),
            "--target 127.0.0.1:9000 is not a URL; write http://127.0.0.1:9000",
        ),
        (("run", "baseline", "--live", "--target", "http://[::1"), "--target http://[::1 has"),
        (("capacity", "baseline", "--target", "http://a b"), "--target http://a b holds a blank;"),
        (("capacity", "baseline", "--target", "http://192.0.2.1"), "--allow-remote"),
        (("run", "baseline", "--live", "--target", "http://127.1:9"), "of four numbers; write"),
        (("sweep", "baseline", "--vary", "seed=1", "--cluster", "http://x:1"), "--cluster http://"),
        (
            ("run", "baseline", "--sim", "--replications", "9", "--cluster", "tcp://h:99999"),
            "'99999'",
        ),
        (("faults", "list", "--url", "http://127.0.0.1:port/"), "--url http://127.0.0.1:port/ has"),
        (("faults", "clear", "x", "--url", "http://[::1"), "--url http://[::1 has"),
        (("reconcile", "--db", "sqlite:///x.db", "--bank", "h:1"), "--bank h:1 is not a URL;"),
        (("reconcile", "--payment", "http://h:0"), "--payment http://h:0 has the port"),
        (("serve", "--host", "http://127.0.0.1"), "--host http://127.0.0.1 is no host name"),
    ],
)
def test_an_address_that_is_none_is_one_line(
    bindrill, tmp_path, monkeypatch, arguments: tuple[str, ...], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = bindrill(*arguments)
    assert said.code == 2
    assert line in said.err
    assert len(said.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())
