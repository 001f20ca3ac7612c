"""Delivery in this process: links, write-back and inbox, as long as somebody needs them."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random

from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms_service.api.news import News
from xlsms_service.app.event import Event
from xlsms_service.app.observing import Observer
from xlsms_service.app.together import together
from xlsms_service.config import Settings
from xlsms_service.connectors.base import LinkStatus
from xlsms_service.delivery.engine import Engine
from xlsms_service.delivery.limit import Limiter
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import stop
from xlsms_service.ledger.lease import Lease
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.measuring import metric
from xlsms_service.sync.garbage import seldom
from xlsms_service.sync.writeback import Writeback
from xlsms_service.twoway.inbox import Handled
from xlsms_service.twoway.keeper import Keeper

__all__ = ["Delivery"]

#: How long `send` and `text` wait for the first link before they give up, the workbook untouched.
_LINK_PATIENCE = timedelta(seconds=15)


class Delivery:
    """One process at a time delivers from a ledger: this one, when it holds the lease."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        router: Router,
        writeback: Writeback,
        *,
        observer: Observer,
        news: News,
        told: Callable[[Event], None],
        clock: tuple[Callable[[], datetime], Random],
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._router = router
        self._writeback = writeback
        self._observer = observer
        self._news = news
        self._told = told
        self._now, self._rng = clock
        self.lease = Lease(settings.service.data)
        self._inbox = Keeper(ledger, country=settings.service.country, now=self._now, told=self._handled)
        self._engine: Engine | None = None

    @asynccontextmanager
    async def here(self, *, patient: bool = True, only_here: bool = False) -> AsyncIterator[bool]:
        """Deliver in this process, or, when another one does, leave it to that. Whether it is this one.

        Raises:
            UserError: `sending-stopped` and why no link came up, when `patient`; `service-running`; `no-connector`.
            TransientError: no link came up.
        """
        if patient and (since := await self._ledger.do(stop.pressed)):
            raise UserError("sending-stopped", since=f"{since.astimezone():%Y-%m-%d %H:%M}")
        if not self.lease.take():
            if only_here:
                raise UserError("service-running", folder=self._settings.service.data)
            yield False
            return
        try:
            if not self._settings.connectors:
                raise UserError("no-connector")
            async with self._links(patient=patient):
                yield True
        finally:
            self.lease.give_back()

    def wake(self) -> None:
        """Something may be free to go."""
        self._news.ring()
        if self._engine is not None:
            self._engine.wake()

    @asynccontextmanager
    async def _links(self, *, patient: bool) -> AsyncIterator[None]:
        # Connectors take a tenth of a second to import: a process without links does not pay for them.
        from xlsms_service.connectors.registry import build  # noqa: PLC0415
        from xlsms_service.simulators.rehearsal import rehearsal  # noqa: PLC0415

        connectors = {
            each.name: build(each, now=self._now, rng=self._rng, rehearsal=rehearsal)
            for each in self._settings.connectors
        }
        engine = Engine(
            self._ledger,
            connectors,
            self._router,
            now=self._now,
            changed=self._changed,
            came=self._inbox.wake,
            on_link=self._link_changed,
            limiter=Limiter(self._settings.limits),
            resend=self._settings.service.uncertain == "resend",
            measures=self._observer.tallies,
        )
        try:
            await engine.start()
            if patient and not await engine.wait_for_link(_LINK_PATIENCE):
                raise _why_down(engine.links.values())
            self._engine = engine
            works = (engine.watch(), self._writeback.run(), self._inbox.run(), self._observer.run(engine))
            with seldom():
                async with together(*works):
                    yield
        finally:
            self._engine = None
            await engine.close()
            await self._inbox.look()
            await self._writeback.flush()

    def _changed(self) -> None:
        self._writeback.wake()
        self._news.ring()

    def _link_changed(self, status: LinkStatus) -> None:
        self._told(Event(kind="link", at=self._now(), link=status))

    def _handled(self, handled: Handled) -> None:
        for kind, count in (("reply", handled.replies), ("stranger", handled.strangers)):
            if count:
                self._observer.tallies.count(metric.TEXTS_IN, count, kind)
        self._news.ring()
        if handled.replies:
            self._writeback.wake()
            self._told(Event(kind="reply", at=self._now(), count=handled.replies))
        if handled.strangers:
            self._told(Event(kind="stranger", at=self._now(), count=handled.strangers))


def _why_down(links: Iterable[LinkStatus | None]) -> XlsmsError:
    """The reason of the first link that gave one."""
    return next((link.error for link in links if link is not None and link.error), TransientError("no-link"))
