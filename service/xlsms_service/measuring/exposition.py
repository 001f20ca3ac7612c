"""The metrics as Prometheus reads them."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

import xlsms
from xlsms_service.measuring.metric import METRICS, Kind, Metric
from xlsms_service.measuring.tally import Tallies

__all__ = ["Gauges", "registry"]

#: What is now, asked for at each reading, in the thread that reads: values by metric and labels.
Gauges = Callable[[], Mapping[Metric, Mapping[tuple[str, ...], float]]]


def registry(tallies: Tallies, gauges: Gauges) -> CollectorRegistry:
    """Everything that was counted and timed, what is now, and what the process takes of the computer."""
    made = CollectorRegistry()
    made.register(_Service(tallies, gauges))
    ProcessCollector(registry=made)
    return made


class _Service(Collector):
    def __init__(self, tallies: Tallies, gauges: Gauges) -> None:
        self._tallies = tallies
        self._gauges = gauges

    def describe(self) -> Iterable[Family]:
        """Nothing: a registry asks so that two collectors do not clash, and there is one."""
        return []

    def collect(self) -> Iterator[Family]:
        """One family a metric, also those that nothing was told of yet."""
        info = GaugeMetricFamily("xlsms_info", "The version, as a label.", labels=["version"])
        info.add_metric([xlsms.__version__], 1.0)
        yield info
        now = self._gauges()
        for metric in METRICS:
            match metric.kind:
                case Kind.COUNTER:
                    counter = CounterMetricFamily(metric.name, metric.says, labels=metric.labels)
                    # Without labels there is one, from the start: an alert on its growth must see the first event.
                    none: dict[tuple[str, ...], float] = {} if metric.labels else {(): 0}
                    for labels, count in {**none, **self._tallies.counts(metric)}.items():
                        counter.add_metric(labels, count)
                    yield counter
                case Kind.GAUGE:
                    gauge = GaugeMetricFamily(metric.name, metric.says, labels=metric.labels)
                    for labels, value in now.get(metric, {}).items():
                        gauge.add_metric(labels, value)
                    yield gauge
                case Kind.HISTOGRAM:
                    histogram = HistogramMetricFamily(metric.name, metric.says, labels=metric.labels)
                    for labels, found in self._tallies.times(metric).items():
                        histogram.add_metric(labels, found.cumulative(metric.bounds), found.seconds)
                    yield histogram
