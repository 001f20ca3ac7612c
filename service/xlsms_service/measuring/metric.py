"""Every metric there is: its name, what it says, its labels. The page of the docs is made from this table.

Labels never hold what a workbook or a network wrote: only names from the settings, our own codes and states.
"""

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "ANSWERS",
    "ANSWER_SECONDS",
    "BREAKER_OPEN",
    "CELL_SECONDS",
    "CLAIM_SECONDS",
    "COMMIT_SECONDS",
    "INTAKE_PROBLEMS",
    "INTAKE_ROWS",
    "INTAKE_SECONDS",
    "LACKING",
    "LEDGER_FAILURES",
    "LINK_UP",
    "LOST",
    "MESSAGES",
    "METRICS",
    "RATE",
    "RATE_LIMIT",
    "RECEIPTS",
    "RECEIPT_SECONDS",
    "STOPPED",
    "SUBMITTED",
    "TEXTS_IN",
    "WINDOW",
    "WINDOW_USED",
    "WRITEBACKS",
    "WRITEBACK_ROWS",
    "WRITEBACK_SECONDS",
    "Kind",
    "Metric",
]


class Kind(StrEnum):
    """What Prometheus calls them."""

    COUNTER = "counter"  #: only ever grows while the service runs
    GAUGE = "gauge"  #: how it is now
    HISTOGRAM = "histogram"  #: how long things took, in seconds


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric; compared and hashed as the one object that it is, for that is quick."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = field(default=(), repr=False)  #: of a histogram's buckets, in seconds


_QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ANSWER = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_OFFICE = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0)
_RECEIPT = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 43_200.0, 86_400.0)


def _counter(name: str, says: str, *labels: str) -> Metric:
    return Metric(f"xlsms_{name}_total", Kind.COUNTER, says, labels)


def _gauge(name: str, says: str, *labels: str) -> Metric:
    return Metric(f"xlsms_{name}", Kind.GAUGE, says, labels)


def _histogram(name: str, says: str, bounds: tuple[float, ...], *labels: str) -> Metric:
    return Metric(f"xlsms_{name}_seconds", Kind.HISTOGRAM, says, labels, bounds)


INTAKE_ROWS = _counter("intake_rows", "Rows taken in, by what became of them: accepted, held or problem.", "result")
INTAKE_PROBLEMS = _counter("intake_problems", "Looks at a workbook that could not take it in, by our code.", "code")
SUBMITTED = _counter("submitted_parts", "Parts of messages handed to a link.", "connector")
ANSWERS = _counter(
    "answers",
    "Answers to parts: accepted; refused for good; returned, to be tried again; uncertain. With our code for why.",
    "connector",
    "result",
    "code",
)
LOST = _counter("uncertain_after_stop", "Messages that may have left before a stop without leave.")
RECEIPTS = _counter("receipts", "Delivery reports, by the state that they speak of, or other.", "connector", "state")
TEXTS_IN = _counter("texts_in", "Texts from phones: reply (beside a row) or stranger (nothing was sent there).", "kind")
WRITEBACKS = _counter("writebacks", "Writes into workbooks: done, or our code for why not.", "result")
WRITEBACK_ROWS = _counter("writeback_rows", "Rows whose state was written into a workbook.")
LEDGER_FAILURES = _counter("ledger_failures", "Times that the ledger could not be used, and was tried again.")

ANSWER_SECONDS = _histogram("answer", "From handing a part to a link to its answer.", _ANSWER, "connector")
RECEIPT_SECONDS = _histogram("receipt", "From a part's answer to its delivery report.", _RECEIPT, "connector")
CLAIM_SECONDS = _histogram("claim", "From asking the ledger for messages to having them, durably claimed.", _QUICK)
COMMIT_SECONDS = _histogram("commit", "One transaction of the ledger, until it is on disk.", _QUICK)
INTAKE_SECONDS = _histogram("intake", "From a save of a workbook to its marked rows accepted.", _OFFICE)
CELL_SECONDS = _histogram("cell", "From the oldest change that a write shows to its cell in the workbook.", _OFFICE)
WRITEBACK_SECONDS = _histogram("writeback", "One write into a workbook.", _OFFICE)

MESSAGES = _gauge("messages", "Messages in the ledger, by state.", "state")
LACKING = _gauge("lacking_rows", "Rows whose workbook does not show their newest state yet.")
STOPPED = _gauge("stopped", "1 while `xlsms stop` holds everything back.")
LINK_UP = _gauge("link_up", "1 while the link is up.", "connector")
BREAKER_OPEN = _gauge("link_left_alone", "1 while the link is left alone after failures.", "connector")
WINDOW = _gauge("link_window", "Parts that may be with the network without an answer.", "connector")
WINDOW_USED = _gauge("link_window_used", "Parts that are with the network without an answer.", "connector")
RATE = _gauge("link_rate", "Parts a second that the network accepted, over the last minute.", "connector")
RATE_LIMIT = _gauge(
    "link_rate_limit", "Parts a second that may go, as set or taught by throttling; absent: any.", "connector"
)

#: All of them, as they stand above.
METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
