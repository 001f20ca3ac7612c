"""Limits against what a user can count: how many SMS went in a stretch of time."""

import heapq
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms_service.config import Limit
from xlsms_service.delivery.limit import Limiter

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def went(limiter, count, *, at=NOW, number="+34600000001", sender=None, parts=1, line=1):
    return [limiter.ask(number, sender, parts, line, at) is None for _ in range(count)].count(True)


def test_without_a_limit_everything_goes():
    assert went(Limiter(), 1000) == 1000


def test_so_many_go_at_once_and_then_one_in_each_interval():
    limiter = Limiter([Limit(interval=SECOND, burst=3)])
    assert went(limiter, 10) == 3
    assert [went(limiter, 10, at=NOW + n * SECOND / 2) for n in range(1, 5)] == [0, 1, 0, 1]
    assert went(limiter, 10, at=NOW + timedelta(minutes=1)) == 3


def test_those_that_wait_are_told_one_moment_after_the_other():
    limiter = Limiter([Limit(interval=SECOND)])
    told = [limiter.ask("+34600000001", None, 1, 1, NOW) for _ in range(4)]
    assert told == [None, NOW + SECOND, NOW + 2 * SECOND, NOW + 3 * SECOND]


def test_whoever_asks_first_goes_though_others_stand_in_line():
    limiter = Limiter([Limit(interval=SECOND)])
    assert went(limiter, 100) == 1
    assert limiter.ask("+34600000002", None, 1, 1, NOW + SECOND) is None


def test_nobody_stands_behind_another_campaign():
    limiter = Limiter([Limit(interval=SECOND)])
    assert went(limiter, 100_000) == 1
    between = NOW + SECOND / 2
    assert limiter.ask("+34600000002", None, 1, 0, between) == NOW + SECOND, "an urgent text, with the next free place"
    assert [limiter.ask("+34600000003", None, 1, 2, between) for _ in range(3)] == [
        NOW + n * SECOND for n in (1, 2, 3)
    ], "a campaign of three"


def test_after_the_clock_was_put_back_nobody_waits_for_the_moments_before():
    limiter = Limiter([Limit(interval=SECOND)])
    went(limiter, 100, at=NOW + timedelta(days=365))
    limiter.forget_lines()
    later = limiter.ask("+34600000001", None, 1, 1, NOW)
    assert later is not None
    assert later - NOW < timedelta(minutes=10)


def test_lines_that_have_come_to_their_end_are_forgotten():
    limiter = Limiter([Limit(interval=SECOND)])
    for line in range(1_000):
        went(limiter, 3, at=NOW + line * 10 * SECOND, line=line)
    [cell] = limiter._cells.values()
    assert len(cell.lines) <= 16


@pytest.mark.parametrize("lateness", [0.0005, 0.005, 0.015])
@pytest.mark.parametrize("a_second", [1, 10, 100])
def test_who_is_late_for_his_moment_does_not_cost_the_limit_its_rate(a_second, lateness):
    rng = Random(1)
    limiter = Limiter([Limit(interval=SECOND / a_second)])
    waiting = [(NOW, row) for row in range(50 * a_second)]
    gone, asked, now = 0, 0, NOW
    while waiting and now < NOW + 40 * SECOND:
        now = max(now, waiting[0][0]) + timedelta(seconds=lateness * rng.random())
        while waiting and waiting[0][0] <= now:
            _, row = heapq.heappop(waiting)
            asked += 1
            later = limiter.ask("+34600000001", None, 1, 1, now)
            if later is None:
                gone += 1
            else:
                heapq.heappush(waiting, (later, row))
    assert 0.97 * 40 * a_second <= gone <= 40 * a_second + 1 + a_second * 0.02
    assert asked <= 2.5 * gone, "once when it is set back, and once at its moment"


def test_a_long_message_counts_with_all_its_parts():
    limiter = Limiter([Limit(interval=SECOND)])
    assert limiter.ask("+34600000001", None, 5, 1, NOW) is None
    assert went(limiter, 1, at=NOW + 4.9 * SECOND) == 0
    assert went(limiter, 1, at=NOW + 5 * SECOND) == 1


def test_a_limit_concerns_its_sender_and_its_prefix_only():
    limiter = Limiter([Limit(interval=SECOND, sender="Clinica", prefix="+34")])
    assert went(limiter, 9, sender="CLINICA") == 1
    assert went(limiter, 9, sender="other") == 9
    assert went(limiter, 9, sender="Clinica", number="+44700000000") == 9


def test_each_number_or_sender_may_have_an_allowance_of_its_own():
    numbers = Limiter([Limit(interval=SECOND, each="number")])
    assert [went(numbers, 5, number=f"+3460000000{n}") for n in range(3)] == [1, 1, 1]
    senders = Limiter([Limit(interval=SECOND, each="sender")])
    assert [went(senders, 5, sender=name) for name in ("a", "b", None)] == [1, 1, 1]


def test_what_one_limit_refuses_uses_nothing_of_another():
    limiter = Limiter([Limit(interval=SECOND, burst=2), Limit(interval=timedelta(hours=1), each="number")])
    assert went(limiter, 5, number="+34600000001") == 1
    assert went(limiter, 5, number="+34600000002") == 1


def test_a_clock_that_is_put_back_does_not_stop_everything_for_long():
    limiter = Limiter([Limit(interval=SECOND)])
    went(limiter, 1, at=NOW + timedelta(days=365))
    assert went(limiter, 1, at=NOW + timedelta(minutes=5)) == 0
    assert went(limiter, 1, at=NOW + timedelta(minutes=10)) == 1


def test_numbers_that_say_nothing_any_more_are_forgotten():
    limiter = Limiter([Limit(interval=SECOND, each="number")])
    for number in range(30_000):
        limiter.ask(f"+34{number:09}", None, 1, 1, NOW + number * SECOND)
    assert len(limiter._cells) <= 10_001


@given(
    burst=st.integers(1, 5),
    asked=st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 3)), max_size=200),
)
def test_no_stretch_of_time_holds_more_than_it_may(burst, asked):
    interval = timedelta(milliseconds=100)
    limiter = Limiter([Limit(interval=interval, burst=burst)])
    gone: Counter[int] = Counter()
    clock = 0
    for step, parts in asked:
        clock += step // 50
        if limiter.ask("+34600000001", None, parts, 1, NOW + timedelta(milliseconds=clock)) is None:
            gone[clock] += parts
    moments = sorted(gone)
    for first in moments:
        for last in (moment for moment in moments if moment >= first):
            count = sum(gone[moment] for moment in moments if first <= moment <= last)
            # A message longer than what is left still goes: two of its parts are paid for later. Half a place more for
            # one that was late.
            assert count <= burst + (last - first) / 100 + 2.5
