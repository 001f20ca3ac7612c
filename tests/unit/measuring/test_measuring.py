"""What is counted and timed comes out as Prometheus reads it."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from xlsms_service.measuring import METRICS, Kind, Tallies, metric
from xlsms_service.measuring.exposition import registry


def exposed(tallies, gauges=None):
    """Each sample by its name and labels, as a Prometheus server reads them."""
    text = generate_latest(registry(tallies, lambda: gauges or {})).decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counters_grow_label_by_label():
    tallies = Tallies()
    tallies.count(metric.ANSWERS, 3, "operator", "accepted", "")
    tallies.count(metric.ANSWERS, 2, "operator", "accepted", "")
    tallies.count(metric.ANSWERS, 1, "operator", "returned", "smsc-throttled")
    tallies.count(metric.WRITEBACK_ROWS, 7)
    samples = exposed(tallies)
    assert samples["xlsms_answers_total", "", "accepted", "operator"] == 5
    assert samples["xlsms_answers_total", "operator", "returned", "smsc-throttled"] == 1
    assert samples["xlsms_writeback_rows_total",] == 7


def test_gauges_are_asked_for_when_they_are_read():
    samples = exposed(Tallies(), {metric.MESSAGES: {("queued",): 9}, metric.STOPPED: {(): True}})
    assert samples["xlsms_messages", "queued"] == 9
    assert samples["xlsms_stopped",] == 1


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 1000))))
def test_a_histogram_says_of_each_bound_how_many_took_at_most_so_long(times):
    tallies = Tallies()
    for seconds, count in times:
        tallies.took(metric.COMMIT_SECONDS, seconds, count)
    samples = exposed(tallies)
    for bound in metric.COMMIT_SECONDS.bounds if times else ():
        expected = sum(count for seconds, count in times if seconds <= bound)
        assert samples["xlsms_commit_seconds_bucket", repr(bound)] == expected
    total = sum(count for _, count in times)
    assert samples.get(("xlsms_commit_seconds_bucket", "+Inf"), 0) == total
    assert samples.get(("xlsms_commit_seconds_count",), 0) == total
    assert samples.get(("xlsms_commit_seconds_sum",), 0) == pytest.approx(sum(each * count for each, count in times))


def test_nothing_is_lost_between_threads():
    tallies = Tallies()

    def work():
        for _ in range(20_000):
            tallies.count(metric.SUBMITTED, 1, "operator")
            tallies.took(metric.CLAIM_SECONDS, 0.01)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tallies.counts(metric.SUBMITTED) == {("operator",): 80_000}
    assert tallies.times(metric.CLAIM_SECONDS)[()].count == 80_000


def test_the_process_itself_is_measured():
    assert any(name == "process_resident_memory_bytes" for name, *_ in exposed(Tallies()))


def test_names_follow_the_customs_of_prometheus():
    for each in METRICS:
        assert each.name.startswith("xlsms_")
        assert each.name.endswith("_total") == (each.kind is Kind.COUNTER)
        assert each.name.endswith("_seconds") == (each.kind is Kind.HISTOGRAM)
        assert list(each.bounds) == sorted(set(each.bounds))
        assert bool(each.bounds) == (each.kind is Kind.HISTOGRAM)
    assert len({each.name for each in METRICS}) == len(METRICS)


def test_counters_without_labels_are_there_before_anything_has_happened():
    samples = exposed(Tallies())
    assert samples["xlsms_ledger_failures_total",] == samples["xlsms_uncertain_after_stop_total",] == 0
    assert not [key for key in samples if key[0] == "xlsms_answers_total"]
