"""What the network writes never becomes a label: else it could make as many metrics as it likes."""

from datetime import UTC, datetime

from xlsms.model import Receipt
from xlsms_service.delivery.recording import measure
from xlsms_service.measuring import Tallies, metric

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_words_of_the_network_are_counted_by_our_states():
    tallies = Tallies()
    words = ["DELIVRD", "UNDELIV", "ENROUTE", *(f"WORD{number}" for number in range(1_000))]
    items = [
        Receipt(connector="net", network_id=str(n), state=word, at=NOW, done_at=None, recipient="", error="")
        for n, word in enumerate(words)
    ]
    measure(tallies, "net", items, [0.5, 0.5, 900.0])
    assert dict(tallies.counts(metric.RECEIPTS)) == {
        ("net", "delivered"): 1, ("net", "failed"): 1, ("net", "sent"): 1, ("net", "other"): 1_000,
    }  # fmt: skip
    assert tallies.times(metric.RECEIPT_SECONDS)["net",].count == 3
