"""Send times and validities that a submit_sm carries."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms_service.protocols.smpp.moment import read_moment
from xlsms_service.protocols.smpp.pdu import SubmitSm
from xlsms_service.protocols.smpp.text import absolute_time, relative_time
from xlsms_service.simulators.phones import Reaction, Reply, Report
from xlsms_service.simulators.timing import Timing

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
REACTION = Reaction(Report(5.0, "DELIVRD", "000"), None, Reply(7.0, "SI"))


@given(st.integers(0, 3 * 365 * 86_400))
def test_what_is_written_is_read(seconds):
    assert read_moment(absolute_time(NOW + timedelta(seconds=seconds)), NOW) == NOW + timedelta(seconds=seconds)
    assert read_moment(relative_time(timedelta(seconds=seconds)), NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("said", ["", "tomorrow", "000000000500000", "0000000005000", "٠٠٠٠٠٠٠٠٠٥٠٠٠٠٠R"])
def test_what_is_neither_date_nor_span_says_nothing(said):
    assert read_moment(said, NOW) is None


def test_what_would_come_too_late_expires_and_is_not_answered():
    timing = Timing.of(SubmitSm(sequence=1, validity_period=relative_time(timedelta(seconds=4))), NOW)
    assert timing.applied(REACTION) == Reaction(Report(4.0, "EXPIRED", "027"), None, None)


def test_a_send_time_is_waited_for():
    timing = Timing.of(SubmitSm(sequence=1, schedule_delivery_time=absolute_time(NOW + timedelta(seconds=60))), NOW)
    assert timing.applied(REACTION) == Reaction(Report(65.0, "DELIVRD", "000"), None, Reply(67.0, "SI"))


def test_a_network_that_never_reports_still_does_not():
    assert Timing(ends=1.0).applied(Reaction(None, None, None)) == Reaction(None, None, None)
