"""A simulated network for a service to rehearse with: it lives as long as the service needs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from xlsms_service.simulators.phones import Pace, Population
from xlsms_service.simulators.script import read_script
from xlsms_service.simulators.smsc import Smsc

__all__ = ["rehearsal"]


@asynccontextmanager
async def rehearsal(phones: Path | None, seed: int, haste: int) -> AsyncIterator[int]:
    """Serve SMPP on loopback, for everyone who asks; gives the port.

    `phones` is the file that says how phones behave, without it they are a mixed crowd; `haste` divides every delay.
    Raises UserError when the file is wrong.
    """
    usual = Pace()
    pace = Pace(
        receipt=usual.receipt / haste,
        slow=usual.slow / haste,
        expiry=usual.expiry / haste,
        reply=usual.reply / haste,
    )
    population = read_script(phones, pace=pace, seed=seed) if phones else Population(pace=pace, seed=seed)
    async with Smsc(population).serve() as server:
        yield server.port
