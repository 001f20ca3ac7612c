"""Speed of a link and waits between tries, on a clock that the test moves."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms_service.connectors.backoff import Backoff
from xlsms_service.connectors.pace import Pace


def test_unlimited_pace_holds_nothing_back() -> None:
    pace = Pace(None, 0)
    assert pace.take(1000, 0) == 1000
    assert pace.wait(0) == 0
    assert pace.ready(100, 0) == 100


def test_limited_pace_gives_its_rate_and_no_more() -> None:
    pace = Pace(20, 0)
    assert pace.take(10, 0) == 2  # a tenth of a second's worth at once
    assert pace.take(10, 0) == 0
    assert pace.wait(0) == pytest.approx(0.05)
    assert pace.take(10, 0.05) == 1
    assert pace.ready(100, 1) == 2
    assert pace.ready(1, 1) == 1


@given(st.integers(1, 500), st.lists(st.tuples(st.floats(0, 2), st.integers(0, 1000)), max_size=40))
def test_no_sequence_of_asks_gets_more_than_the_rate(rate: int, asks: list[tuple[float, int]]) -> None:
    pace, now, gone = Pace(rate, 0), 0.0, 0
    for wait, wanted in asks:
        now += wait
        gone += pace.take(wanted, now)
        assert gone <= rate * now + max(1, rate / 10) + 1e-6


def test_complaints_halve_the_rate_once_a_second_and_never_below_one() -> None:
    pace = Pace(100, 0)
    pace.throttled(10)
    pace.throttled(10.5)
    assert pace.rate == 50
    for second in range(11, 30):
        pace.throttled(second)
    assert pace.rate == 1


def test_slowed_link_grows_back_to_its_limit() -> None:
    pace = Pace(100, 0)
    pace.throttled(10)
    rates = []
    for second in range(11, 40):
        pace.accepted(50, second)
        rates.append(pace.rate)
    assert rates == sorted(rates)
    assert rates[1] == 55 or rates[0] == 55
    assert rates[-1] == 100


def test_unlimited_link_learns_the_speed_at_which_the_network_complained_and_forgets_it() -> None:
    pace = Pace(None, 0)
    pace.accepted(400, 2)
    pace.throttled(2.5)
    assert pace.rate == 100
    for second in range(3, 100):
        pace.accepted(100, second)
    assert pace.rate is None


def test_complaint_before_anything_was_accepted_still_slows_down() -> None:
    pace = Pace(None, 0)
    pace.throttled(0)
    assert pace.rate == 1


def test_waits_double_to_the_limit_with_chance_in_their_upper_half() -> None:
    backoff = Backoff(first=1, limit=8, rng=Random(1))
    waits = [backoff.next() for _ in range(6)]
    for wait, longest in zip(waits, (1, 2, 4, 8, 8, 8), strict=True):
        assert longest / 2 <= wait <= longest
    assert len(set(waits)) == 6
    backoff.reset()
    assert backoff.next() <= 1


def test_same_chance_gives_the_same_waits() -> None:
    one, two = Backoff(rng=Random(7)), Backoff(rng=Random(7))
    assert [one.next() for _ in range(5)] == [two.next() for _ in range(5)]
