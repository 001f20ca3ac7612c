from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from xlsms.model import MessageId, Outcome, PartKey, Receipt, Result
from xlsms.states import State
from xlsms.wording import codes
from xlsms_service.delivery import late, outcome, receipt
from xlsms_service.delivery.outcome import Answered
from xlsms_service.delivery.retry import RETRIES, Retry, retry_for
from xlsms_service.ledger import acceptance, claim, waiting
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message, part

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


def accept(ledger, *, parts=1, **more):
    draft = Draft(number="+34600111222", text="x", alphabet="gsm7", parts=parts, fingerprint="f", route="", **more)
    return ledger.do_now(acceptance.accept_text, draft, NOW)


def claimed(ledger, now=NOW, **more):
    return ledger.do_now(claim.claim, connector="c", routes=[""], room=99, idle=True, now=now, **more)


def answer(ledger, key, *results, code="smsc-in-trouble", at=NOW, resends=0, **more):
    outcomes = tuple(
        Outcome(key=PartKey(key, number), result=result, at=at, code=code) for number, result in enumerate(results, 1)
    )
    ledger.do_now(outcome.settle, "c", [Answered(key, outcomes, **more)], lambda _: (), at, resends=resends)


def row(ledger, key):
    return ledger.do_now(lambda c: c.execute(select(message).where(message.c.id == key)).one())


def test_waits_grow_up_to_their_limit():
    retry = Retry(first=timedelta(seconds=5), growth=2, most=timedelta(minutes=1))
    assert [retry.wait(tries).total_seconds() for tries in (1, 2, 3, 4, 5, 1_000_000)] == [5, 10, 20, 40, 60, 60]


def test_every_reason_is_one_that_the_sheet_can_show():
    assert set(RETRIES) <= set(codes())


def test_a_reason_that_nobody_foresaw_waits_too():
    assert retry_for("something-new").wait(1) > timedelta(0)
    assert retry_for(None).sick


@pytest.mark.parametrize(("tries", "wait"), [(1, 30), (2, 60), (20, 900)])
def test_trouble_waits_longer_each_time(ledger, tries, wait):
    key = accept(ledger)
    claimed(ledger)
    answer(ledger, key, Result.RETURNED, tries=tries)
    assert (row(ledger, key).state, row(ledger, key).due) == (State.QUEUED, NOW + timedelta(seconds=wait))


def test_what_came_back_because_the_link_went_down_goes_at_once(ledger):
    key = accept(ledger)
    claimed(ledger)
    answer(ledger, key, Result.RETURNED, code="link-down")
    assert [each.id for each in claimed(ledger)] == [key]


def test_what_could_only_be_tried_after_its_validity_has_expired(ledger):
    key = accept(ledger, expires_at=NOW + HOUR)
    (first,) = claimed(ledger)
    assert first.expires_at == NOW + HOUR
    answer(ledger, key, Result.RETURNED, tries=20, at=NOW + 0.9 * HOUR, expires_at=first.expires_at)
    assert (row(ledger, key).state, row(ledger, key).code) == (State.EXPIRED, "smsc-in-trouble")


def test_what_has_waited_too_long_is_given_up_though_no_link_is_there(ledger):
    key, other = accept(ledger, expires_at=NOW + HOUR), accept(ledger)
    assert not ledger.do_now(waiting.tend, [""], NOW)
    assert ledger.do_now(waiting.tend, [""], NOW + HOUR)
    assert (row(ledger, key).state, row(ledger, key).code) == (State.EXPIRED, "waited-too-long")
    assert row(ledger, key).version == 2, "the sheet is to show it"
    assert row(ledger, other).state == State.QUEUED
    assert not ledger.do_now(waiting.tend, [""], NOW + HOUR)


def test_what_has_waited_too_long_is_not_claimed(ledger):
    key, other = accept(ledger, expires_at=NOW + HOUR), accept(ledger)
    assert [each.id for each in claimed(ledger, NOW + HOUR)] == [other]
    assert row(ledger, key).state == State.EXPIRED


def test_the_send_time_does_not_use_up_the_validity(ledger):
    key = accept(ledger, state=State.SCHEDULED, not_before=NOW + 3 * HOUR, expires_at=NOW + 4 * HOUR)
    ledger.do_now(waiting.tend, [""], NOW + 2 * HOUR)
    assert row(ledger, key).state == State.SCHEDULED
    ledger.do_now(waiting.tend, [""], NOW + 3 * HOUR)
    assert [each.id for each in claimed(ledger, NOW + 3 * HOUR)] == [key]


def test_a_lost_answer_is_sent_again_where_the_settings_say_so_and_at_most_twice(ledger):
    key = accept(ledger)
    for resent in (0, 1, 2):
        (it,) = claimed(ledger, NOW + (1 + resent) * HOUR)
        assert (it.tries, it.resent) == (1 + resent, resent)
        _lose(ledger, it, at=NOW + (1 + resent) * HOUR)
        assert row(ledger, key).state == (State.QUEUED if resent < 2 else State.UNCERTAIN)
    assert claimed(ledger, NOW + 9 * HOUR) == []


