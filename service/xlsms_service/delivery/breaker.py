"""Leaves a link alone that takes nothing: a state machine without clock, one for each link."""

from datetime import datetime, timedelta
from enum import StrEnum

from xlsms.model import Outcome, Result
from xlsms_service.delivery.retry import retry_for

__all__ = ["Breaker", "Phase"]

#: Failures in a row that open it.
_FAILURES = 5

_FIRST = timedelta(seconds=1)
_MOST = timedelta(minutes=1)


class Phase(StrEnum):
    """Whether a link is used."""

    CLOSED = "closed"  #: as much as it takes
    OPEN = "open"  #: not at all, for a while
    HALF_OPEN = "half-open"  #: for one message, whose answer decides


class Breaker:
    """Opens after some failures or lost answers in a row, and lets one message try a while later.

    An answer of any other kind shows that the link works, also a refusal; throttling shows nothing either way. The
    while is a second, and doubles up to a minute each time the one message fails too.
    """

    def __init__(self) -> None:
        self.phase = Phase.CLOSED
        self._failures = 0
        self._wait = _FIRST
        self._until: datetime | None = None

    def room(self, room: int, now: datetime, *, idle: bool) -> int:
        """How much of `room` may be used now; `idle` says that nothing is under way."""
        if self.phase is Phase.OPEN and self.opens_in(now) <= timedelta(0):
            self.phase = Phase.HALF_OPEN
        if self.phase is Phase.CLOSED:
            return room
        return min(room, 1) if self.phase is Phase.HALF_OPEN and idle else 0

    def opens_in(self, now: datetime) -> timedelta:
        """How long the link is left alone from now on."""
        if self.phase is not Phase.OPEN or self._until is None:
            return timedelta(0)
        self._until = min(self._until, now + self._wait)  # a clock that was put back
        return self._until - now

    def saw(self, outcome: Outcome, now: datetime) -> None:
        """One more submit has ended."""
        if outcome.result is Result.UNCERTAIN or (outcome.result is Result.RETURNED and retry_for(outcome.code).sick):
            self._fail(now)
        elif outcome.result is not Result.RETURNED:
            self.phase, self._failures, self._wait = Phase.CLOSED, 0, _FIRST

    def _fail(self, now: datetime) -> None:
        self._failures += 1
        if self.phase is Phase.HALF_OPEN:
            self._wait = min(self._wait * 2, _MOST)
        elif self.phase is Phase.OPEN or self._failures < _FAILURES:
            return
        self.phase, self._until = Phase.OPEN, now + self._wait
