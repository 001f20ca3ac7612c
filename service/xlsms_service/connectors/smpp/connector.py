"""The SMPP connector: one or several links to an operator, and what becomes of each part."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from xlsms.errors import TransientError
from xlsms.model import Outcome, Outgoing, Receipt, Result
from xlsms_service.connectors.backoff import Backoff
from xlsms_service.connectors.base import (
    Acknowledgeable,
    Capabilities,
    Events,
    LateEvents,
    LinkStatus,
    PartAskedAbout,
    Reading,
)
from xlsms_service.connectors.base import Link as LinkState
from xlsms_service.connectors.pace import Pace
from xlsms_service.connectors.smpp.asking import cancel_of, cancelled, query_of, receipt_from
from xlsms_service.connectors.smpp.joining import join, part_outcomes
from xlsms_service.connectors.smpp.line import Line
from xlsms_service.connectors.smpp.link import Delivery, Link
from xlsms_service.connectors.smpp.outbind import Door
from xlsms_service.connectors.smpp.outgoing import SubmitEncoder
from xlsms_service.connectors.smpp.settings import SmppSettings
from xlsms_service.connectors.smpp.sharing import shares, standing
from xlsms_service.protocols.smpp.fault import FieldError
from xlsms_service.protocols.smpp.pdu import Bind, BindReceiver, BindTransceiver, BindTransmitter

__all__ = ["SmppConnector"]

_BINDS: dict[str, tuple[type[Bind], ...]] = {
    "transceiver": (BindTransceiver,),
    "transmitter": (BindTransmitter,),
    "receiver": (BindReceiver,),
    "pair": (BindTransmitter, BindReceiver),
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SmppConnector:
    """Links to one operator, as `connectors.base.Connector` that can be asked about parts (`Asking`).

    `retry` are the waits between tries in seconds, `refused_retry` those while the login is refused; each link has
    waits of its own like them.
    """

    def __init__(
        self,
        name: str,
        settings: SmppSettings,
        *,
        clock: Callable[[], datetime] = _utc_now,
        rng: Random | None = None,
        retry: Backoff | None = None,
        refused_retry: Backoff | None = None,
    ) -> None:
        self.name = name
        receives = settings.bind != "transmitter"
        ahead = timedelta(minutes=settings.schedule_ahead or 0)
        self.capabilities = Capabilities(receipts=receives, inbound=receives, ahead=ahead)
        self.ask_after = timedelta(minutes=settings.ask_after) if settings.ask_after is not None else None
        self.cancels = settings.cancel
        self._settings = settings
        self._clock = clock
        self._retry = retry or Backoff(first=1, limit=60, rng=rng)
        self._refused_retry = refused_retry or Backoff(first=60, limit=600, rng=rng)
        self._joins = settings.long_texts == "payload"
        self._encoder = SubmitEncoder(settings, clock)
        self._events: Events | None = None
        self._told: LinkStatus | None = None
        self._pace = Pace(settings.rate, 0)
        self._door: Door | None = None
        self._lines: list[Line] = []
        self._closing = False

    # --- the seam ---

    async def open(self, events: Events) -> None:
        """Start keeping the links; returns at once."""
        if self._lines:
            return
        self._events, self._told, self._closing = events, None, False
        self._pace = Pace(self._settings.rate, asyncio.get_running_loop().time())
        self._door = Door(self._settings) if self._settings.outbind else None
        self._lines = [
            Line(
                self._settings,
                self,
                bind=bind,
                clock=self._clock,
                pace=self._pace,
                retry=self._retry.again(),
                refused_retry=self._refused_retry.again(),
                door=self._door,
            )
            for _ in range(self._settings.binds)
            for bind in _BINDS[self._settings.bind]
        ]

    def room(self) -> int:
        """How many more parts may be submitted now, over all links."""
        room = sum(link.room() for link in self._sending())
        return self._pace.ready(room, asyncio.get_running_loop().time()) if room else 0

    def submit(self, batch: Sequence[Outgoing]) -> None:
        """Hand parts over; one outcome follows for each, never before this returns."""
        links = self._sending()
        if self._settings.bind == "receiver":
            self._give_back(batch, Result.REFUSED, "smsc-receives-only")
        elif not links:
            self._give_back(batch, Result.RETURNED, "link-down")
        else:
            self._share(join(batch) if self._joins else batch, links)

    def _share(self, batch: Sequence[Outgoing], links: Sequence[Link]) -> None:
        if len(links) == 1:
            links[0].submit(batch)
            return
        at = 0
        for link, share in zip(links, shares(len(batch), [link.room() for link in links]), strict=True):
            link.submit(batch[at : at + share])
            at += share

    def acknowledge(self, tokens: Sequence[object]) -> None:
        """Answer these deliveries; those of a link that is gone will come again by themselves."""
        by_link: dict[Link, list[Delivery]] = {line.link: [] for line in self._lines if line.link is not None}
        for token in tokens:
            if isinstance(token, Delivery) and token.link in by_link:
                by_link[token.link].append(token)
        for link, deliveries in by_link.items():
            if deliveries:
                link.acknowledge(deliveries)

    async def close(self, drain: timedelta = timedelta(seconds=5)) -> None:
        """Wait up to `drain` for open answers, take leave, and stop."""
        if self._closing or not self._lines:
            return
        self._closing = True
        await asyncio.gather(*(line.close(drain.total_seconds()) for line in self._lines))
        if self._door is not None:
            self._door.close()
        self._lines = []
        self._tell(LinkStatus(connector=self.name, link=LinkState.DOWN))

    def reading(self) -> Reading:
        """How much of the window is in use, over all links."""
        links = self._sending()
        used = sum(link.in_flight for link in links)
        return Reading(window=len(links) * self._settings.window, used=used, limit=self._pace.rate)

    # --- questions ---

    async def query(self, part: PartAskedAbout) -> Receipt | None:
        """What the SMSC says of the part now (query_sm); None when it does not know it."""
        try:
            answer = await self._asked().ask(query_of(part, self._encoder, self._settings))
        except FieldError:  # an id longer than SMPP allows: it is taken in answers, yet nobody can ask about it
            return None
        zone = ZoneInfo(self._settings.receipt_zone)
        return receipt_from(answer, part, self.name, self._clock(), zone)

    async def cancel(self, part: PartAskedAbout) -> bool:
        """Take the part back (cancel_sm); whether it certainly does not reach the phone any more."""
        try:
            return cancelled(await self._asked().ask(cancel_of(part, self._encoder, self._settings)))
        except FieldError:
            return False

    def _asked(self) -> Link:
        """A link that can be asked; TransientError while there is none."""
        links = self._sending()
        if not links:
            raise TransientError("link-down")
        return links[0]

    # --- what the lines tell ---

    def line_changed(self) -> None:
        """A link came or went."""
        if not self._closing and self._lines:
            self._tell(standing([line.status for line in self._lines], [line.sends for line in self._lines]))

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Submits have ended."""
        if self._events is not None:
            self._events.outcomes(self.name, part_outcomes(outcomes) if self._joins else outcomes)

    def late(self, outcomes: Sequence[Outcome]) -> None:
        """Submits that were told as uncertain have been answered after all."""
        events: object = self._events
        if isinstance(events, LateEvents):
            events.outcomes_late(self.name, part_outcomes(outcomes) if self._joins else outcomes)

    def received(self, items: Sequence[Acknowledgeable]) -> None:
        """Receipts and texts have come."""
        if self._events is not None:
            self._events.received(self.name, items)

    def room_grew(self) -> None:
        """There is room for more."""
        if self._events is not None:
            self._events.room_changed(self.name)

    # --- inside ---

    def _sending(self) -> list[Link]:
        """The links that are up and may submit."""
        return [line.link for line in self._lines if line.sends and line.link is not None and line.link.up]

    def _tell(self, status: LinkStatus) -> None:
        if self._events is not None and status != self._told:
            self._told = status
            self._events.link_changed(status)

    def _give_back(self, batch: Sequence[Outgoing], result: Result, code: str) -> None:
        at = self._clock()
        outcomes = [Outcome(key=part.key, result=result, at=at, code=code) for part in batch]
        if outcomes and self._events is not None:
            asyncio.get_running_loop().call_soon(self._events.outcomes, self.name, outcomes)
