"""A health check from outside: one real request to the lender, the way customers come."""

from __future__ import annotations

import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from scenarios.contract import OPERATIONS
from scenarios.drill import Probe

FILE = "probe.jsonl"


class Check(msgspec.Struct, frozen=True):
    """One check: seconds since the epoch, how long it took in seconds, and whether it passed."""

    at: float
    took: float
    passed: bool


class Prober:
    """Checks every `probe.every` seconds, from a thread of its own, and writes each check down in
    `folder/probe.jsonl`.

    The request confirms a binding that does not exist: the lender has to write (the idempotency
    key) and to read (the binding), and says 404. A check fails without an answer in
    `probe.timeout`, and with an answer of 500 or above.
    """

    def __init__(self, url: str, probe: Probe, folder: Path, otp_digits: int) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._probe = probe
        self._file = folder / FILE
        self._body = msgspec.json.encode({"otp": "0" * otp_digits})
        self._path = OPERATIONS["confirm"].path.format(binding="health-check")
        self._failed_at: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)

    def alarm(self, since: float) -> bool:
        """Whether the last `probe.failures` checks failed, all of them begun at `since` (seconds
        since the epoch) or later."""
        last = self._failed_at[-self._probe.failures :]
        return len(last) == self._probe.failures and last[0] >= since

    def start(self) -> None:
        """Begin to check."""
        self._thread.start()

    def stop(self) -> None:
        """Check no more."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def check(self) -> Check:
        """One check, now."""
        at, began = time.time(), time.monotonic()
        connection = HTTPConnection(self._host, self._port, timeout=self._probe.timeout)
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"probe-{uuid4().hex}"}
        try:
            connection.request("POST", self._path, self._body, headers)
            answer = connection.getresponse()
            answer.read()
            passed = answer.status < 500
        except (OSError, HTTPException):
            passed = False
        finally:
            connection.close()
        return Check(at, time.monotonic() - began, passed)

    def _run(self) -> None:
        with self._file.open("ab", buffering=0) as file:
            while not self._stop.is_set():
                check = self.check()
                if check.passed:
                    self._failed_at.clear()
                else:
                    self._failed_at.append(check.at)
                file.write(msgspec.json.encode(check) + b"\n")
                self._stop.wait(max(0.0, self._probe.every - check.took))
