"""The deliveries of a link that are in our hands and not yet durable: beyond some, nothing more is read for a while."""

__all__ = ["Backlog"]

_MOST = 5000  # deliveries
_HEAVIEST = 8 << 20  # octets of them


class Backlog:
    """How many there are, and since when nothing is read. `now` is a clock in seconds that never goes back."""

    def __init__(self) -> None:
        self._count = 0
        self._octets = 0
        self._deaf_since: float | None = None

    @property
    def deaf(self) -> bool:
        """Nothing is to be read."""
        return self._deaf_since is not None

    @property
    def _fill(self) -> float:
        return max(self._count / _MOST, self._octets / _HEAVIEST)

    def take(self, count: int, octets: int, now: float) -> bool:
        """So many have come; whether reading has to stop."""
        self._count += count
        self._octets += octets
        if self.deaf or self._fill < 1:
            return False
        self._deaf_since = now
        return True

    def let_go(self, count: int, octets: int, now: float) -> float | None:
        """So many are durable; for how long nothing was read, when it is to be read again."""
        self._count -= count
        self._octets -= octets
        if self._deaf_since is None or self._fill >= 1 / 2:
            return None
        deaf_for, self._deaf_since = now - self._deaf_since, None
        return deaf_for
