"""Addresses as people write them: taken as they are, or refused with what to write."""

from __future__ import annotations

import pytest

from scenarios.addresses import (
    Address,
    AddressProblem,
    check_host,
    check_scheduler,
    in_path,
    is_loopback,
    is_loopback_url,
    parse_address,
    server_url,
)

EXAMPLE = "http://127.0.0.1:9000"
EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    ("url", "parts", "authority"),
    [
        ("http://127.0.0.1:9000", Address("http", "127.0.0.1", 9000, ""), "127.0.0.1:9000"),
        ("https://lender.example/api/", Address("https", "lender.example", 443, "/api"), None),
        ("HTTP://LOCALHOST", Address("http", "localhost", 80, ""), "localhost"),
        ("http://[::1]:81/x", Address("http", "::1", 81, "/x"), "[::1]:81"),
        ("http://my_service:8080", Address("http", "my_service", 8080, ""), "my_service:8080"),
    ],
)
def test_a_url_is_taken_as_it_is(url: str, parts: Address, authority: str | None) -> None:
    found = parse_address("--target", url, EXAMPLE)
    assert found == parts
    assert authority is None or found.authority == authority
    assert server_url("--target", url + "/", EXAMPLE) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:9", "127.0.0.1:9 is not a URL; write http://127.0.0.1:9"),
        ("localhost:80/x", "is not a URL; write http://localhost:80/x"),
        ("", "is not a URL; write http://127.0.0.1:9000"),
        ("http:127.0.0.1", "is not a URL"),
        ("//127.0.0.1:9", "is not a URL"),
        ("ftp://127.0.0.1", "neither http:// nor https://"),
        ("http://", "names no host"),
        ("http:///path", "names no host"),
        ("http://[::1", "brackets"),
        ("http://[127.0.0.1]", "brackets"),
        ("http://[fe80::1%25eth0]", "zone"),
        ("http://host:99999", "'99999'"),
        ("http://host:port/", "'port'"),
        ("http://host:/", "''"),
        ("http://host:0", "'0'"),
        ("http://host:8080:1", "'8080:1'"),
        ("http://a b/", "a blank"),
        (" http://127.0.0.1", "is not a URL"),
        ("http://127.0.0.1\n", "a blank"),
        ("http://127.0.0.1/\x1b[31m", "\\x1b"),
        ("http://bücher.example", "the character ü"),
        ("http://２.２.２.２", "the character ２"),
        ("http://\ud800", "\\ud800"),
        ("http://host\\path", "the character \\"),
        ("http://127.1", "four numbers"),
        ("http://0x7f.1", "four numbers"),
        ("http://2130706433", "four numbers"),
        ("http://127.0.0.01", "four numbers"),
        ("http://a..b", "looked up"),
        ("http://-a.example", "looked up"),
        (f"http://{'a' * 64}.example", "looked up"),
        (f"http://{'a.' * 127}example", "looked up"),
        (f"http://host/{'x' * 5000}", "longer than 2000"),
        ("http://host/?a=1", "leave out ? and #"),
        ("http://host/#a", "leave out ? and #"),
    ],
)
def test_what_cannot_be_meant_is_one_line_with_the_mend(url: str, words: str) -> None:
    with pytest.raises(AddressProblem) as caught:
        parse_address("--target", url, EXAMPLE)
    message = str(caught.value)
    assert message.startswith("--target")
    assert words in message
    assert "; write http://" in message
    assert message.isprintable()
    assert len(message) < 500


@pytest.mark.parametrize("url", ["http://me:secret@host", "me:secret@host:9", "x://:secret@h"])
def test_a_password_in_an_address_is_not_repeated(url: str) -> None:
    with pytest.raises(AddressProblem, match="user name or password") as caught:
        parse_address("--target", url, EXAMPLE)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("127.0.0.1", "127.255.0.3", "::1", "localhost", "LocalHost")),
        *((host, False) for host in ("127.1", "0x7f.1", "2130706433", "127.0.0.01", "localhost.")),
        *((host, False) for host in ("::ffff:127.0.0.1", EVERYWHERE, "::", "::1%lo", "[::1]", "")),
        *((host, False) for host in ("127.0.0.1.example.org", "10.0.0.1", "localhost.localdomain")),
    ],
)
def test_only_what_is_certainly_this_machine_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    assert is_loopback_url(f"http://{shown}:8080/x") is (loopback or host == "[::1]")


@pytest.mark.parametrize("host", ["127.0.0.1", EVERYWHERE, "::", "::1", "localhost", "my-host"])
def test_a_host_to_listen_on(host: str) -> None:
    check_host("--host", host)


@pytest.mark.parametrize("host", ["", "[::1]", "localhost:80", "http://x", "a b", "127.1", "ü"])
def test_what_is_no_host_to_listen_on(host: str) -> None:
    with pytest.raises(AddressProblem, match=r"--host .*; write 127\.0\.0\.1"):
        check_host("--host", host)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8786", "tcp://scheduler:8786", "tls://[::1]:8786", "wss://h.example:443"]
)
def test_a_scheduler_has_an_address(address: str) -> None:
    check_scheduler("--cluster", address)


@pytest.mark.parametrize(
    "address", ["", "lokal", "tcp://h", "http://h:1", "h:99999", "tcp://[::1", "u@h:1", "a b:1"]
)
def test_what_is_no_scheduler_is_one_line(address: str) -> None:
    with pytest.raises(AddressProblem, match=r"--cluster .*; write tcp://127.0.0.1:8786"):
        check_scheduler("--cluster", address)


@pytest.mark.parametrize(
    ("segment", "written"),
    [
        ("a/b?c#d%", "a%2Fb%3Fc%23d%25"),
        ("..", "%2E%2E"),
        ("a..b", "a..b"),
        ("绑定\r\n", "%E7%BB%91%E5%AE%9A%0D%0A"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_an_identifier_stays_one_segment_of_the_path(segment: str | int, written: str) -> None:
    assert in_path(segment) == written
