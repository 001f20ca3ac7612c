"""What the ledger holds, for those who look from outside."""

from dataclasses import dataclass
from datetime import datetime

from xlsms_service.config import Settings
from xlsms_service.ledger import link, stop, view
from xlsms_service.ledger.lease import Lease
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.link import LinkRow
from xlsms_service.ledger.view import BookCount, Tally

__all__ = ["Status", "status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the ledger holds."""

    running: bool  #: a service delivers from this ledger now
    tally: Tally
    books: tuple[BookCount, ...]
    links: tuple[LinkRow, ...]
    stopped: datetime | None = None  #: since when nothing goes


def status(settings: Settings) -> Status:
    """What the ledger of these settings holds; works beside a running service."""
    with Ledger.open(settings.service.data, settings.service.ledger) as ledger:
        with Lease(settings.service.data) as lease:
            running = not lease.held
        return Status(
            running=running,
            tally=ledger.do_now(view.tally),
            books=tuple(ledger.do_now(view.book_counts)),
            links=tuple(ledger.do_now(link.links)),
            stopped=ledger.do_now(stop.pressed),
        )
