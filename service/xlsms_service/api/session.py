"""Pages in the user's browser: opened once by a ticket, then known by a key of their own.

The ticket stands in the fragment of an address, which no browser sends to anybody; the page exchanges it for a key that
it keeps for its tab. There is no cookie, so no other page can make the browser use it. A key opens one plan or one
conversation, not the API.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

__all__ = ["Sessions", "Subject"]

_TICKET = timedelta(minutes=2)
_SESSION = timedelta(hours=12)

#: Pages that may be open at once; the oldest gives way.
_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a page is about."""

    page: Literal["preview", "conversation"]
    plan: str | None = None
    number: str | None = None
    language: str | None = None  #: of a conversation; None: the service's own


class Sessions:
    """Tickets and keys, kept in memory: they end with the service."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._tickets: dict[str, tuple[Subject, datetime]] = {}
        self._keys: dict[str, tuple[Subject, datetime]] = {}

    def ticket(self, subject: Subject) -> str:
        """A ticket for a page."""
        return self._give(self._tickets, subject, _TICKET)

    def open(self, ticket: str) -> tuple[str, Subject] | None:
        """The key for a ticket, and what it opens; None for one that was used, is too old, or none."""
        subject, until = self._tickets.pop(ticket, (None, self._now()))
        if subject is None or until < self._now():
            return None
        return self._give(self._keys, subject, _SESSION), subject

    def of(self, key: str) -> Subject | None:
        """What a key opens."""
        subject, until = self._keys.get(key, (None, self._now()))
        return subject if until >= self._now() else None

    def _give(self, to: dict[str, tuple[Subject, datetime]], subject: Subject, time: timedelta) -> str:
        while len(to) >= _MOST:
            del to[next(iter(to))]
        made = secrets.token_urlsafe(32)
        to[made] = (subject, self._now() + time)
        return made
