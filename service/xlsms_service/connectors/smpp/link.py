"""One live SMPP connection: a session on an asyncio transport, from connect to close.

Parts wait in `_waiting` until there is room in the window, the pace allows them and the transport takes bytes; only
then are they encoded and written, all of one turn of the loop in one write. So what still waits certainly did not
leave, and what is in the session's window may have.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Protocol, cast

from xlsms.errors import TransientError, UserError
from xlsms.model import Outcome, Outgoing, PartKey, Result
from xlsms_service.connectors.base import Acknowledgeable
from xlsms_service.connectors.pace import Pace
from xlsms_service.connectors.smpp import ending
from xlsms_service.connectors.smpp.asking import Question
from xlsms_service.connectors.smpp.backlog import Backlog
from xlsms_service.connectors.smpp.ending import Ended
from xlsms_service.connectors.smpp.incoming import DeliverReader
from xlsms_service.connectors.smpp.news import News
from xlsms_service.connectors.smpp.outgoing import SubmitEncoder, refusal
from xlsms_service.connectors.smpp.settings import SmppSettings
from xlsms_service.protocols.smpp.constants import Command
from xlsms_service.protocols.smpp.event import BindAnswered, Closed, End, Event, Reported, Requested
from xlsms_service.protocols.smpp.fault import FieldError
from xlsms_service.protocols.smpp.pdu import Bind, BindReceiver, DeliverSm, Pdu
from xlsms_service.protocols.smpp.session import NotNowError, Session, Timers
from xlsms_service.protocols.smpp.state import BOUND

__all__ = ["Delivery", "Link", "LinkOwner"]

_SLICE = 1024  # octets read before what they made room for is written, at least; some forty answers
_SLICES = 4  # of one read, at most
_CLOSING = 2.0  # seconds for the last bytes of a session to leave
_FRAME = 100  # octets that a delivery weighs besides its texts
_UNREAD = 4 << 20  # octets that a peer leaves unread before it is cut off


class Delivery(NamedTuple):
    """The token of a deliver_sm: the link it came by, and its sequence number there."""

    link: "Link"
    sequence: int
    size: int = 0  #: octets, about


class LinkOwner(Protocol):
    """Who a link tells what happens; all on the loop's thread."""

    def bound(self) -> None:
        """The link is up."""

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Submits have ended."""

    def late(self, outcomes: Sequence[Outcome]) -> None:
        """Submits that were told as uncertain have been answered after all."""

    def received(self, items: Sequence[Acknowledgeable]) -> None:
        """Receipts and texts have come."""

    def room_grew(self) -> None:
        """There is room for more."""


class Link(asyncio.Protocol):
    """One connection. `ended` resolves when it is closed, however that came about."""

    def __init__(
        self,
        name: str,
        settings: SmppSettings,
        owner: LinkOwner,
        *,
        bind: type[Bind],
        password: str,
        clock: Callable[[], datetime],
        pace: Pace,
    ) -> None:
        self._settings = settings
        self._owner = owner
        self._bind = bind
        self._password = password
        self._clock = clock
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Ended] = self._loop.create_future()
        self._encoder = SubmitEncoder(settings, clock)
        self._reader = DeliverReader(name, settings)
        timers = Timers(
            response=settings.response_timeout, bind=settings.connect_timeout, enquire=settings.enquire_link
        )
        self._session = Session(now=self._loop.time(), timers=timers)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Outgoing] = deque()
        self._asking: deque[tuple[Pdu, Question]] = deque()  # questions: they go before the parts
        self._backlog = Backlog()
        self._worked = False
        self._was_bound = False
        self._leaving = False
        self._paused = False
        self._pumping = False
        self._timer: asyncio.TimerHandle | None = None
        self._end: Ended | None = None
        self._progress = asyncio.Event()  # set when an answer came, or the link is over

    # --- for the connector ---

    @property
    def connected(self) -> bool:
        """There is a connection, bound or not."""
        return self._transport is not None

    @property
    def up(self) -> bool:
        """Bound, and not taking leave."""
        return self._session.state in BOUND and not self._leaving

    @property
    def sends(self) -> bool:
        """Whether it was bound to submit."""
        return self._bind is not BindReceiver

    @property
    def in_flight(self) -> int:
        """Parts without an answer."""
        return self._session.in_flight

    def room(self) -> int:
        """How many more parts would leave at once: window and pace allow them.

        What is claimed but still waits here when the service dies is *uncertain* though it never left.
        """
        if not (self.up and self.sends):
            return 0
        window = self._settings.window
        free = min(window - self._session.in_flight, self._pace.ready(window, self._loop.time()))
        return max(0, free - len(self._waiting) - len(self._asking))

    def submit(self, batch: Sequence[Outgoing]) -> None:
        """Take parts; they are written at the end of this turn of the loop, as far as there is room."""
        self._waiting.extend(batch)
        self._soon()

    async def ask(self, request: Pdu) -> Pdu:
        """Send a request about a message as soon as window and pace allow it, and give its answer.

        Raises `TransientError` (`answer-lost`, `link-lost`, `link-down`) when none comes, `FieldError` for what cannot
        be written.
        """
        question = Question()
        if self._transport is None or self._leaving:
            raise TransientError("link-down")
        self._asking.append((request, question))
        self._soon()
        return await question.answered

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Answer these deliver_sm at the end of this turn of the loop."""
        self._session.acknowledge([each.sequence for each in deliveries])
        size = sum([each.size for each in deliveries])
        deaf_for = self._backlog.let_go(len(deliveries), size, self._loop.time())
        if deaf_for is not None and self._transport is not None:
            self._session.forgive(deaf_for)  # what came meanwhile was not late: we did not listen
            self._transport.resume_reading()
        self._soon()

    def retire(self) -> list[PartKey]:
        """Submit and ask nothing more; gives the parts that still waited."""
        self._leaving = True
        for _, question in self._asking:
            question.fail(TransientError("link-down"))
        self._asking.clear()
        keys = [part.key for part in self._waiting]
        self._waiting.clear()
        return keys

    async def drained(self) -> None:
        """Wait until no written part lacks its answer, or the link is over."""
        while self._session.in_flight and not self.ended.done():
            self._progress.clear()
            await self._progress.wait()

    def leave(self) -> None:
        """Take leave of the SMSC; `ended` follows."""
        if self._session.state in BOUND:
            self._session.unbind(self._loop.time())
            self._pump()
        elif self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, whatever is still to be written."""
        if self._transport is not None:
            self._transport.abort()

    # --- for asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind."""
        self._transport = cast(asyncio.Transport, transport)
        stream = transport.get_extra_info("socket")
        if stream is not None:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        settings = self._settings
        bind = self._bind(
            sequence=0,
            system_id=settings.system_id,
            password=self._password,
            system_type=settings.system_type,
            address_range=settings.address_range,
        )
        try:
            self._session.bind(bind, self._loop.time())
        except FieldError as error:
            mistake = UserError("smsc-cannot-carry", field=error.field, reason=error.reason)
            self._finish(Ended(error=mistake, bound=False, refused=True))
            return
        self._pump()

    def data_received(self, data: bytes) -> None:
        """Read what came, tell it, and write what it gives room for.

        In slices, so that the peer has something to do again while the rest of a full window's answers is read.
        """
        now = self._loop.time()
        size = max(_SLICE, -(-len(data) // _SLICES))
        for at in range(0, len(data), size):
            self._handle(self._session.receive(data[at : at + size], now))
        if self._transport is not None and self._transport.get_write_buffer_size() > _UNREAD:
            self._transport.abort()

    def pause_writing(self) -> None:
        """The peer reads slowly: parts wait here, where they are safe."""
        self._paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._paused = False
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """Settle what is open: what was written may have left, what waited did not."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        at = self._clock()
        news = News(at, self._settings.id_form)
        for token in self._session.abandon():
            news.lose(token, "link-lost")
        outcomes = news.outcomes
        outcomes += [Outcome(key=key, result=Result.RETURNED, at=at, code="link-down") for key in self.retire()]
        if self._end is None:
            reason = str(exc) if exc else "connection closed"
            self._end = ending.hung_up(reason, self._settings, bound=self._was_bound)
        if outcomes:
            self._owner.outcomes(outcomes)
        if not self.ended.done():
            self.ended.set_result(replace(self._end, worked=self._worked))
        self._progress.set()

    # --- what happens ---

    def _handle(self, events: list[Event]) -> None:
        """Tell what the events mean, batch by batch, then write what they make possible."""
        self._pumping = True  # what is submitted meanwhile goes out with the rest
        if events:
            news = News(self._clock(), self._settings.id_form)
            for event in events:
                self._read(event, news)
            self._tell(news)
            if self.room():
                self._owner.room_grew()
        self._pump()

    def _read(self, event: Event, news: News) -> None:
        match event:
            case Reported(receipts):
                read, at = self._reader.read_usual, news.at
                told = [Acknowledgeable(read(it, at), Delivery(self, it.sequence, len(it.frame))) for it in receipts]
                self._take(told, sum([len(it.frame) for it in receipts]), news)
            case Requested(DeliverSm() as pdu):  # the only request that a bound session lets through
                size = _FRAME + len(pdu.short_message) + sum(map(len, pdu.tlvs.values()))
                item = self._reader.read(pdu, news.at)
                self._take([Acknowledgeable(item, Delivery(self, pdu.sequence, size))], size, news)
            case BindAnswered():
                self._bind_answered(event)
            case Closed():
                self._closed(event)
            case _:
                news.read(event)

    def _take(self, items: list[Acknowledgeable], size: int, news: News) -> None:
        news.items += items
        stop = self._backlog.take(len(items), size, self._loop.time())
        if stop and self._transport is not None:
            self._transport.pause_reading()

    def _tell(self, news: News) -> None:
        self._worked = self._worked or bool(news.items or news.accepted)
        if news.items:
            self._owner.received(news.items)
        if news.late:
            self._owner.late(news.late)
        if news.throttled:
            self._pace.throttled(self._loop.time())
        if news.outcomes:
            self._pace.accepted(news.accepted, self._loop.time())
            self._owner.outcomes(news.outcomes)
            self._progress.set()

    def _bind_answered(self, event: BindAnswered) -> None:
        if not event.status:
            self._was_bound = True
            self._owner.bound()
            return
        self._finish(ending.bind_refused(event.status, self._settings))

    def _closed(self, event: Closed) -> None:
        ended = ending.closed(event, self._settings, bound=self._was_bound, leaving=self._leaving)
        self._finish(ended, abort=event.end is End.SILENT)

    def _finish(self, end: Ended, *, abort: bool = False) -> None:
        """Write the last bytes and close; `connection_lost` does the rest."""
        self._end = end
        if self._transport is None:
            return
        self._transport.write(self._session.data_to_send())
        if abort:
            self._transport.abort()
        else:
            self._transport.close()
            self._loop.call_later(_CLOSING, self._transport.abort)

    # --- writing ---

    def _soon(self) -> None:
        """Write at the end of this turn of the loop."""
        if not self._pumping and self._transport is not None:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Encode the parts that may go now, and write everything in one go."""
        self._pumping = False
        if self._transport is None or self._transport.is_closing():
            return
        now = self._loop.time()
        if self._session.state in BOUND and not self._paused:
            if self._asking:
                self._ask(now)
            if self._waiting:
                self._fill_window(now)
        data = self._session.data_to_send()
        if data:
            self._transport.write(data)
        self._watch(now)

    def _ask(self, now: float) -> None:
        free = min(self._settings.window - self._session.in_flight, len(self._asking))
        for _ in range(self._pace.take(free, now) if free > 0 else 0):
            request, question = self._asking.popleft()
            try:
                self._session.send(request, question, now)
            except (FieldError, NotNowError) as error:
                question.fail(error if isinstance(error, FieldError) else TransientError("link-down"))

    def _fill_window(self, now: float) -> None:
        free = min(self._settings.window - self._session.in_flight, len(self._waiting))
        if free < 1:
            return
        refused: list[Outcome] = []
        bodies: list[tuple[bytes, object]] = []
        for _ in range(self._pace.take(free, now)):
            part = self._waiting.popleft()
            try:
                body = self._encoder.body(part)
            except (FieldError, UnicodeError) as error:
                refused.append(refusal(part, error, self._clock()))
            else:
                bodies.append((body, part.key))
        self._session.send_bodies(Command.SUBMIT_SM, bodies, now)
        if refused:
            self._loop.call_soon(self._owner.outcomes, refused)
            self._loop.call_soon(self._owner.room_grew)

    # --- time ---

    def _watch(self, now: float) -> None:
        """Keep one timer, for whatever is due first; one that is already set for earlier stays."""
        due = self._session.due() if not self._backlog.deaf else None
        paced = self._pace.wait(now)
        if (
            (self._waiting or self._asking or paced)
            and not self._paused
            and self._session.in_flight < self._settings.window
        ):
            due = now + paced if due is None else min(due, now + paced)
        if due is None or (self._timer is not None and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._handle(self._session.tick(self._loop.time()) if not self._backlog.deaf else [])
        if not self._waiting and self.room():
            self._owner.room_grew()
