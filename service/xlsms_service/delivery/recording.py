"""From the links to the ledger: answers, receipts and texts are written down, and only then acknowledged."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from xlsms.journal import note
from xlsms.model import Inbound, Outcome, Receipt
from xlsms_service.connectors.base import IdForms
from xlsms_service.delivery import late, outcome, prompt, receipt
from xlsms_service.delivery.lane import Lane
from xlsms_service.delivery.outcome import Answered
from xlsms_service.ledger import conversation
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.measuring import Measures, metric

__all__ = ["Recorder", "measure"]

_log = logging.getLogger(__name__)

#: Seconds between tries to write down what must not be lost while the ledger cannot be written.
_LEDGER_RETRY = 1.0

#: Receipts and texts that are written down in one go: bounds how long answers behind them wait.
_WRITTEN_AT_ONCE = 2_000


class _Again(NamedTuple):
    """How often what may have left is sent again, and the routes that others serve while this link is in trouble."""

    resends: int
    elsewhere: Sequence[str]


class Recorder:
    """Writes down what has come to the lanes.

    `elsewhere` gives the routes that others serve while a link is in trouble. `changed` is called after something that
    a workbook waits for became durable, `came` after a text from a phone did.
    """

    def __init__(
        self,
        ledger: Ledger,
        lanes: Mapping[str, Lane],
        *,
        now: Callable[[], datetime],
        elsewhere: Callable[[Lane], Sequence[str]],
        resends: int,
        changed: Callable[[], None],
        came: Callable[[], None],
        measures: Measures,
    ) -> None:
        """`resends`: how often what may have left is sent again."""
        self._ledger = ledger
        self._lanes = lanes
        self._now = now
        self._elsewhere = elsewhere
        self._resends = resends
        self._changed = changed
        self._came = came
        self._measures = measures
        self._woken = asyncio.Event()
        self._left = False  #: the links are closed: nothing more can come

    def wake(self) -> None:
        """Something has come."""
        self._woken.set()

    def leave(self) -> None:
        """Nothing more can come: `run` returns when the rest has been written down."""
        self._left = True
        self._woken.set()

    async def run(self) -> None:
        """Write down whatever comes, until nothing can come any more."""
        left = False
        while not left:
            await self._woken.wait()
            self._woken.clear()
            left = self._left  # asked before: what comes while the rest is written down must still be written down
            for name, lane in self._lanes.items():
                while lane.answered or lane.late or lane.received:
                    await self._write_down(name, lane)

    async def _write_down(self, name: str, lane: Lane) -> None:
        """Write down what has come to a lane since the last time; then acknowledge."""
        answered, lane.answered = lane.answered, []
        overdue, lane.late = lane.late, []
        received, lane.received = lane.received[:_WRITTEN_AT_ONCE], lane.received[_WRITTEN_AT_ONCE:]
        items = [each.item for each in received]
        again = _Again(self._resends, self._elsewhere(lane))
        while True:
            try:
                waits = await self._ledger.do(_settle, name, answered, overdue, items, lane.forms, self._now(), again)
                break
            except SQLAlchemyError as error:
                self._measures.count(metric.LEDGER_FAILURES)
                note(_log, logging.ERROR, "log-ledger-again", error)
                await asyncio.sleep(_LEDGER_RETRY)
        measure(self._measures, name, items, waits)
        lane.connector.acknowledge([each.token for each in received])
        lane.wake.set()
        if any(isinstance(item, Inbound) for item in items):
            self._came()
        self._changed()


def measure(measures: Measures, connector: str, items: Sequence[Receipt | Inbound], waits: Sequence[float]) -> None:
    """Count receipts by the states that they tell, never by words of the network's own; `waits` in seconds."""
    words = [receipt.STATES.get(item.state, "other") for item in items if isinstance(item, Receipt)]
    for state, count in Counter(words).items():
        measures.count(metric.RECEIPTS, count, connector, state)
    for seconds, count in Counter(waits).items():
        measures.took(metric.RECEIPT_SECONDS, seconds, count, connector)


def _settle(
    connection: Connection,
    connector: str,
    answered: Sequence[Answered],
    overdue: Sequence[Outcome],
    items: Sequence[Receipt | Inbound],
    forms: IdForms,
    now: datetime,
    again: _Again,
) -> Sequence[float]:
    """Gives the seconds from answer to report of the parts that have come to their end."""
    receipts: Sequence[Receipt] = [item for item in items if isinstance(item, Receipt)]
    answered, receipts, waits = prompt.settle(connection, connector, answered, receipts, now)
    if answered:
        outcome.settle(connection, connector, answered, forms, now, resends=again.resends, elsewhere=again.elsewhere)
    if overdue:
        late.settle(connection, connector, overdue, forms, now)
    if receipts:
        waits = [*waits, *receipt.settle(connection, connector, receipts, forms, now)]
    conversation.keep(connection, [item for item in items if isinstance(item, Inbound)])
    return waits
