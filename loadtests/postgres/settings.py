"""The text of a cluster's configuration files: settings, who may connect, standby and recovery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from loadtests.relay import Address

CommitLevel = Literal["off", "local", "remote_write", "on", "remote_apply"]
"""PostgreSQL's `synchronous_commit`."""

ADMIN = "bindrill"
"""The superuser: through the socket in the private folder alone."""
REPLICATOR = "replicator"
APPLICATION = "lender"
"""The lender's role; its database has the same name."""

_BASE: Mapping[str, str] = {
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "fsync": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "wal_keep_size": "64MB",
    "max_wal_size": "512MB",
    "hot_standby": "on",
    "jit": "off",
    # Shared memory in files of the data folder: nothing to leave behind in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "wal_retrieve_retry_interval": "200ms",
    "wal_receiver_status_interval": "1s",
    "logging_collector": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # Customers' data must not reach the log: no statements, no row contents.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


@dataclass(frozen=True)
class Upstream:
    """Whom a standby follows: where, as whom, and by which replication slot."""

    address: Address
    password: str
    application_name: str
    slot: str | None


@dataclass(frozen=True)
class Settings:
    """What differs from one cluster to the next."""

    port: int
    socket_folder: Path
    archive: Path | None = None
    archive_timeout: int = 0
    """Seconds after which an unfinished log file is archived; 0: when it is full. PostgreSQL has no
    fractions of a second here."""
    commit: CommitLevel = "on"
    synchronous_names: str = ""
    upstream: Upstream | None = None
    recovery: Mapping[str, str] = field(default_factory=dict)
    """Recovery target settings of a restore."""

    def text(self, *, fenced: bool) -> str:
        """The file that postgresql.conf includes. Fenced, it is read-only and archives nothing: an
        old primary's log must not mix with that of the new one."""
        values = {
            **_BASE,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_folder),
            "synchronous_commit": self.commit,
            "synchronous_standby_names": self.synchronous_names,
        }
        if self.archive is not None:
            values |= {
                "archive_mode": "on",
                "archive_command": archive_command(self.archive),
                "archive_timeout": f"{self.archive_timeout}s",
                "restore_command": f'cp "{self.archive}/%f" "%p"',
            }
        if self.upstream is not None:
            values["primary_conninfo"] = _connection(self.upstream)
            values["primary_slot_name"] = self.upstream.slot or ""
        values |= self.recovery
        if fenced:
            values |= {"default_transaction_read_only": "on", "archive_mode": "off"}
        return "".join(f"{name} = {_quoted(value)}\n" for name, value in values.items())


def access(*, fenced: bool) -> str:
    """pg_hba.conf. Fenced, nobody comes in over TCP: neither the lender nor a standby."""
    if fenced:
        return f"local all {ADMIN} trust\nhost all all all reject\n"
    return (
        f"local all {ADMIN} trust\n"
        f"host {APPLICATION} {APPLICATION} 127.0.0.1/32 scram-sha-256\n"
        f"host replication {REPLICATOR} 127.0.0.1/32 scram-sha-256\n"
    )


def archive_command(archive: Path) -> str:
    """Copies a log file under its name only when it is whole and on the disk; a file that is there
    already with the same content is success, with other content a failure."""
    there, part = f'"{archive}/%f"', f'"{archive}/%f.part"'
    copy = f'cp "%p" {part} && sync {part} && mv {part} {there}'
    return f'if test -f {there}; then cmp -s "%p" {there}; else {copy}; fi'


def _connection(upstream: Upstream) -> str:
    values = {
        "host": upstream.address.host,
        "port": str(upstream.address.port),
        "user": REPLICATOR,
        "password": upstream.password,
        "application_name": upstream.application_name,
        "connect_timeout": "2",
        "sslmode": "disable",
        "gssencmode": "disable",
    }
    return " ".join(f"{name}={value}" for name, value in values.items())


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