def _lose(ledger, it, *, at):
    answer(ledger, it.id, Result.UNCERTAIN, code="answer-lost", tries=it.tries, resent=it.resent, resends=2, at=at)


@pytest.mark.parametrize("crash", [False, True])
def test_what_was_throttled_before_is_sent_again_as_often(ledger, crash):
    key = accept(ledger)
    for hour in range(5):
        claimed(ledger, NOW + hour * HOUR)
        answer(ledger, key, Result.RETURNED, code="smsc-throttled", tries=1 + hour, resends=2, at=NOW + hour * HOUR)
    ends = []
    for hour in (5, 6, 7):
        (it,) = claimed(ledger, NOW + hour * HOUR)
        if crash:
            ledger.do_now(claim.recover, NOW + hour * HOUR, resends=2)
        else:
            _lose(ledger, it, at=NOW + hour * HOUR)
        ends.append(row(ledger, key).state)
    assert ends == [State.QUEUED, State.QUEUED, State.UNCERTAIN]


def test_only_the_part_whose_answer_was_lost_is_sent_again(ledger):
    key = accept(ledger, parts=2)
    claimed(ledger)
    outcomes = (
        Outcome(key=PartKey(key, 1), result=Result.ACCEPTED, at=NOW, network_id="A"),
        Outcome(key=PartKey(key, 2), result=Result.UNCERTAIN, at=NOW, code="answer-lost"),
    )
    ledger.do_now(outcome.settle, "c", [Answered(key, outcomes)], lambda _: (), NOW, resends=2)
    (again,) = claimed(ledger, NOW + HOUR)
    assert again.taken == {1}
    assert ledger.do_now(lambda c: len(c.execute(select(part)).all())) == 1


@pytest.mark.parametrize(("resends", "state"), [(0, State.UNCERTAIN), (2, State.QUEUED)])
def test_after_a_crash_the_settings_decide_too(ledger, resends, state):
    key = accept(ledger)
    claimed(ledger)
    assert ledger.do_now(claim.recover, NOW, resends=resends) == 1
    assert row(ledger, MessageId(key)).state == state


def test_what_waits_for_a_limit_expires_when_its_validity_ends_and_not_when_its_turn_comes(ledger):
    keys = [accept(ledger, expires_at=NOW + HOUR), accept(ledger)]
    ask = {"connector": "c", "routes": [""], "room": 9, "idle": True}
    turn = lambda *_: NOW + 5 * HOUR  # noqa: E731 - short
    assert ledger.do_now(claim.claim, **ask, gate=turn, now=NOW) == []
    assert [row(ledger, key).due for key in keys] == [NOW + HOUR, NOW + 5 * HOUR]
    assert ledger.do_now(claim.claim, **ask, gate=turn, now=NOW + HOUR) == []
    assert [row(ledger, key).state for key in keys] == [State.EXPIRED, State.QUEUED]


LATER = {
    "its answer": lambda key: (late.settle, [Outcome(PartKey(key, 1), Result.ACCEPTED, NOW, "A1")]),
    "its report": lambda key: (receipt.settle, [_report()]),
}


def _report():
    return Receipt(connector="c", network_id="A1", state="DELIVRD", at=NOW, recipient="+34600111222")


@pytest.mark.parametrize(
    ("then", "state"),
    [
        (["its answer"], State.SENT),
        (["its report"], State.DELIVERED),
        (["its answer", "its report"], State.DELIVERED),
        (["its report", "its answer"], State.DELIVERED),
    ],
)
def test_what_turns_out_to_have_gone_is_not_sent_again(ledger, then, state):
    key = accept(ledger)
    (it,) = claimed(ledger)
    _lose(ledger, it, at=NOW)
    assert row(ledger, key).state == State.QUEUED
    for each in then:
        settle, told = LATER[each](key)
        ledger.do_now(settle, "c", told, lambda name: [name], NOW)
    assert row(ledger, key).state == state
    assert claimed(ledger, NOW + HOUR) == []


def test_a_report_that_came_before_the_answer_was_given_up_counts_too(ledger):
    key = accept(ledger)
    (it,) = claimed(ledger)
    ledger.do_now(receipt.settle, "c", [_report()], lambda name: [name], NOW)
    answer(ledger, key, Result.UNCERTAIN, code="answer-lost", resends=2, number=it.number)
    assert row(ledger, key).state == State.DELIVERED


def test_what_was_sent_again_and_answered_is_settled_as_any_other(ledger):
    key = accept(ledger)
    (it,) = claimed(ledger)
    _lose(ledger, it, at=NOW)
    (again,) = claimed(ledger, NOW + HOUR)
    # The first answer comes now: which of the two it tells about the report will say.
    ledger.do_now(late.settle, "c", [Outcome(PartKey(key, 1), Result.ACCEPTED, NOW, "A1")], lambda name: [name], NOW)
    taken = Answered(key, (Outcome(PartKey(key, 1), Result.ACCEPTED, NOW, "A2"),), tries=2, resent=again.resent)
    ledger.do_now(outcome.settle, "c", [taken], lambda name: [name], NOW, resends=2)
    assert row(ledger, key).state == State.SENT
    assert ledger.do_now(lambda c: c.execute(select(part.c.network_id)).scalars().all()) == ["A2"]
