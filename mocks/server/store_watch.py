"""Whether the lender's store can be written to: said once when it cannot, and once when it can
again, whoever notices."""

from __future__ import annotations

import asyncio
import time

from mocks.lender.room import give_room_back, take_room
from mocks.lender.sql_store import SqlStore
from mocks.lender.store import StoreUnavailable
from mocks.server.logs import Log

PROVE_EVERY = 1.0
"""Seconds between attempts to write to a store that could not be written to."""
PROOF_HOLDS = 10.0
"""Seconds for which a write proves that the next one will do."""


class StoreWatch:
    """Watches the store of one lender process."""

    def __init__(self, store: SqlStore, log: Log) -> None:
        self._store = store
        self._log = log
        self._since: float | None = None
        self._recovery: asyncio.Task[None] | None = None

    def look(self) -> None:
        """See whether trouble has begun or ended; cheap, after every transaction."""
        trouble = self._store.trouble
        if (trouble is None) is (self._since is None):
            return
        if trouble is not None:
            self._since = time.monotonic()
            self._log.error("store_unavailable", reason=trouble.reason)
            self._recovery = asyncio.get_running_loop().create_task(self._recover())
        elif self._since is not None:
            seconds = round(time.monotonic() - self._since, 3)
            self._log.info("store_recovered", after_seconds=seconds)
            self._since = None

    async def reason_not_ready(self) -> str:
        """Why the lender cannot take requests; empty if it can. Raises StoreUnavailable."""
        if self._store.trouble is None:
            stale = time.monotonic() - self._store.written_at > PROOF_HOLDS
            await (self._prove() if stale else self._answer())
        trouble = self._store.trouble
        return "" if trouble is None else trouble.reason

    async def close(self) -> None:
        """Watch no longer."""
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)

    async def _answer(self) -> None:
        await asyncio.wrap_future(self._store.submit(lambda _: None))

    async def _prove(self) -> None:
        """See that as much as a customer writes finds room. Raises StoreUnavailable."""
        try:
            await asyncio.wrap_future(self._store.submit(take_room))
            await asyncio.wrap_future(self._store.submit(give_room_back))
        finally:
            self.look()

    async def _recover(self) -> None:
        while self._store.trouble is not None:
            await asyncio.sleep(PROVE_EVERY)
            try:
                await self._prove()
            except StoreUnavailable:
                continue
