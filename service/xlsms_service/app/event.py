"""What happens while the service runs, for those who watch it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from xlsms.errors import XlsmsError
from xlsms_service.connectors.base import LinkStatus
from xlsms_service.sync.intake import Taken

__all__ = ["Event"]


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
