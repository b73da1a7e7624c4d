"""How long to wait before a retry: exponential backoff, with full jitter if wanted.

Full jitter spreads retries over the whole interval, so that callers who failed together do not
come back together (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

from scenarios.policy import CallPolicy


def backoff(policy: CallPolicy, retry: int, uniform: float) -> float:
    """Seconds before the `retry`-th retry (from 1); `uniform` in [0, 1) draws the jitter."""
    longest = min(policy.max_backoff, policy.backoff * 2.0 ** (retry - 1))
    return longest * uniform if policy.jitter == "full" else longest
