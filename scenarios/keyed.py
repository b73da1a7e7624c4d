"""Keyed randomness: every draw is a function of (seed, key), never of call order.

The same customer meets the same fate in virtual and in wall time, and two policies compared on one
seed see common random numbers. The generator is BLAKE2b (RFC 7693) in keyed mode.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct

_UNIT = 2.0**-53
_HALF_WORD = 2.0**-33
_WORDS = Struct("<16I").unpack


class Keyed:
    """Uniform draws addressed by a key of strings and numbers.

    Two keys that differ in any part give independent draws; one key always gives the same draw.
    """

    __slots__ = ("_base", "_wide", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._base = blake2b(digest_size=8, key=str(seed).encode())
        self._wide = blake2b(digest_size=64, key=str(seed).encode())

    def uniform(self, *key: str | int) -> float:
        """One draw in [0, 1)."""
        hasher = self._base.copy()
        hasher.update(repr(key).encode())
        return (int.from_bytes(hasher.digest(), "little") >> 11) * _UNIT

    def integer(self, *key: str | int) -> int:
        """One draw in [0, 2**64)."""
        hasher = self._base.copy()
        hasher.update(repr(key).encode())
        return int.from_bytes(hasher.digest(), "little")

    def block(self, *key: str | int) -> bytes:
        """64 random bytes: many draws for the price of one, for whoever needs several at once."""
        hasher = self._wide.copy()
        hasher.update(repr(key).encode())
        return hasher.digest()

    def words(self, *key: str | int) -> tuple[int, ...]:
        """The block of `key` as sixteen draws in [0, 2**32)."""
        hasher = self._wide.copy()
        hasher.update(repr(key).encode())
        return _WORDS(hasher.digest())


def unit(word: int) -> float:
    """A 32-bit word as a draw in (0, 1): the middle of its 2**32 parts."""
    return (2 * word + 1) * _HALF_WORD
