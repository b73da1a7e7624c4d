"""Places in the write-ahead log."""

from __future__ import annotations


class Lsn(int):
    """A log sequence number: bytes since the beginning of the log, written as PostgreSQL does."""

    @classmethod
    def parse(cls, text: str) -> Lsn:
        """From `16/B374D848`."""
        high, low = text.split("/")
        return cls((int(high, 16) << 32) + int(low, 16))

    def __str__(self) -> str:
        return f"{self >> 32:X}/{self & 0xFFFFFFFF:X}"
