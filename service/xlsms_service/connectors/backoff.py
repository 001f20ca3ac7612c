"""How long to wait before the next try: twice as long each time, with chance mixed in."""

from random import Random

__all__ = ["Backoff"]


class Backoff:
    """Waits in seconds, from `first` doubling to `limit`, each drawn from its upper half.

    Chance keeps a hundred offices from knocking in the same second after an operator's restart.
    """

    def __init__(self, *, first: float = 1.0, limit: float = 60.0, rng: Random | None = None) -> None:
        self._first = first
        self._limit = limit
        self._rng = rng or Random()  # noqa: S311 - spreads load, keeps no secret
        self._next = first

    def again(self) -> "Backoff":
        """One like it that begins anew."""
        return Backoff(first=self._first, limit=self._limit, rng=self._rng)

    def next(self) -> float:
        """The wait before this try."""
        wait, self._next = self._next, min(self._next * 2, self._limit)
        return wait * (0.5 + self._rng.random() / 2)

    def reset(self) -> None:
        """It worked: begin anew."""
        self._next = self._first
