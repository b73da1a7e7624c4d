"""Closed forms of queueing theory, against which simulations are checked."""

from __future__ import annotations


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
