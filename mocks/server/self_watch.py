"""A process of servers watches its own ceilings."""

from __future__ import annotations

import asyncio

from mocks.server.logs import Log
from mocks.server.options import ServeOptions
from scenarios.ceilings.met import Met
from scenarios.ceilings.readings import Reading, ReadingsFile, Role
from scenarios.ceilings.watch import Watch


async def watch_ceilings(options: ServeOptions, log: Log) -> None:
    """Look at this process every second until cancelled; a log line for each ceiling it meets, and
    its readings in the file that `options` name."""
    file = None if options.readings is None else ReadingsFile(options.readings)
    role: Role = "lender" if "lender" in options.ports else "gateways"
    process = role if options.readings is None else options.readings.stem

    def say(met: Met) -> None:
        log.warning("ceiling_met", ceiling=met.ceiling, detail=met.detail)

    watch = Watch(role, process, _unkept if file is None else file.add, met=say)
    try:
        for seconds in watch.beats():
            await asyncio.sleep(seconds)
    finally:
        if file is not None:
            file.close()


def _unkept(_: Reading) -> None:
    """Nobody judges these servers."""
