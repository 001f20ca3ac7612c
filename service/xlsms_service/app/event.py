"""What happens while the service runs, for those who watch it and for the log."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import xlsms
from xlsms.errors import XlsmsError
from xlsms.journal import note
from xlsms_service.connectors.base import LinkStatus
from xlsms_service.sync.intake import Taken

__all__ = ["Event", "noted", "recorded"]

#: What stops a workbook from being looked at in the normal course of things.
_USUAL = frozenset({"workbook-live"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, for those who watch the service run."""

    kind: str  #: link, accepted, problem, reply, stranger
    at: datetime
    path: Path | None = None
    count: int = 0
    link: LinkStatus | None = None
    error: XlsmsError | None = None
    taken: Taken | None = None


@asynccontextmanager
async def noted() -> AsyncIterator[None]:
    """A run of the service, with its beginning and its end in the log."""
    note(_log, logging.INFO, "log-started", version=xlsms.__version__)
    try:
        yield
    finally:
        note(_log, logging.INFO, "log-stopped")


def recorded(told: Callable[[Event], None]) -> Callable[[Event], None]:
    """`told`, with each event in the log too: of rows how many and why, never which number or text."""

    def tell(event: Event) -> None:
        _record(event)
        told(event)

    return tell


def _record(event: Event) -> None:
    match event:
        case Event(error=XlsmsError() as error):
            level = logging.INFO if error.code in _USUAL else logging.WARNING
            note(_log, level, "log-problem", error, file=event.path or "", problem=error.code)
        case Event(taken=Taken() as taken):
            codes = Counter([*(it.code for it in taken.problems), *(it.held.code for it in taken.held if it.held)])
            note(
                _log,
                logging.INFO,
                "log-taken-in",
                file=event.path,
                accepted=taken.accepted,
                held=len(taken.held),
                problems=len(taken.problems),
                codes=dict(codes) or "",
            )
        case Event(kind="reply"):
            note(_log, logging.INFO, "log-replies", count=event.count)
        case Event(kind="stranger"):
            note(_log, logging.INFO, "log-strangers", count=event.count)
