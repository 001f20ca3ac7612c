"""The SMPP connector: keeps one link to an operator alive, and tells delivery what becomes of each part."""

import asyncio
import os
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random

from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms.model import Outcome, Outgoing, Result
from xlsms_service.connectors.backoff import Backoff
from xlsms_service.connectors.base import Acknowledgeable, Capabilities, Events, LinkStatus
from xlsms_service.connectors.base import Link as LinkState
from xlsms_service.connectors.pace import Pace
from xlsms_service.connectors.smpp.joining import join, part_outcomes
from xlsms_service.connectors.smpp.link import Delivery, Ended, Link
from xlsms_service.connectors.smpp.settings import SmppSettings

__all__ = ["SmppConnector"]

_STEADY = 10.0  # seconds that a link has to stand before the next failure is the first again


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SmppConnector:
    """One SMPP link, as `connectors.base.Connector`.

    `retry` are the waits between tries in seconds, `refused_retry` those while the login is refused: an operator
    locks out who knocks too often with a wrong password.
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
        self.capabilities = Capabilities(receipts=receives, inbound=receives)
        self._settings = settings
        self._clock = clock
        self._retry = retry or Backoff(first=1, limit=60, rng=rng)
        self._refused_retry = refused_retry or Backoff(first=60, limit=600, rng=rng)
        self._events: Events | None = None
        self._link: Link | None = None
        self._pace: Pace | None = None
        self._keeper: asyncio.Task[None] | None = None

    # --- the seam ---

    async def open(self, events: Events) -> None:
        """Start keeping a link; returns at once."""
        if self._keeper is not None:
            return
        self._events = events
        self._pace = Pace(self._settings.rate, asyncio.get_running_loop().time())
        self._keeper = asyncio.create_task(self._keep(self._pace), name=f"smpp link {self.name}")

    def room(self) -> int:
        """How many more parts may be submitted now."""
        return self._link.room() if self._link is not None else 0

    def submit(self, batch: Sequence[Outgoing]) -> None:
        """Hand parts over; one outcome follows for each, never before this returns."""
        if self._settings.bind == "receiver":
            self._give_back(batch, Result.REFUSED, "smsc-receives-only")
        elif self._link is None or not self._link.up:
            self._give_back(batch, Result.RETURNED, "link-down")
        else:
            self._link.submit(join(batch) if self._settings.long_texts == "payload" else batch)

    def acknowledge(self, tokens: Sequence[object]) -> None:
        """Answer these deliveries; those of a link that is gone will come again by themselves."""
        for token in tokens:
            if isinstance(token, Delivery) and token.link is self._link:
                token.link.acknowledge(token.sequence)

    async def close(self, drain: timedelta = timedelta(seconds=5)) -> None:
        """Wait up to `drain` for open answers, take leave, and stop."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        if self._link is not None and self._link.connected:
            await self._take_leave(self._link, drain.total_seconds())
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        self._tell(LinkState.DOWN)

    async def _take_leave(self, link: Link, drain: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + drain
        outcomes = [
            Outcome(key=key, result=Result.RETURNED, at=self._clock(), code="link-down") for key in link.retire()
        ]
        if outcomes:
            self.outcomes(outcomes)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await link.drained()
        link.leave()
        with suppress(TimeoutError):
            # Even without time to drain, a polite leave is worth a moment.
            async with asyncio.timeout_at(max(until, loop.time() + min(drain, 1.0))):
                await asyncio.shield(link.ended)
        link.abort()
        await link.ended

    # --- what the link tells ---

    def bound(self) -> None:
        """The link is up."""
        self._tell(LinkState.UP)

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Submits have ended."""
        if self._events is not None:
            joined = self._settings.long_texts == "payload"
            self._events.outcomes(self.name, part_outcomes(outcomes) if joined else outcomes)

    def received(self, items: Sequence[Acknowledgeable]) -> None:
        """Receipts and texts have come."""
        if self._events is not None:
            self._events.received(self.name, items)

    def room_grew(self) -> None:
        """There is room for more."""
        if self._events is not None:
            self._events.room_changed(self.name)

    # --- keeping the link ---

    async def _keep(self, pace: Pace) -> None:
        """Connect, wait for the end, wait a little, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._tell(LinkState.CONNECTING)
            began = loop.time()
            ended = await self._live(pace)
            if self._keeper is None:
                return  # we are closing
            if ended.bound:
                self._refused_retry.reset()
                if loop.time() - began >= _STEADY:
                    self._retry.reset()
            wait = (self._refused_retry if ended.refused else self._retry).next()
            state = LinkState.REFUSED if ended.refused else LinkState.DOWN
            self._tell(state, ended.error, timedelta(seconds=wait))
            await asyncio.sleep(wait)

    async def _live(self, pace: Pace) -> Ended:
        """One link, from connecting to its end."""
        settings = self._settings
        try:
            password = settings.password.reveal()
            context = self._tls()
            # It may be bound before this coroutine runs again: from here on the seam has to find it.
            self._link = link = Link(self.name, settings, self, password=password, clock=self._clock, pace=pace)
            async with asyncio.timeout(settings.connect_timeout):
                await asyncio.get_running_loop().create_connection(
                    lambda: link,
                    settings.host,
                    settings.port,
                    ssl=context,
                    server_hostname=(settings.server_hostname or settings.host) if context else None,
                )
            return await asyncio.shield(link.ended)
        except UserError as error:
            return Ended(error=error, bound=False, refused=True)
        except (
            OSError,
            UnicodeError,
        ) as error:  # TimeoutError and SSLError are the former, a malformed name the latter
            trouble = self._connect_error(error)
            return Ended(error=trouble, bound=False, refused=isinstance(trouble, UserError))
        finally:
            gone, self._link = self._link, None
            if gone is not None:
                gone.abort()

    def _tls(self) -> ssl.SSLContext | None:
        settings = self._settings
        if not settings.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=settings.ca)
        except OSError as error:
            raise UserError("smsc-ca-unusable", file=settings.ca, reason=error.strerror or str(error)) from error
        if not settings.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _connect_error(self, error: OSError | UnicodeError) -> XlsmsError:
        host, port = self._settings.host, self._settings.port
        if isinstance(error, ssl.SSLCertVerificationError):
            return UserError("smsc-certificate", host=host, port=port, reason=error.verify_message)
        if isinstance(error, ssl.SSLError):
            return UserError("smsc-no-tls", host=host, port=port, reason=error.reason)
        if isinstance(error, TimeoutError):
            return TransientError("smsc-unreachable", host=host, port=port, reason="no answer")
        number = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(number) if number is not None and number > 0 else str(error)
        return TransientError("smsc-unreachable", host=host, port=port, reason=reason)

    def _tell(self, state: LinkState, error: XlsmsError | None = None, retry_in: timedelta | None = None) -> None:
        if self._events is not None:
            self._events.link_changed(LinkStatus(connector=self.name, link=state, error=error, retry_in=retry_in))

    def _give_back(self, batch: Sequence[Outgoing], result: Result, code: str) -> None:
        at = self._clock()
        outcomes = [Outcome(key=part.key, result=result, at=at, code=code) for part in batch]
        if outcomes:
            asyncio.get_running_loop().call_soon(self.outcomes, outcomes)
