"""The lender's keys: a JSON file that only its owner may read.

    {"version": 1, "current": "k1", "keys": {"k1": "<base64>"}, "index_key": …, "otp_key": …}

Every key has 32 bytes. `keys` seal and unseal; `current` seals. `index_key` and `otp_key` do not
rotate: every blind index in the database would have to be computed anew.
"""

from __future__ import annotations

import os
import stat
from base64 import b64decode, b64encode
from pathlib import Path
from secrets import token_bytes

import msgspec

_KEY = 32


class KeyRingError(Exception):
    """The key file is missing, readable by others, or not a key ring."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    current: str
    keys: dict[str, str]
    index_key: str
    otp_key: str


class KeyRing(msgspec.Struct, frozen=True):
    """Sealing keys by id, the id of the current one, and the keys of the two kinds of hashes."""

    current: str
    keys: dict[str, bytes]
    index_key: bytes
    otp_key: bytes

    def __repr__(self) -> str:
        return f"KeyRing(current={self.current!r}, keys={sorted(self.keys)!r})"

    @classmethod
    def generate(cls) -> KeyRing:
        """New random keys, in memory alone."""
        return cls("k1", {"k1": token_bytes(_KEY)}, token_bytes(_KEY), token_bytes(_KEY))

    @classmethod
    def create(cls, path: Path) -> KeyRing:
        """New random keys in a new file of mode 0600. Raises KeyRingError if there is one."""
        ring = cls.generate()
        try:
            _write(path, ring, os.O_EXCL)
        except FileExistsError:
            raise KeyRingError(f"key ring {path} exists; load it, or choose another path") from None
        except OSError as error:
            raise KeyRingError(f"key ring {path}: {error.strerror}") from None
        return ring

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """Read a key file. Raises KeyRingError."""
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise KeyRingError(f"key ring {path} is open to others; run chmod 600 {path}")
            content = msgspec.json.decode(path.read_bytes(), type=_File)
            keys = {key_id: b64decode(key, validate=True) for key_id, key in content.keys.items()}
            ring = cls(
                content.current,
                keys,
                b64decode(content.index_key, validate=True),
                b64decode(content.otp_key, validate=True),
            )
        except OSError as error:
            raise KeyRingError(f"key ring {path}: {error.strerror}") from None
        except (msgspec.DecodeError, ValueError):
            raise KeyRingError(f"{path} is not a key ring of version 1") from None
        every = (*keys.values(), ring.index_key, ring.otp_key)
        if content.version != 1 or ring.current not in keys or {len(k) for k in every} != {_KEY}:
            raise KeyRingError(f"{path} is not a key ring of version 1")
        return ring

    def rotate(self, path: Path) -> KeyRing:
        """Add a key that seals from now on, and replace the file in one step. Old keys go on
        unsealing."""
        newest = max(int(key_id[1:]) for key_id in self.keys if key_id[1:].isdigit())
        current = f"k{newest + 1}"
        ring = msgspec.structs.replace(
            self, current=current, keys={**self.keys, current: token_bytes(_KEY)}
        )
        ring._replace(path)
        return ring

    def retire(self, path: Path) -> KeyRing:
        """Drop all sealing keys but the current one, once everything is rewrapped."""
        ring = msgspec.structs.replace(self, keys={self.current: self.keys[self.current]})
        ring._replace(path)
        return ring

    def _replace(self, path: Path) -> None:
        fresh = path.with_name(path.name + ".new")
        _write(fresh, self, os.O_TRUNC)
        fresh.replace(path)


def _write(path: Path, ring: KeyRing, how: int) -> None:
    content = _File(
        version=1,
        current=ring.current,
        keys={key_id: b64encode(key).decode() for key_id, key in ring.keys.items()},
        index_key=b64encode(ring.index_key).decode(),
        otp_key=b64encode(ring.otp_key).decode(),
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600), "wb") as file:
        file.write(msgspec.json.encode(content) + b"\n")
        file.flush()
        os.fsync(file.fileno())
