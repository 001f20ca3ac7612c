"""How many messages are in each state, asked again and again at no cost worth speaking of."""

import time
from collections.abc import Callable
from threading import Lock

from xlsms_service.ledger import view
from xlsms_service.ledger.reader import Reader

__all__ = ["Counter"]

#: A count is not repeated sooner than this many times its own duration: it takes a twentieth of the time at most.
_REST = 20.0


class Counter:
    """Counts when asked, or answers with the last count where counting again would cost too much. For any thread."""

    def __init__(self, reader: Reader, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._clock = clock
        self._lock = Lock()
        self._last: view.Census | None = None
        self._again_at = 0.0

    def count(self) -> view.Census:
        """How it is now, or was a moment ago."""
        with self._lock:
            began = self._clock()
            if self._last is None or began >= self._again_at:
                self._last = self._reader.ask(view.census)
                ended = self._clock()
                self._again_at = ended + _REST * (ended - began)
            return self._last
