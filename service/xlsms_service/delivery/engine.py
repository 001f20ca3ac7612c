"""The delivery engine: keeps every link's window filled from the ledger, and the ledger true to what the links say."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from xlsms.journal import note
from xlsms.model import Outcome
from xlsms_service.connectors.base import Acknowledgeable, Asking, Connector, IdForms, Link, LinkStatus
from xlsms_service.delivery import receipt
from xlsms_service.delivery.asking import Asker
from xlsms_service.delivery.breaker import Phase
from xlsms_service.delivery.lane import Lane
from xlsms_service.delivery.limit import Limiter
from xlsms_service.delivery.outcome import MOST_RESENDS
from xlsms_service.delivery.recalling import Recaller
from xlsms_service.delivery.recording import Recorder
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import claim, intervention, link, stranger, waiting
from xlsms_service.ledger.claim import Claimed
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.measuring import NOTHING, Measures, metric

__all__ = ["Engine"]

_log = logging.getLogger(__name__)

#: Seconds after which a link looks for work unasked: another process may have put some into the ledger.
_LOOK_AGAIN = 1.0

#: A clock that loses so much at once was put back by somebody.
_PUT_BACK = timedelta(seconds=5)

#: Seconds between two looks at the receipts that nobody was found for.
_STRANGERS = 60.0

#: A receipt whose answer has not come by then belongs to somebody else's message.
_FOREIGN = timedelta(days=7)

#: Seconds before a link looks again for work in a ledger that could not be used.
_LEDGER_RETRY = 1.0

#: What the log says of a link, and of how it is used.
_LINK_LINES = {
    Link.UP: "log-link-up",
    Link.CONNECTING: "log-link-connecting",
    Link.REFUSED: "log-link-refused",
    Link.DOWN: "log-link-down",
}
_USE_LINES = {Phase.CLOSED: "log-link-used", Phase.OPEN: "log-link-rests", Phase.HALF_OPEN: "log-link-tried"}


class Engine:
    """Runs the connectors against the ledger. Implements `connectors.base.Events`.

    `changed` is called after something that a workbook waits for became durable, `came` after a text from a phone did.
    """

    def __init__(  # noqa: PLR0913 (half of them have a default that most callers want)
        self,
        ledger: Ledger,
        connectors: Mapping[str, tuple[Connector, IdForms]],
        router: Router,
        *,
        now: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
        came: Callable[[], None] = lambda: None,
        on_link: Callable[[LinkStatus], None] = lambda _status: None,
        limiter: Limiter | None = None,
        resend: bool = False,
        measures: Measures = NOTHING,
    ) -> None:
        """`resend` sends again what may have left, and risks that somebody gets it twice."""
        self._ledger = ledger
        self._limiter = limiter or Limiter()
        self._resends = MOST_RESENDS if resend else 0
        self._router = router
        self._now = now
        self._changed = changed
        self._on_link = on_link
        self._measures = measures
        self._lanes = {
            name: Lane(connector, forms, measures=measures) for name, (connector, forms) in connectors.items()
        }
        self._links = asyncio.Condition()
        self._tend_wake = asyncio.Event()
        self._intervened: datetime | None = None  #: when somebody last paused or recalled something
        self._closing = False  #: nothing more is claimed
        self._feeders: list[asyncio.Task[None]] = []
        self._askers: list[asyncio.Task[None]] = []
        self._recorder = Recorder(
            ledger,
            self._lanes,
            now=now,
            elsewhere=self._elsewhere,
            resends=self._resends,
            changed=changed,
            came=came,
            measures=measures,
        )
        self._recording: asyncio.Task[None] | None = None
        self._notes: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Make good for a stop without leave, then open the links and begin."""
        lost = await self._ledger.do(claim.recover, self._now(), resends=self._resends)
        if lost:
            note(_log, logging.WARNING, "log-may-have-left", count=lost)
            self._measures.count(metric.LOST, lost)
            self._changed()
        await self._look_at_strangers()
        await self._ledger.do(waiting.reroute, self._router.keys, self._router.key)
        self._intervened = await self._ledger.do(intervention.last)
        await self._ledger.do(waiting.hurry, self._now())
        self._feeders.append(asyncio.create_task(self._tend(), name="delivery-tend"))
        self._recording = asyncio.create_task(self._recorder.run(), name="delivery-record")
        for name, lane in self._lanes.items():
            self._feeders.append(asyncio.create_task(self._feed(lane), name=f"delivery-{name}"))
            if isinstance(lane.connector, Asking):
                asker = Asker(self._ledger, lane, lane.connector, now=self._now)
                self._askers.append(asyncio.create_task(asker.run(), name=f"delivery-asks-{name}"))
            if isinstance(lane.connector, Asking) and lane.connector.cancels:
                recaller = Recaller(self._ledger, lane, lane.connector, now=self._now)
                task = asyncio.create_task(recaller.run(self._changed), name=f"delivery-recalls-{name}")
                self._askers.append(task)
            await lane.connector.open(self)

    async def close(self) -> None:
        """Take leave of the networks, write down the last answers, and stop. Idempotent."""
        self._closing = True
        self.wake()
        for asker in self._askers:  # a question changes nothing: it may end anywhere
            asker.cancel()
        await asyncio.gather(*self._askers, return_exceptions=True)
        # Never cancelled: a claim that is under way must still reach its link, or be known not to have.
        await asyncio.gather(*self._feeders, return_exceptions=True)  # `watch` has told what stopped one
        await asyncio.gather(*(lane.connector.close() for lane in self._lanes.values()))
        self._recorder.leave()
        if self._recording is not None:
            await asyncio.wait([self._recording])
        await asyncio.gather(*self._notes)

    async def watch(self) -> None:
        """Return when the engine has closed; raise what stopped it, if anything ever does.

        An engine that cannot write answers down must not go on sending.
        """
        tasks = [*self._feeders, *self._askers, *([self._recording] if self._recording else [])]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    def wake(self) -> None:
        """There may be something to send."""
        self._tend_wake.set()
        self._wake_lanes()

    def _wake_lanes(self) -> None:
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
            reason = status.error.code if status.error else "–"
            note(_log, logging.INFO, _LINK_LINES[status.link], connector=status.connector, reason=reason)
            self._on_link(status)
        self._note(lane, status)
        self.wake()

    def room_changed(self, connector: str) -> None:
        """More can be submitted."""
        self._lanes[connector].wake.set()

    def outcomes(self, connector: str, outcomes: Sequence[Outcome]) -> None:
        """Gather answers until a message's parts all have theirs."""
        lane = self._lanes[connector]
        if lane.saw(outcomes, self._now(), asyncio.get_running_loop().time()):
            self._breaker_changed(lane)
        self._recorder.wake()

    def outcomes_late(self, connector: str, outcomes: Sequence[Outcome]) -> None:
        """Answers to parts that were given up as *uncertain*."""
        self._lanes[connector].late.extend(outcomes)
        self._recorder.wake()

    def received(self, connector: str, items: Sequence[Acknowledgeable]) -> None:
        """Receipts and texts: written down first, acknowledged then."""
        self._lanes[connector].received.extend(items)
        self._recorder.wake()

    # Ledger to links.

    async def _tend(self) -> None:
        """Let go what was scheduled, and give up what has waited too long, whether a link is there or not."""
        clock = asyncio.get_running_loop().time
        looked, wrong_by = clock(), timedelta(0)
        began, began_at = clock(), self._now()
        while not self._closing:
            try:
                before, wrong_by = wrong_by, self._now() - began_at - timedelta(seconds=clock() - began)
                if wrong_by < before - _PUT_BACK:  # what waits for a moment would wait for it once more
                    await self._ledger.do(_hurry, self._limiter, self._now())
                if (last := await self._ledger.do(intervention.last)) != self._intervened:
                    self._intervened = last  # the moments of those behind were given when more stood in line
                    await self._ledger.do(_hurry, self._limiter, self._now())
                    self._wake_lanes()
                while await self._ledger.do(waiting.tend, self._router.keys, self._now(), self._ahead()):
                    self._changed()
                    self._wake_lanes()
                if clock() - looked >= _STRANGERS:
                    looked = clock()
                    await self._look_at_strangers()
            except SQLAlchemyError as error:
                self._measures.count(metric.LEDGER_FAILURES)
                note(_log, logging.ERROR, "log-ledger-again", error)
            await _woken(self._tend_wake, _LOOK_AGAIN)

    def _elsewhere(self, lane: Lane) -> list[str]:
        """The routes that other links serve while this one is left alone."""
        if lane.breaker.phase is Phase.CLOSED:
            return []
        up = {name for name, other in self._lanes.items() if other.healthy}
        return [key for name in up for key in self._router.keys_of(name, up)]

    def _ahead(self) -> dict[timedelta, list[str]]:
        """The routes of links whose networks wait for send times, by how long."""
        up = {name for name, lane in self._lanes.items() if lane.healthy}
        found: dict[timedelta, list[str]] = {}
        for name in up:
            lead = self._lanes[name].connector.capabilities.ahead
            if lead:
                found.setdefault(lead, []).extend(self._router.keys_of(name, up))
        return found

    async def _look_at_strangers(self) -> None:
        """What is *uncertain* may be what a receipt that waits is about, now that others have been settled."""
        for name, lane in self._lanes.items():
            await self._ledger.do(receipt.settle_lost, name, lane.forms, self._now())
        await self._ledger.do(stranger.forget, self._now() - _FOREIGN)

    async def _feed(self, lane: Lane) -> None:
        wait = 0.0
        while not self._closing:
            if wait:
                await _woken(lane.wake, min(wait, _LOOK_AGAIN))
            try:
                wait = await self._fill(lane)
            except SQLAlchemyError as error:
                self._measures.count(metric.LEDGER_FAILURES)
                note(_log, logging.ERROR, "log-ledger-again", error)
                await asyncio.sleep(_LEDGER_RETRY)

    async def _fill(self, lane: Lane) -> float:
        """Claim what the link may be given and hand it over; seconds until there may be more unasked."""
        clock = asyncio.get_running_loop().time()
        before, now = lane.breaker.phase, self._now()
        room, wait = lane.room(now, clock)
        if lane.breaker.phase is not before:
            self._breaker_changed(lane)
        routes = self._router.keys_of(
            lane.connector.name, {name for name, other in self._lanes.items() if other.healthy or other is lane}
        )
        if not room or not lane.up or not routes:
            return wait or _LOOK_AGAIN
        claimed, due = await self._ledger.do(_claim, lane, routes, room, self._limiter, now)
        if claimed:
            handed = asyncio.get_running_loop().time()
            self._measures.took(metric.CLAIM_SECONDS, handed - clock)
            lane.submit(claimed, now, handed)
        return max((due - now).total_seconds(), 0.0) if due else _LOOK_AGAIN

    # For those who look from outside.

    @property
    def lanes(self) -> Mapping[str, Lane]:
        """Each connector as it is now, to be looked at."""
        return self._lanes

    def _breaker_changed(self, lane: Lane) -> None:
        note(_log, logging.WARNING, _USE_LINES[lane.breaker.phase], connector=lane.connector.name)
        if lane.status is not None:
            self._note(lane, lane.status)
        self._wake_lanes()

    def _note(self, lane: Lane, status: LinkStatus) -> None:
        row = link.LinkRow(
            connector=status.connector,
            state=status.link,
            code=status.error.code if status.error else None,
            facts={key: str(value) for key, value in status.error.facts.items()} if status.error else {},
            at=self._now(),
            breaker=lane.breaker.phase,
        )
        note = asyncio.create_task(self._write_note(row))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def _write_note(self, row: link.LinkRow) -> None:
        with suppress(SQLAlchemyError):  # nothing relies on it
            await self._ledger.do(link.note, row)
        async with self._links:
            self._links.notify_all()


