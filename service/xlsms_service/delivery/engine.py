"""The delivery engine: keeps every link's window filled from the ledger, and the ledger true to what the links say."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from xlsms.model import Concat, Inbound, MessageId, Outcome, Outgoing, PartKey, Receipt
from xlsms.text import split
from xlsms_service.connectors.base import Acknowledgeable, Connector, IdForms, Link, LinkStatus
from xlsms_service.delivery import late, outcome, receipt
from xlsms_service.delivery.outcome import Answered
from xlsms_service.delivery.routing import DEFAULT, Router
from xlsms_service.ledger import claim, conversation, link
from xlsms_service.ledger.claim import Claimed
from xlsms_service.ledger.ledger import Ledger

__all__ = ["Engine"]

_log = logging.getLogger(__name__)

#: Seconds after which a link looks for work unasked: another process may have put some into the ledger.
_LOOK_AGAIN = 1.0

#: Seconds between tries to write down what must not be lost while the ledger cannot be written.
_LEDGER_RETRY = 1.0

#: References of long messages (3GPP TS 23.040 §9.2.3.24.1).
_REFERENCES = 256


@dataclass(slots=True)
class _Open:
    """A message whose parts are with a link."""

    waiting: int
    resumed: bool
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(slots=True)
class _Lane:
    """One connector as the engine sees it."""

    connector: Connector
    forms: IdForms
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    status: LinkStatus | None = None
    window: int = 1  #: the most room ever seen
    open: dict[MessageId, _Open] = field(default_factory=dict)
    answered: list[Answered] = field(default_factory=list)
    late: list[Outcome] = field(default_factory=list)
    received: list[Acknowledgeable] = field(default_factory=list)

    @property
    def up(self) -> bool:
        return self.status is not None and self.status.link is Link.UP


class Engine:
    """Runs the connectors against the ledger. Implements `connectors.base.Events`.

    `changed` is called after something that a workbook or the inbox waits for became durable.
    """

    def __init__(
        self,
        ledger: Ledger,
        connectors: Mapping[str, tuple[Connector, IdForms]],
        router: Router,
        *,
        now: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
        on_link: Callable[[LinkStatus], None] = lambda _status: None,
    ) -> None:
        self._ledger = ledger
        self._router = router
        self._now = now
        self._changed = changed
        self._on_link = on_link
        self._lanes = {name: _Lane(connector, forms) for name, (connector, forms) in connectors.items()}
        self._record_wake = asyncio.Event()
        self._links = asyncio.Condition()
        self._closing = False  #: nothing more is claimed
        self._left = False  #: the links are closed: nothing more can come
        self._feeders: list[asyncio.Task[None]] = []
        self._recorder: asyncio.Task[None] | None = None
        self._notes: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Make good for a stop without leave, then open the links and begin."""
        lost = await self._ledger.do(claim.recover, self._now())
        if lost:
            _log.warning("%d messages may have left before the last stop: uncertain", lost)
            self._changed()
        await self._ledger.do(claim.reroute, self._router.keys, DEFAULT)
        self._recorder = asyncio.create_task(self._record(), name="delivery-record")
        for name, lane in self._lanes.items():
            self._feeders.append(asyncio.create_task(self._feed(lane), name=f"delivery-{name}"))
            await lane.connector.open(self)

    async def close(self) -> None:
        """Take leave of the networks, write down the last answers, and stop. Idempotent."""
        self._closing = True
        self.wake()
        # Never cancelled: a claim that is under way must still reach its link, or be known not to have.
        await asyncio.gather(*self._feeders, return_exceptions=True)  # `watch` has told what stopped one
        await asyncio.gather(*(lane.connector.close() for lane in self._lanes.values()))
        self._left = True
        self._record_wake.set()
        if self._recorder is not None:
            await asyncio.wait([self._recorder])
        await asyncio.gather(*self._notes)

    async def watch(self) -> None:
        """Return when the engine has closed; raise what stopped it, if anything ever does.

        An engine that cannot write answers down must not go on sending.
        """
        tasks = [*self._feeders, *([self._recorder] if self._recorder else [])]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    def wake(self) -> None:
        """There may be something to send."""
        for lane in self._lanes.values():
            lane.wake.set()

    @property
    def links(self) -> dict[str, LinkStatus | None]:
        """Each connector's link as last told; None before it said anything."""
        return {name: lane.status for name, lane in self._lanes.items()}

    async def wait_for_link(self, within: timedelta) -> bool:
        """Wait until a link is up, none is being tried any more, or the time is over. Whether one is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()), self._links:
                await self._links.wait_for(self._links_known)
        return any(lane.up for lane in self._lanes.values())

    def _links_known(self) -> bool:
        return any(lane.up for lane in self._lanes.values()) or all(
            lane.status is not None and lane.status.link in (Link.REFUSED, Link.DOWN) for lane in self._lanes.values()
        )

    # Events of the connectors, on the loop's thread.

    def link_changed(self, status: LinkStatus) -> None:
        """Note it, tell the ledger, and let every link look again: routes depend on who is up."""
        lane = self._lanes[status.connector]
        before, lane.status = lane.status, status
        if before is None or before.link is not status.link:
            _log.info("%s: %s%s", status.connector, status.link, f" ({status.error})" if status.error else "")
            self._on_link(status)
        note = asyncio.create_task(self._note_link(status))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)
        self.wake()

    def room_changed(self, connector: str) -> None:
        """More can be submitted."""
        self._lanes[connector].wake.set()

    def outcomes(self, connector: str, outcomes: Sequence[Outcome]) -> None:
        """Gather answers until a message's parts all have theirs."""
        lane = self._lanes[connector]
        for each in outcomes:
            message = lane.open[each.key.message]
            message.outcomes.append(each)
            message.waiting -= 1
            if message.waiting == 0:
                del lane.open[each.key.message]
                lane.answered.append(Answered(each.key.message, tuple(message.outcomes), message.resumed))
        self._record_wake.set()

    def outcomes_late(self, connector: str, outcomes: Sequence[Outcome]) -> None:
        """Answers to parts that were given up as *uncertain*."""
        self._lanes[connector].late.extend(outcomes)
        self._record_wake.set()

    def received(self, connector: str, items: Sequence[Acknowledgeable]) -> None:
        """Receipts and texts: written down first, acknowledged then."""
        self._lanes[connector].received.extend(items)
        self._record_wake.set()

    # Ledger to links.

    async def _feed(self, lane: _Lane) -> None:
        while not self._closing:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await lane.wake.wait()
            lane.wake.clear()
            try:
                while not self._closing and await self._fill(lane):
                    pass
            except SQLAlchemyError:
                _log.exception("the ledger cannot be read; trying again")
                await asyncio.sleep(_LEDGER_RETRY)

    async def _fill(self, lane: _Lane) -> bool:
        """Claim what fits into the link's free window and hand it over; whether there may be more."""
        room = lane.connector.room()
        lane.window = max(lane.window, room)
        # Slot by slot each message would cost a commit of its own; half a window at a time shares them.
        if room < 1 or (lane.open and room * 2 < lane.window):
            return False
        routes = self._router.keys_of(lane.connector.name, {name for name, lane in self._lanes.items() if lane.up})
        if not routes:
            return False
        claimed = await self._ledger.do(
            claim.claim,
            connector=lane.connector.name,
            routes=routes,
            room=room,
            idle=not lane.open,
            now=self._now(),
        )
        if claimed:
            lane.connector.submit([part for message in claimed for part in _parts(lane, message)])
        return bool(claimed)

    # Links to ledger.

    async def _record(self) -> None:
        left = False
        while not left:
            await self._record_wake.wait()
            self._record_wake.clear()
            left = self._left  # asked before: what comes while the rest is written down must still be written down
            await self._write_down()

    async def _write_down(self) -> None:
        """Write down all that has come since the last time, in one transaction a connector; then acknowledge."""
        for name, lane in self._lanes.items():
            answered, lane.answered = lane.answered, []
            overdue, lane.late = lane.late, []
            received, lane.received = lane.received, []
            if not answered and not overdue and not received:
                continue
            items = [each.item for each in received]
            while True:
                try:
                    await self._ledger.do(_settle, name, answered, overdue, items, lane.forms, self._now())
                    break
                except SQLAlchemyError:
                    _log.exception("the ledger cannot be written; trying again")
                    await asyncio.sleep(_LEDGER_RETRY)
            lane.connector.acknowledge([each.token for each in received])
            lane.wake.set()
            self._changed()

    async def _note_link(self, status: LinkStatus) -> None:
        row = link.LinkRow(
            connector=status.connector,
            state=status.link,
            code=status.error.code if status.error else None,
            facts={key: str(value) for key, value in status.error.facts.items()} if status.error else {},
            at=self._now(),
        )
        with suppress(SQLAlchemyError):  # only for those who look from outside
            await self._ledger.do(link.note, row)
        async with self._links:
            self._links.notify_all()


