"""Delays that belong to no customer, drawn in blocks: service, commit and network times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import chain, repeat

import numpy as np

from scenarios.distributions import Delay

_BLOCK = 1024


def draws(delay: Delay, seed: int, name: str) -> Callable[[], float]:
    """A function that returns one value of `delay` (seconds) after another, the same ones for the
    same seed and name."""
    mu, sigma = delay.log_normal
    if sigma == 0.0:
        return repeat(delay.p50).__next__
    key = blake2b(f"{seed} {name}".encode(), digest_size=16).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(key, "little")))

    def blocks() -> Iterator[list[float]]:
        while True:
            yield generator.lognormal(mu, sigma, _BLOCK).tolist()

    return chain.from_iterable(blocks()).__next__
