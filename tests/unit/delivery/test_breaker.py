from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.model import MessageId, Outcome, PartKey, Result
from xlsms_service.delivery.breaker import Breaker, Phase

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def outcome(result, code=None):
    return Outcome(key=PartKey(MessageId(1), 1), result=result, at=NOW, code=code)


LOST = outcome(Result.UNCERTAIN, "answer-lost")
TROUBLE = outcome(Result.RETURNED, "smsc-in-trouble")
THROTTLED = outcome(Result.RETURNED, "smsc-throttled")
DOWN = outcome(Result.RETURNED, "link-down")
TAKEN = outcome(Result.ACCEPTED)
REFUSED = outcome(Result.REFUSED, "smsc-refused-number")


def saw(*outcomes, at=NOW, breaker=None):
    breaker = breaker or Breaker()
    for each in outcomes:
        breaker.saw(each, at)
    return breaker


@pytest.mark.parametrize("failure", [LOST, TROUBLE])
def test_it_opens_at_the_fifth_failure_in_a_row(failure):
    assert saw(*[failure] * 4).phase is Phase.CLOSED
    assert saw(*[failure] * 5).phase is Phase.OPEN


@pytest.mark.parametrize("answer", [TAKEN, REFUSED])
def test_an_answer_in_between_begins_the_count_anew(answer):
    assert saw(*[LOST] * 4, answer, *[LOST] * 4).phase is Phase.CLOSED


@pytest.mark.parametrize("neutral", [THROTTLED, DOWN])
def test_throttling_and_what_never_left_say_nothing(neutral):
    assert saw(*[neutral] * 100).phase is Phase.CLOSED
    assert saw(*[LOST, neutral] * 5).phase is Phase.OPEN


def test_after_a_while_one_message_may_try_and_its_answer_closes_it():
    breaker = saw(*[LOST] * 5)
    assert breaker.room(100, NOW, idle=True) == 0
    assert breaker.opens_in(NOW) == SECOND
    later = NOW + SECOND
    assert breaker.room(100, later, idle=True) == 1
    assert breaker.phase is Phase.HALF_OPEN
    assert breaker.room(100, later, idle=False) == 0, "one at a time"
    saw(TAKEN, at=later, breaker=breaker)
    assert breaker.room(100, later, idle=True) == 100


def test_each_try_that_fails_doubles_the_wait_up_to_a_minute():
    breaker, at, waits = saw(*[LOST] * 5), NOW, []
    for _ in range(9):
        waits.append(breaker.opens_in(at).total_seconds())
        at += breaker.opens_in(at)
        assert breaker.room(100, at, idle=True) == 1
        saw(LOST, at=at, breaker=breaker)
        assert breaker.phase is Phase.OPEN
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_lost_answers_that_come_while_it_is_open_do_not_keep_it_open_longer():
    breaker = saw(*[LOST] * 5)
    saw(*[LOST] * 95, at=NOW + SECOND / 2, breaker=breaker)
    assert breaker.room(100, NOW + SECOND, idle=True) == 1


def test_a_clock_that_is_put_back_keeps_it_open_no_longer_than_it_was_to_be():
    breaker = saw(*[LOST] * 5, at=NOW + timedelta(days=1))
    assert breaker.opens_in(NOW) == SECOND


@given(st.lists(st.sampled_from([LOST, TROUBLE, THROTTLED, DOWN, TAKEN, REFUSED, "tick"]), max_size=200))
def test_it_never_gives_more_room_than_there_is_and_always_opens_again(steps):
    breaker, at = Breaker(), NOW
    for step in steps:
        if step == "tick":
            at += SECOND
        else:
            breaker.saw(step, at)
        room = breaker.room(10, at, idle=True)
        assert room == {Phase.CLOSED: 10, Phase.OPEN: 0, Phase.HALF_OPEN: 1}[breaker.phase]
    assert breaker.room(10, at + timedelta(minutes=1), idle=True) > 0
