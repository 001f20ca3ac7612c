"""What the ledger holds, for those who look from outside."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from xlsms_service.config import Settings
from xlsms_service.ledger import link, stop, view
from xlsms_service.ledger.lease import Holder, holder
from xlsms_service.ledger.link import LinkRow
from xlsms_service.ledger.reader import Reader
from xlsms_service.ledger.view import BookCount, Tally

__all__ = ["Status", "status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the ledger holds."""

    service: Holder | None  #: who delivers from this ledger now
    tally: Tally
    books: tuple[BookCount, ...]
    links: tuple[LinkRow, ...]
    stopped: datetime | None = None  #: since when nothing goes

    @property
    def running(self) -> bool:
        """Whether a service delivers from this ledger now."""
        return self.service is not None


def status(settings: Settings) -> Status:
    """What the ledger of these settings holds; works beside a running service, and is never in its way."""
    with Reader.open(settings.service.data, settings.service.ledger) as reader:
        return reader.ask(_status, holder(settings.service.data))


def _status(connection: Connection, service: Holder | None) -> Status:
    census = view.census(connection)
    return Status(
        service=service,
        tally=census.tally,
        books=census.books,
        links=tuple(link.links(connection)),
        stopped=stop.pressed(connection),
    )
