"""What was told, kept as numbers: a cell a label for counters, a row of buckets for times."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from xlsms_service.measuring.metric import Metric

__all__ = ["Buckets", "Tallies"]


@dataclass(slots=True)
class Buckets:
    """How often something took how long."""

    counts: list[int]  #: one a bound, and one for what took longer than all
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """How often at all."""
        return sum(self.counts)

    def cumulative(self, bounds: Sequence[float]) -> list[tuple[str, float]]:
        """As Prometheus wants them: how often at most so long."""
        total, found = 0, []
        for bound, count in zip([*map(repr, bounds), "+Inf"], self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class Tallies:
    """Implements `Measures`. Its size grows with the labels there are, never with what happens."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[tuple[Metric, tuple[str, ...]], int] = {}
        self._times: dict[tuple[Metric, tuple[str, ...]], Buckets] = {}

    def count(self, metric: Metric, amount: int = 1, *labels: str) -> None:
        """So many more."""
        key = (metric, labels)
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + amount

    def took(self, metric: Metric, seconds: float, times: int = 1, *labels: str) -> None:
        """So many times it took so long."""
        key = (metric, labels)
        with self._lock:
            buckets = self._times.get(key)
            if buckets is None:
                buckets = self._times[key] = Buckets([0] * (len(metric.bounds) + 1))
            buckets.counts[bisect_left(metric.bounds, seconds)] += times
            buckets.seconds += seconds * times

    def counts(self, metric: Metric) -> Mapping[tuple[str, ...], int]:
        """What was counted, by labels."""
        with self._lock:
            return {labels: count for (of, labels), count in self._counts.items() if of is metric}

    def times(self, metric: Metric) -> Mapping[tuple[str, ...], Buckets]:
        """What was timed, by labels."""
        with self._lock:
            return {
                labels: Buckets(list(found.counts), found.seconds)
                for (of, labels), found in self._times.items()
                if of is metric
            }