async def _woken(event: asyncio.Event, within: float) -> None:
    """Wait for `event` or for so many seconds; it is no longer set then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    event.clear()


def _hurry(connection: Connection, limiter: Limiter, now: datetime) -> None:
    """All that waits for its moment may ask at once."""
    limiter.forget_lines()
    waiting.hurry(connection, now)


def _claim(
    connection: Connection, lane: Lane, routes: Sequence[str], room: int, limiter: Limiter, now: datetime
) -> tuple[list[Claimed], datetime | None]:
    """What may go now, and when more may; None when that is nobody's plan."""
    held_back = False

    def gate(number: str, sender: str | None, parts: int, campaign: int, now: datetime) -> datetime | None:
        nonlocal held_back
        later = limiter.ask(number, sender, parts, campaign, now)
        held_back = held_back or later is not None
        return later

    claimed = claim.claim(
        connection,
        connector=lane.connector.name,
        routes=routes,
        room=room,
        idle=lane.idle,
        now=now,
        served=lane.served,
        gate=gate if limiter.limits else claim.open_gate,
        ahead=lane.connector.capabilities.ahead,
    )
    # Those that a limit holds back made no use of their turn: there may be others behind them.
    return claimed, now if claimed or held_back else waiting.next_due(connection, routes, now)
