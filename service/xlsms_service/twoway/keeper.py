"""Keeps the inbox empty: looks whenever a text may have come, and when an incomplete one has waited long enough."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from xlsms.journal import note
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.twoway import inbox
from xlsms_service.twoway.inbox import Handled

__all__ = ["Keeper"]

_log = logging.getLogger(__name__)

#: Seconds between tries while the ledger cannot be read.
_LEDGER_RETRY = 1.0


class Keeper:
    """Gives inbound texts their place; `told` hears what each look has brought. Numbers without + are of `country`."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        country: str,
        now: Callable[[], datetime],
        told: Callable[[Handled], None],
    ) -> None:
        self._ledger = ledger
        self._country = country
        self._now = now
        self._told = told
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A text may have come."""
        self._wake.set()

    async def look(self) -> Handled:
        """Handle what is there."""
        return await self._ledger.do(inbox.handle, self._now(), self._country)

    async def run(self) -> None:
        """Until cancelled."""
        wait: float | None = 0.0  # some may have been left by the process before
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            self._wake.clear()
            try:
                handled = await self.look()
            except SQLAlchemyError as error:
                note(_log, logging.ERROR, "log-ledger-again", error)
                wait = _LEDGER_RETRY
                continue
            wait = (handled.next_at - self._now()).total_seconds() if handled.next_at else None
            self._told(handled)
