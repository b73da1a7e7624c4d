"""What to serve, where, and with what."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from mocks.server.hosts import is_host_name
from mocks.server.problems import StartProblem
from scenarios.addresses import check_host, is_loopback, server_url

SERVICES = ("bank", "sms", "payment", "lender")
GATEWAYS = SERVICES[:3]

SIGNING_KEY_VARIABLE = "BINDRILL_SIGNING_KEY"
LOOPBACK_SIGNING_KEY = "bindrill-loopback-only"
"""Signs callbacks when no key is given; refused on any host that is not loopback."""

DATABASE_VARIABLE = "BINDRILL_DB"
"""The lender's database, whose address may hold a password: neither in a file nor on a command
line, where others can read it."""

SHORTEST_SECRET = 16
"""Characters of an admin token or a signing key: 64 bits, were they hexadecimal digits drawn at
random."""

ADMIN_PORT = 8084
"""The usual port of the admin APIs; another one is taken where it is not free."""

DATA = Path("bindrill-data")


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process of servers.

    `ports`: a port for each service to run, of bank, sms, payment and lender (0: any free one).
    `scenario`: a scenario file or name, whose world, policies and customers are served; defaults
    without. `seed`: instead of the scenario's. `database`: SQLAlchemy URL of the lender's database;
    the environment's BINDRILL_DB if None, and without that a file in `bindrill-data/`. `key_ring`:
    file of the lender's encryption keys, made when missing if `new_keys`. `node`: the lender
    process's name in its audit chain and outbox. `gateways`: root URL of each gateway that runs
    elsewhere. `callback_url`: root URL of a lender that runs elsewhere. `signing_key` of callbacks:
    the environment's BINDRILL_SIGNING_KEY if empty. `admin_token`: needed for the admin API on a
    host that is not loopback. `journal`: requests kept for `/__admin/requests`, 0 for none.
    `log_file`: stderr if none. `log_requests`: a line each request. `allow_remote_callbacks`:
    whether a call may name a callback address that is not loopback. `readings`: file to which the
    process writes what it sees of its own ceilings (`scenarios.ceilings`). `allow_hosts`: names by
    which the servers may be asked, beside loopback's and `host`. `allow_customer_headers`: whether
    the lender's customers may choose a namespace, and say to faults who they are. `admin_port`:
    where all admin APIs can be reached while a fault has closed the port of a service (0: any free
    one).
    """

    ports: dict[str, int]
    host: str = "127.0.0.1"
    scenario: str | None = None
    seed: int | None = None
    database: str | None = None
    key_ring: Path = DATA / "keys.json"
    new_keys: bool = True
    node: str = "lender-1"
    gateways: dict[str, str] = {}
    callback_url: str | None = None
    signing_key: str = ""
    admin_token: str | None = None
    journal: int = 1000
    log_file: Path | None = None
    log_requests: bool = False
    allow_remote_callbacks: bool = False
    readings: Path | None = None
    allow_hosts: tuple[str, ...] = ()
    allow_customer_headers: bool = False
    admin_port: int = 0

    def check(self) -> None:
        """Raises StartProblem for options that do not go together, AddressProblem for an address
        that is none."""
        check_host("--host", self.host)
        if self.callback_url is not None:
            server_url("--callback-url", self.callback_url, "http://127.0.0.1:9000")
        for gateway, url in self.gateways.items():
            server_url(f"gateways: {gateway}", url, "http://127.0.0.1:8081")
        unknown = sorted(set(self.ports) - set(SERVICES))
        if unknown or not self.ports:
            wrong = f"{unknown[0]} is no service" if unknown else "nothing to serve"
            raise StartProblem(f"{wrong}; give ports to some of {', '.join(SERVICES)}")
        for service, port in (*self.ports.items(), ("admin", self.admin_port)):
            if not 0 <= port <= 65535:
                raise StartProblem(f"{service}: {port} is no port; write 0 to 65535")
        by_port: dict[int, str] = {}
        if self.admin_port != ADMIN_PORT:  # the usual one gives way
            by_port[self.admin_port] = "admin"
        for service, port in self.ports.items():
            other = by_port.setdefault(port, service) if port else service
            if other != service:
                raise StartProblem(
                    f"{other} and {service} are both to listen on port {port}; give each its own"
                )
        if self.journal < 0:
            raise StartProblem(f"journal: {self.journal} is below 0; write 0 to keep none")
        if "lender" in self.ports:
            for gateway in GATEWAYS:
                if gateway not in self.ports and gateway not in self.gateways:
                    raise StartProblem(
                        f"the lender needs {gateway}: serve it too, or give its URL in gateways"
                    )
        for name in self.allow_hosts:
            if not is_host_name(name):
                raise StartProblem(f"{name!r} is no host; write a name without scheme and port")
        if self.admin_token is not None:
            check_secret("the admin token", self.admin_token)
        check_secret(SIGNING_KEY_VARIABLE, os.fsdecode(self.callback_key))
        if not self.on_loopback and self.callback_key == LOOPBACK_SIGNING_KEY.encode():
            raise StartProblem(
                f"{self.host} is not loopback; set {SIGNING_KEY_VARIABLE} to a secret of your own"
            )

    @property
    def on_loopback(self) -> bool:
        """Whether nobody but this machine can connect."""
        return is_loopback(self.host)

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the lender's database."""
        given = self.database or os.environ.get(DATABASE_VARIABLE, "")
        return given or f"sqlite:///{DATA / 'lender.db'}"

    @property
    def callback_key(self) -> bytes:
        """The key that signs callbacks."""
        given = self.signing_key or os.environ.get(SIGNING_KEY_VARIABLE, "")
        return os.fsencode(given or LOOPBACK_SIGNING_KEY)


def check_secret(what: str, secret: str) -> None:
    """Raises StartProblem for a token or key so short that it can be guessed."""
    if len(secret) < SHORTEST_SECRET:
        raise StartProblem(
            f"{what} has {len(secret)} characters; write at least {SHORTEST_SECRET}, such as those"
            " of `openssl rand -hex 32`"
        )


def read_options(path: Path) -> ServeOptions:
    """Options from a JSON file. Raises StartProblem when it is missing or wrong."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ServeOptions, dec_hook=_path)
    except OSError as error:
        raise StartProblem(f"{path}: {error.strerror or 'cannot be read'}") from None
    except msgspec.MsgspecError as error:
        raise StartProblem(f"{path}: {error}") from None


def write_options(options: ServeOptions, path: Path) -> None:
    """Write the file that `read_options` reads, for its owner's eyes only."""
    path.unlink(missing_ok=True)  # one of before may be open to others
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(options, enc_hook=str))


def _path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError
