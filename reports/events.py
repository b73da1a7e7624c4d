"""The event schema: the public contract of `events/part-*.parquet`, the same for both clocks.

One row an event; times in seconds since the run began; empty string or -1 where a column does not
apply. Nothing in an event names a person or a card: customers are their arrival number.
"""

from __future__ import annotations

import polars as pl

SCHEMA: dict[str, pl.DataType] = {
    "kind": pl.String(),  # arrival | request | otp | end | call
    "customer": pl.Int64(),  # arrival number; -1 for calls
    "step": pl.String(),  # contract operation of a request; gateway operation of a call
    "gateway": pl.String(),  # bank | sms | payment, for calls
    "issuer": pl.String(),  # issuing bank, for calls
    "attempt": pl.Int32(),  # of this step by this customer, from 1
    "intended": pl.Float64(),  # when it should have started; latency counts from here
    "started": pl.Float64(),  # when it did start
    "ended": pl.Float64(),  # when the answer (or failure) was there
    "status": pl.Int16(),  # HTTP status; 0: no answer
    "code": pl.String(),  # OK, the contract's error code, TIMEOUT...; a call: the gateway's code
    "state": pl.String(),  # end: the final state, or ABANDONED
    "cause": pl.String(),  # end: why
}
"""Columns and types.

- `arrival`: `intended` is the planned arrival, `started` the moment it was issued.
- `request`: one HTTP request of a customer to the lender.
- `otp`: waiting for a code at the handset; `code` is READ or TIMEOUT.
- `end`: the journey is over; `intended` is the planned arrival.
- `call`: one call as the gateway saw it; `ended` is when its answer left (infinite: never).
"""

Row = tuple[str, int, str, str, str, int, float, float, float, int, str, str, str]
"""One event in the order of SCHEMA."""


def arrival(customer: int, planned: float, issued: float) -> Row:
    """A customer arrived."""
    return ("arrival", customer, "", "", "", 1, planned, issued, issued, -1, "", "", "")


def request(
    customer: int,
    step: str,
    attempt: int,
    intended: float,
    started: float,
    ended: float,
    status: int,
    code: str,
) -> Row:
    """A customer's request to the lender was answered, or failed."""
    return (
        "request", customer, step, "", "", attempt, intended, started, ended, status, code, "", "",
    )  # fmt: skip


def otp(customer: int, attempt: int, started: float, ended: float, code: str) -> Row:
    """A customer stopped waiting at the handset: `code` READ or TIMEOUT."""
    return ("otp", customer, "otp", "", "", attempt, started, started, ended, -1, code, "", "")


def end(customer: int, arrived: float, ended: float, state: str, cause: str) -> Row:
    """A customer's journey ended."""
    return ("end", customer, "", "", "", 1, arrived, arrived, ended, -1, "", state, cause)


def call(
    gateway: str, op: str, issuer: str, at: float, delay: float, status: int, code: str
) -> Row:
    """A gateway answered a call `delay` seconds after `at`."""
    return ("call", -1, op, gateway, issuer, 1, at, at, at + delay, status, code, "", "")
