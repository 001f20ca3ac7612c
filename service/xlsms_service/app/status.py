"""What the ledger holds and how fast the links are, for those who look from outside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from xlsms_service.app import live
from xlsms_service.app.counter import Counter
from xlsms_service.app.live import Live
from xlsms_service.config import Settings
from xlsms_service.ledger import link, stop
from xlsms_service.ledger.lease import Holder, holder
from xlsms_service.ledger.link import LinkRow
from xlsms_service.ledger.reader import Reader
from xlsms_service.ledger.view import BookCount, Tally

__all__ = ["Status", "looking", "status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the ledger holds, and how fast the links are."""

    at: datetime
    service: Holder | None  #: who delivers from this ledger now
    tally: Tally
    books: tuple[BookCount, ...]
    links: tuple[LinkRow, ...]
    stopped: datetime | None = None  #: since when nothing goes
    live: Live | None = None  #: what the running service told last

    @property
    def running(self) -> bool:
        """Whether a service delivers from this ledger now."""
        return self.service is not None


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def looking(settings: Settings, now: Callable[[], datetime] = _now) -> Iterator[Callable[[], Status]]:
    """A look at the ledger of these settings, again and again; beside a running service, and never in its way."""
    data = settings.service.data
    with Reader.open(data, settings.service.ledger) as reader:
        counter = Counter(reader)

        def look() -> Status:
            census, moment = counter.count(), now()
            links, stopped = reader.ask(_rest)
            return Status(
                at=moment,
                service=holder(data),
                tally=census.tally,
                books=census.books,
                links=links,
                stopped=stopped,
                live=live.read(data, moment),
            )

        yield look


def _rest(connection: Connection) -> tuple[tuple[LinkRow, ...], datetime | None]:
    return tuple(link.links(connection)), stop.pressed(connection)


def status(settings: Settings, now: Callable[[], datetime] = _now) -> Status:
    """One such look."""
    with looking(settings, now) as look:
        return look()
