"""How the rooms tell what happened: in groups, so that it costs a group and not a message."""

from typing import Protocol

from xlsms_service.measuring.metric import Metric

__all__ = ["NOTHING", "Measures"]


class Measures(Protocol):
    """Hears what happened; from any thread, never blocks, never raises."""

    def count(self, metric: Metric, amount: int = 1, *labels: str) -> None:
        """So many more; `labels` in the order of the metric's."""

    def took(self, metric: Metric, seconds: float, times: int = 1, *labels: str) -> None:
        """So many times it took so long."""


class _Nothing:
    def count(self, metric: Metric, amount: int = 1, *labels: str) -> None:
        pass

    def took(self, metric: Metric, seconds: float, times: int = 1, *labels: str) -> None:
        pass


#: Hears nothing: for tests, benchmarks and short commands.
NOTHING: Measures = _Nothing()
