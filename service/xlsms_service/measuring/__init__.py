"""What the service counts and times: the metrics, how rooms tell of them, and how Prometheus reads them."""

from xlsms_service.measuring.measures import NOTHING, Measures
from xlsms_service.measuring.metric import METRICS, Kind, Metric
from xlsms_service.measuring.tally import Tallies

__all__ = ["METRICS", "NOTHING", "Kind", "Measures", "Metric", "Tallies"]
