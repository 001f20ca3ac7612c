"""Asking a network about what it took and never reported on: reports are lost too, and some links carry none."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from xlsms.errors import TransientError
from xlsms.journal import note
from xlsms.model import MessageId, PartKey
from xlsms_service.connectors.base import Asking, PartAskedAbout
from xlsms_service.delivery import receipt
from xlsms_service.delivery.lane import Lane
from xlsms_service.ledger import settlement
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.settlement import PartRecord

__all__ = ["Asker"]

_log = logging.getLogger(__name__)

#: Seconds between two questions: they must not take the link's speed.
_APART = 0.1

#: Seconds between two looks into the ledger, and how many messages each looks at.
_LOOK = 1.0
_AT_ONCE = 2_000

#: Seconds before it begins again with the oldest.
_AGAIN = 60.0

#: Parts of which it is known how often they were asked about; beyond that all are asked about anew.
_REMEMBERED = 100_000

#: A week is the longest that networks keep trying, and most forget a message a day later.
_LONGEST = timedelta(days=8)


class Asker:
    """Asks about each part of a connector that stayed open for too long; again after twice as long each time."""

    def __init__(self, ledger: Ledger, lane: Lane, connector: Asking, *, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._lane = lane
        self._connector = connector
        self._now = now
        self._asked: dict[PartKey, int] = {}  # how often

    async def run(self) -> None:
        """Ask, until cancelled."""
        while self._connector.ask_after is not None:
            after: MessageId | None = MessageId(0)
            while after is not None:
                after = await self._look(after, self._connector.ask_after)
                await asyncio.sleep(_LOOK)
            await asyncio.sleep(_AGAIN)

    async def _look(self, after: MessageId, patience: timedelta) -> MessageId | None:
        """Ask about what is open among the messages after this one; the last that was looked at, None at the end."""
        if not self._lane.up:
            return after
        now = self._now()
        try:
            found, last = await self._ledger.do(
                settlement.silent, self._lane.connector.name, after, _AT_ONCE, now - _LONGEST, now - patience
            )
            for part in found:
                times = self._asked.get(part.key, 0)
                if now - part.at >= patience * 2**times:
                    self._asked[part.key] = times + 1
                    await self._ask(part)
                    await asyncio.sleep(_APART)
        except TransientError as error:  # no link, or one that gives no answer: later
            note(_log, logging.INFO, "log-not-asked", connector=self._lane.connector.name, reason=error.code)
            return after
        except SQLAlchemyError as error:
            note(_log, logging.ERROR, "log-ledger-again", error)
            return after
        if len(self._asked) > _REMEMBERED:
            self._asked.clear()
        return last

    async def _ask(self, part: PartRecord) -> None:
        if part.network_id is None:
            return
        asked = PartAskedAbout(network_id=part.network_id, destination=part.recipient, sender=part.sender)
        said = await self._connector.query(asked)
        if said is not None:
            name, forms = self._lane.connector.name, self._lane.forms
            await self._ledger.do(receipt.settle, name, [said], forms, self._now())
