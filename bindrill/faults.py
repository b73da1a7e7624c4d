"""`bindrill faults`: the faults of a running `bindrill serve`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from bindrill.console import plain_console
from bindrill.errors import InputProblem
from bindrill.option_values import secret
from scenarios.addresses import in_path, server_url
from scenarios.text_file import Unreadable, read_text

if TYPE_CHECKING:
    from pydantic import ValidationError

PORTS = {"lender": 8080, "bank": 8081, "sms": 8082, "payment": 8083}
"""Where `bindrill serve` puts its services unless told otherwise."""
ADMIN_PORT = 8084
"""Where it puts all their admin APIs, unless that port is taken."""

app = typer.Typer(no_args_is_help=True, help="List, set and clear faults of a running server.")

UrlOption = Annotated[
    str | None, typer.Option(metavar="URL", help="One server's root, not the default ports.")
]
TargetOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only bank, sms, payment or lender.")
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        help="The server's admin token; better in the variable or a file.",
        envvar=["BINDRILL_ADMIN_TOKEN", "BINDRILL_ADMIN"],
    ),
]
TokenFileOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A file that holds the admin token.")
]


@app.command("list")
def list_faults(
    url: UrlOption = None,
    target: TargetOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """List the faults that are set, and which are in force."""
    key = secret("--token", token, token_file) or ""
    console = plain_console()
    found = 0
    for name, root in _servers(url, target).items():
        for entry in _call(root, "GET", "/faults", token=key).faults:
            state = "in force" if entry.in_force else "waiting or over"
            console.print(
                f"{name:<8} {entry.label:<24} {entry.fault.kind:<20} {state}, struck"
                f" {entry.struck:,} time{'' if entry.struck == 1 else 's'}"
            )
            found += 1
    if not found:
        console.print("no faults are set")


@app.command("set")
def set_faults(
    record: Annotated[
        str, typer.Argument(metavar="JSON|FILE", help="A record or a list, or a file of it.")
    ],
    url: UrlOption = None,
    target: TargetOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Set faults; their windows count from now, and one of the same name is replaced."""
    from pydantic import ValidationError

    from scenarios.faults import parse_fault

    servers = _servers(url, target)
    given = _records(record)
    if not given:
        raise InputProblem("there is no fault in it; write a record, or a list of records")
    key = secret("--token", token, token_file) or ""
    by_root: dict[str, list[Any]] = {}
    for one in given:
        try:
            fault = parse_fault(one)
        except ValidationError as error:
            raise InputProblem(_why(error)) from None
        for host in dict.fromkeys(part.host for part in fault.parts()):
            if url is not None:
                by_root.setdefault(url, []).append(one)
                break
            if host not in PORTS:
                raise InputProblem(
                    f"{fault.label}: no server applies it; put it into a scenario and run that"
                )
            if host in servers:
                by_root.setdefault(servers[host], []).append(one)
    if not by_root:
        raise InputProblem(f"none of these faults is for --target {target}")
    for root, records in by_root.items():
        _call(root, "PUT", "/faults", records, token=key)
    plain_console().print(f"{len(given)} set")


@app.command("clear")
def clear_faults(
    label: Annotated[str | None, typer.Argument(metavar="LABEL", help="All if left out.")] = None,
    url: UrlOption = None,
    target: TargetOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Clear all faults, or the one of a label."""
    key = secret("--token", token, token_file) or ""
    cleared = 0
    path = "/faults" if label is None else f"/faults/{in_path(label)}"
    for root in _servers(url, target).values():
        answer = _call(root, "DELETE", path, token=key, may_miss=label is not None)
        cleared += answer.cleared
    if label is not None and not cleared:
        raise InputProblem(f"no fault is called {label}; `bindrill faults list` shows all")
    plain_console().print(f"{cleared} cleared")


class _Record(msgspec.Struct):
    kind: str


class _Listed(msgspec.Struct):
    label: str
    in_force: bool
    struck: int
    fault: _Record


class _Reply(msgspec.Struct):
    """What the admin API answers to each of these calls."""

    faults: list[_Listed] = []
    cleared: int = 0


def _servers(url: str | None, target: str | None) -> dict[str, str]:
    """Root URL by the name to show."""
    if target is not None and target not in PORTS:
        raise InputProblem(f"--target {target}: write one of {', '.join(PORTS)}")
    if url is not None:
        return {target or "server": server_url("--url", url, "http://127.0.0.1:8081")}
    return {
        name: f"http://127.0.0.1:{port}" for name, port in PORTS.items() if target in (None, name)
    }


def _records(text: str) -> list[Any]:
    if not text.lstrip().startswith(("{", "[")):
        try:
            text = read_text(Path(text))
        except FileNotFoundError:
            raise InputProblem(f"{text}: No such file; write JSON or a file of it") from None
        except Unreadable as problem:
            raise InputProblem(f"{text}: {problem}") from None
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputProblem(f"the record is not JSON: {error}") from None
    return records if isinstance(records, list) else [records]


def _call(
    root: str, method: str, path: str, body: Any = None, *, token: str, may_miss: bool = False
) -> _Reply:
    from loadtests.admin import AdminProblem, call_admin, error_message, read_reply

    try:
        status, content = call_admin(_within_reach(root), method, path, body, token)
        if status == 404 and may_miss:
            return _Reply()
        if status != 200:
            raise InputProblem(f"{root} refuses ({status}): {error_message(content)}")
        return read_reply(root, content, _Reply)
    except AdminProblem as problem:
        raise InputProblem(f"{problem}; start `bindrill serve`, or give --url") from None


class _Services(msgspec.Struct):
    """What an admin port answers at its root."""

    services: dict[str, str]


def _within_reach(root: str) -> str:
    """The server's root; behind the usual admin port while a fault has closed its own. Raises
    AdminProblem when it is at neither."""
    from loadtests.admin import AdminProblem, fetch, read_reply

    try:
        fetch(f"{root}/health")
    except AdminProblem as closed:
        admin = f"http://127.0.0.1:{ADMIN_PORT}"
        try:
            _, content = fetch(f"{admin}/")
            services = read_reply(admin, content, _Services).services
        except AdminProblem:
            raise closed from None
        for name, url in services.items():
            if url == root:
                return f"{admin}/{name}"
        raise
    return root


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": ")