def _settle(
    connection: Connection,
    connector: str,
    answered: Sequence[Answered],
    overdue: Sequence[Outcome],
    items: Sequence[Receipt | Inbound],
    forms: IdForms,
    now: datetime,
) -> None:
    if answered:
        outcome.settle(connection, connector, answered, forms, now)
    if overdue:
        late.settle(connection, connector, overdue, forms, now)
    receipts = [item for item in items if isinstance(item, Receipt)]
    if receipts:
        receipt.settle(connection, connector, receipts, forms, now)
    conversation.keep(connection, [item for item in items if isinstance(item, Inbound)])


def _reference(message: MessageId) -> int:
    """One that a phone has not just had: lists as long as there are references give each phone another one in turn."""
    return (message + message // _REFERENCES) % _REFERENCES


def _parts(lane: _Lane, message: Claimed) -> list[Outgoing]:
    """The parts of a message that the network does not have yet; noted as open with the link."""
    texts = split(message.text, limit=None).parts
    parts = [
        Outgoing(
            key=PartKey(message.id, number),
            destination=message.number,
            sender=message.sender,
            text=text,
            alphabet=message.alphabet,
            concat=Concat(_reference(message.id), len(texts), number) if len(texts) > 1 else None,
        )
        for number, text in enumerate(texts, 1)
        if number not in message.taken
    ]
    lane.open[message.id] = _Open(waiting=len(parts), resumed=bool(message.taken))
    return parts
