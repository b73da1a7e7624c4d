"""The address of the lender's database: what it may be, and what of it may be told."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from mocks.lender.store import StoreUnavailable
from scenarios.passwords import HIDDEN, SHOWN_PARAMETERS, without_password

_MEND = "write sqlite:///lender.db or postgresql://user@host/database"
_SQLITE = "sqlite:///"


class DatabaseUrl:
    """`sqlite:///path` or `postgresql://user:password@host/database`, whatever driver it names.

    The folder of an SQLite file is taken as it is written: `%`, `?` and `#` are characters of its
    name, as a shell gives them in `sqlite:///$PWD/lender.db`; only where there is no such folder is
    it read as SQLAlchemy does, encoded.
    Raises StoreUnavailable for any other, without telling it: it may hold a password.
    """

    def __init__(self, text: str) -> None:
        try:
            parsed = _parsed(text)
        except (ArgumentError, ValueError):
            parsed = None
        if parsed is None or _is_cut(text, parsed):
            raise StoreUnavailable(
                f"the database URL cannot be read; {_MEND}, and in a user or password @ as %40, /"
                " as %2F, ? as %3F"
            ) from None
        if parsed.get_backend_name() in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        elif parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
            raise StoreUnavailable(f"{parsed.drivername} is not supported; {_MEND}")
        elif parsed.database in (None, "", ":memory:"):
            raise StoreUnavailable("the database URL names no file; write sqlite:///lender.db")
        self.parsed: URL = parsed
        self.shown = without_password(text)
        """Without its secrets."""

    @property
    def file(self) -> str | None:
        """The path of SQLite's file."""
        return self.parsed.database if self.parsed.get_backend_name() == "sqlite" else None

    def unavailable(self, error: Exception) -> StoreUnavailable:
        """What went wrong with the database, in one line without its secrets."""
        cause = getattr(error, "orig", None) or error
        line = str(cause).strip().partition("\n")[0] or type(cause).__name__
        for secret in self._secrets():
            line = line.replace(secret, HIDDEN)
        return StoreUnavailable(f"database {self.shown}: {line}", line)

    def _secrets(self) -> list[str]:
        """The longest first."""
        values = [str(self.parsed.password)] if self.parsed.password else []
        for name, value in self.parsed.query.items():
            if name not in SHOWN_PARAMETERS:
                values += [value] if isinstance(value, str) else value
        return sorted((value for value in values if len(value) > 1), key=len, reverse=True)


def sqlite_url(file: Path) -> str:
    """The URL of an SQLite file, as `DatabaseUrl` takes it."""
    return f"{_SQLITE}{file}"


def _parsed(text: str) -> URL:
    path = text.removeprefix(_SQLITE)
    folder, slash, name = path.rpartition("/")
    if path == text or not Path(folder or slash).is_dir():
        return make_url(text)
    of_name = make_url(_SQLITE + name)
    return of_name.set(database=f"{folder}{slash}{of_name.database}" if name else "")


def _is_cut(text: str, parsed: URL) -> bool:
    """Whether an `@` or `?` of a password was taken for the end of the user, or a parameter for the
    user's: the host would be a part of the password, and be told."""
    if parsed.get_backend_name() == "sqlite":
        return False
    user, at, _ = text.partition("@")
    return text.count("@") > 1 or bool(at and "?" in user)
