"""The face of the running service: its API and pages, wired to the parts that do the work."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random

from xlsms_service import auth
from xlsms_service.api import metrics
from xlsms_service.api.app import build
from xlsms_service.api.desk import Desk
from xlsms_service.api.news import News
from xlsms_service.api.serving import bind, hosts_of, serve
from xlsms_service.api.session import Sessions
from xlsms_service.app.observing import Observer
from xlsms_service.app.together import together
from xlsms_service.config import Settings
from xlsms_service.connectors.registry import take_back
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import changes
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.reader import Reader
from xlsms_service.planning import Terms
from xlsms_service.sync.live import Alone, LiveIntake
from xlsms_service.web.pages import pages

__all__ = ["face"]

#: Seconds between two looks whether the log of changes has grown too long.
_COMPACT = 3_600.0


@asynccontextmanager
async def face(  # noqa: PLR0913 (everything that the face shows or moves)
    settings: Settings,
    ledger: Ledger,
    router: Router,
    *,
    alone: Alone,
    terms: Callable[[bool], Terms],
    wake: Callable[[], None],
    news: News,
    observer: Observer,
    clock: tuple[Callable[[], datetime], Random],
) -> AsyncIterator[str]:
    """Answer the API where the settings say, while the body runs; the address.

    Raises:
        UserError: `listen-taken`, `listen-not-loopback`, `token-unusable`.
    """
    data, (now, rng) = settings.service.data, clock
    token = auth.token(data)
    listening = bind(settings.service.listen)
    reader = Reader.open(data, settings.service.ledger)
    desk = Desk(
        ledger=ledger,
        reader=reader,
        intake=LiveIntake(ledger, alone=alone, terms=terms, route=router.key, now=now, rng=rng),
        router=router,
        sessions=Sessions(now),
        terms=terms,
        now=now,
        wake=wake,
        language=settings.service.language,
        take_back=take_back(settings.connectors),
        news=news,
    )
    try:
        with observer.registry() as registry:
            app = build(desk, token, hosts_of(listening), [metrics.page(registry), pages(desk)])
            async with serve(app, listening, data, news.close) as address, together(_tend(ledger)):
                yield address
    finally:
        reader.close()


async def _tend(ledger: Ledger) -> None:
    while True:
        await ledger.do(changes.compact)
        await asyncio.sleep(_COMPACT)
