"""Closed forms of queueing theory, against which simulations are checked."""

from __future__ import annotations

import math
from collections.abc import Sequence


def erlang_c(load: float, servers: int) -> float:
    """The probability of having to wait in M/M/c, for `load` = arrival rate / service rate.

    Erlang (1917), by the recursion of the Erlang B formula, which does not overflow. Raises
    ValueError when the queue has no steady state.
    """
    if load >= servers:
        raise ValueError(f"a load of {load} on {servers} servers grows without bound")
    blocking = 1.0
    for server in range(1, servers + 1):
        blocking = load * blocking / (server + load * blocking)
    utilisation = load / servers
    return blocking / (1 - utilisation * (1 - blocking))


def erlang_c_wait(arrival_rate: float, service_rate: float, servers: int) -> float:
    """The mean wait in line of M/M/c in seconds; rates per second. Raises ValueError as above."""
    return erlang_c(arrival_rate / service_rate, servers) / (servers * service_rate - arrival_rate)


def allen_cunneen_wait(
    arrival_rate: float,
    mean: float,
    variation: float,
    servers: int,
    arrival_variation: float = 1.0,
) -> float:
    """The mean wait in line in seconds of G/G/c: that of M/M/c times the mean of the squared
    coefficients of variation of the times between arrivals and of service (`variation`), for
    arrivals a second and a service of `mean` seconds (A. O. Allen, "Probability, Statistics, and
    Queueing Theory", 2nd ed. 1990, section 5.3.5). Raises ValueError as `erlang_c`."""
    factor = (arrival_variation + variation) / 2
    return factor * erlang_c_wait(arrival_rate, 1 / mean, servers)


def blocking(arrival_rate: float, service_rate: float, places: int) -> float:
    """The probability of being turned away in M/M/1/K, of which `places` (K) count the server's
    own; rates per second (Kleinrock 1975, 3.6)."""
    load = arrival_rate / service_rate
    if load == 1:
        return 1 / (places + 1)
    return (1 - load) * load**places / (1 - load ** (places + 1))


def tandem_time(arrival_rate: float, stations: Sequence[tuple[float, int]]) -> float:
    """The mean seconds in a line of M/M/c stations, each by service rate (per second) and servers:
    what leaves one in its steady state is a Poisson process again (Burke 1956). Raises ValueError
    as `erlang_c`."""
    return math.fsum(
        erlang_c_wait(arrival_rate, rate, servers) + 1 / rate for rate, servers in stations
    )
