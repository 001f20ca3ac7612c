"""One connection of an SMPP connector, made anew whenever it breaks."""

import asyncio
import os
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms.model import Outcome, Result
from xlsms_service.connectors.backoff import Backoff
from xlsms_service.connectors.base import Acknowledgeable, LinkStatus
from xlsms_service.connectors.base import Link as LinkState
from xlsms_service.connectors.pace import Pace
from xlsms_service.connectors.smpp.ending import Ended
from xlsms_service.connectors.smpp.link import Link
from xlsms_service.connectors.smpp.outbind import Door
from xlsms_service.connectors.smpp.settings import SmppSettings
from xlsms_service.protocols.smpp.pdu import Bind, BindReceiver

__all__ = ["Line", "LineOwner"]

_STEADY = 10.0  # seconds that an idle link has to stand before the next failure is the first again


class LineOwner(Protocol):
    """Who a line tells what happens; all on the loop's thread."""

    name: str

    def line_changed(self) -> None:
        """Its `status` has changed."""

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Submits have ended."""

    def late(self, outcomes: Sequence[Outcome]) -> None:
        """Submits that were told as uncertain have been answered after all."""

    def received(self, items: Sequence[Acknowledgeable]) -> None:
        """Receipts and texts have come."""

    def room_grew(self) -> None:
        """There is room for more."""


class Line:
    """Keeps one link to an operator, bound as `bind`.

    `retry` are the waits between tries in seconds, `refused_retry` those while the login is refused: an operator
    locks out who knocks too often with a wrong password. With a `door` it waits there for the operator to call.
    """

    def __init__(
        self,
        settings: SmppSettings,
        owner: LineOwner,
        *,
        bind: type[Bind],
        clock: Callable[[], datetime],
        pace: Pace,
        retry: Backoff,
        refused_retry: Backoff,
        door: Door | None = None,
    ) -> None:
        self.link: Link | None = None
        self.sends = bind is not BindReceiver
        self.status = LinkStatus(connector=owner.name, link=LinkState.DOWN)
        self._settings = settings
        self._owner = owner
        self._bind = bind
        self._clock = clock
        self._pace = pace
        self._retry = retry
        self._refused_retry = refused_retry
        self._door = door
        self._keeper = asyncio.create_task(self._keep(), name=f"smpp link {owner.name}")
        self._closing = False

    async def close(self, drain: float) -> None:
        """Wait up to `drain` seconds for open answers, take leave, and stop."""
        self._closing = True
        if self.link is not None and self.link.connected:
            await self._take_leave(self.link, drain)
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper

    async def _take_leave(self, link: Link, drain: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + drain
        outcomes = [
            Outcome(key=key, result=Result.RETURNED, at=self._clock(), code="link-down") for key in link.retire()
        ]
        if outcomes:
            self._owner.outcomes(outcomes)
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
        self._owner.outcomes(outcomes)

    def late(self, outcomes: Sequence[Outcome]) -> None:
        """Submits that were told as uncertain have been answered after all."""
        self._owner.late(outcomes)

    def received(self, items: Sequence[Acknowledgeable]) -> None:
        """Receipts and texts have come."""
        self._owner.received(items)

    def room_grew(self) -> None:
        """There is room for more."""
        self._owner.room_grew()

    # --- keeping the link ---

    async def _keep(self) -> None:
        """Connect, wait for the end, wait a little, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._tell(LinkState.CONNECTING)
            began = loop.time()
            ended = await self._live()
            if self._closing:
                return
            if ended.bound:
                self._refused_retry.reset()
                if ended.worked or loop.time() - began >= _STEADY:
                    self._retry.reset()
            wait = (self._refused_retry if ended.refused else self._retry).next()
            state = LinkState.REFUSED if ended.refused else LinkState.DOWN
            self._tell(state, ended.error, timedelta(seconds=wait))
            await asyncio.sleep(wait)

    async def _live(self) -> Ended:
        """One link, from connecting to its end."""
        settings = self._settings
        try:
            # It may be bound before this coroutine runs again: from here on the seam has to find it.
            self.link = link = Link(
                self._owner.name,
                settings,
                self,
                bind=self._bind,
                password=settings.password.reveal(),
                clock=self._clock,
                pace=self._pace,
            )
            await self._connect(link)
            return await asyncio.shield(link.ended)
        except UserError as error:
            return Ended(error=error, bound=False, refused=True)
        except (OSError, ValueError) as error:  # TimeoutError and SSLError are the former, a malformed name the latter
            trouble = self._connect_error(error)
            return Ended(error=trouble, bound=False, refused=isinstance(trouble, UserError))
        finally:
            gone, self.link = self.link, None
            if gone is not None:
                gone.abort()

    async def _connect(self, link: Link) -> None:
        """Give the link its connection: one that we make, or the operator's call."""
        loop = asyncio.get_running_loop()
        settings = self._settings
        if self._door is not None:
            transport = await self._door.call()
            transport.set_protocol(link)
            link.connection_made(transport)
            transport.resume_reading()
            return
        context = self._tls()
        name = (settings.server_hostname or settings.host) if context else None
        if context is not None:
            _check_name(context, name)
        async with asyncio.timeout(settings.connect_timeout):
            await loop.create_connection(
                lambda: link,
                settings.host,
                settings.port,
                ssl=context,
                server_hostname=name,
            )

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

    def _connect_error(self, error: OSError | ValueError) -> XlsmsError:
        host, port = self._settings.host, self._settings.port
        if isinstance(error, ssl.SSLCertVerificationError):
            return UserError("smsc-certificate", host=host, port=port, reason=error.verify_message)
        if isinstance(error, ssl.SSLError):
            return UserError("smsc-no-tls", host=host, port=port, reason=error.reason)
        if isinstance(error, TimeoutError):
            return TransientError("smsc-unreachable", host=host, port=port, reason="no answer")
        number = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(number) if number is not None and number > 0 else str(error)
        if self._door is not None:
            return TransientError("smsc-cannot-call", address=self._settings.outbind, host=host, reason=reason)
        return TransientError("smsc-unreachable", host=host, port=port, reason=reason)

    def _tell(self, state: LinkState, error: XlsmsError | None = None, retry_in: timedelta | None = None) -> None:
        self.status = LinkStatus(connector=self._owner.name, link=state, error=error, retry_in=retry_in)
        self._owner.line_changed()


def _check_name(context: ssl.SSLContext, name: str | None) -> None:
    """Raise `UserError` (`smsc-wrong-name`) for a name that no certificate can have, before there is a connection."""
    try:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)
    except (ValueError, TypeError) as error:  # also UnicodeError
        raise UserError("smsc-wrong-name", name=name, reason=str(error)) from error
