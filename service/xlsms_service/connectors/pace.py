"""How many parts a second a link may send: a fixed limit, and what throttling answers teach (AIMD).

Pure: `now` is a clock in seconds that never goes back.
"""

__all__ = ["Pace"]

_MEASURE = 1.0  # seconds over which the speed is measured, and after which a slowed link is let go a little faster
_SLOWEST = 1.0  # parts a second, however often the network complains
_FASTER = 0.05  # of the speed at which the network complained, each time
_FREE_AGAIN = 2.0  # times that speed without a complaint: there is no limit any more
_BURST = 0.1  # seconds' worth of parts that may go at once


class Pace:
    """A token bucket whose rate halves when the network throttles, and grows slowly while it does not."""

    def __init__(self, limit: float | None, now: float) -> None:
        self._limit = limit
        self.rate: float | None = limit  #: parts a second; None: as fast as the window lets
        self._tokens = self._burst()
        self._filled_at = now
        self._complained_at: float | None = None  # the speed of the last complaint
        self._slowed_at = now - _MEASURE
        self._count, self._since, self._speed = 0, now, 0.0

    def _burst(self) -> float:
        return max(1.0, (self.rate or 0) * _BURST)

    def take(self, wanted: int, now: float) -> int:
        """How many of `wanted` parts may go now; they are counted as gone."""
        if self.rate is None:
            return wanted
        self._fill(now)
        granted = min(wanted, int(self._tokens))
        self._tokens -= granted
        return granted

    def wait(self, now: float) -> float:
        """Seconds until one more may go."""
        if self.rate is None:
            return 0.0
        self._fill(now)
        return max(0.0, (1.0 - self._tokens) / self.rate)

    def ready(self, window: int, now: float) -> int:
        """How many parts of at most `window` may go now."""
        if self.rate is None:
            return window
        self._fill(now)
        return min(window, int(self._tokens))

    def _fill(self, now: float) -> None:
        if self.rate is not None:
            self._tokens = min(self._burst(), self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now

    def accepted(self, count: int, now: float) -> None:
        """The network took so many."""
        self._count += count
        if now - self._since < _MEASURE:
            return
        self._speed = self._count / (now - self._since)
        self._count, self._since = 0, now
        if self.rate is None or self._complained_at is None or now - self._slowed_at < _MEASURE:
            return
        self.rate += max(_SLOWEST, self._complained_at * _FASTER)
        if self._limit is not None:
            self.rate = min(self.rate, self._limit)
        elif self.rate > self._complained_at * _FREE_AGAIN:
            self.rate = self._complained_at = None

    def throttled(self, now: float) -> None:
        """The network complained. All complaints of one second are about one speed, and halve it once."""
        if now - self._slowed_at < _MEASURE:
            return
        self._fill(now)
        speed = self.rate or max(self._speed, self._count / max(now - self._since, _MEASURE), 2 * _SLOWEST)
        self._complained_at = speed
        self.rate = max(_SLOWEST, speed / 2)
        self._tokens = min(self._tokens, self._burst())
        self._slowed_at = now
