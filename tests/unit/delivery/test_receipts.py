"""The table of receipts and answers: what comes in, in which order, and where the message stands afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from xlsms.model import MessageId, Outcome, PartKey, Receipt, Result
from xlsms.states import MOVES, State
from xlsms_service.delivery import outcome, receipt
from xlsms_service.delivery.outcome import Answered
from xlsms_service.ledger import acceptance, claim, settlement, stranger
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message, waiting_receipt
from xlsms_service.protocols.smpp.receipt import candidates

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
NUMBER = "+34600111222"


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


class Bench:
    """One connector and its messages, moved by hand."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.now = NOW

    def claimed(self, parts=1, number=NUMBER):
        draft = Draft(number=number, text="x", alphabet="gsm7", parts=parts, fingerprint="f", route="")
        key = self.ledger.do_now(acceptance.accept_text, draft, NOW)
        self.ledger.do_now(claim.claim, connector="c", routes=[""], room=255, idle=True, now=NOW)
        return key

    def answers(self, key, *results, resumed=False):
        """Each result is a network id (accepted), or a `Result` and its part."""
        outcomes = []
        for number, result in enumerate(results, 1):
            if isinstance(result, str) and not isinstance(result, Result):
                outcomes.append(
                    Outcome(key=PartKey(key, number), result=Result.ACCEPTED, at=NOW, network_id=result),
                )
            elif result is not None:
                outcomes.append(
                    Outcome(
                        key=PartKey(key, number),
                        result=result,
                        at=NOW,
                        code=f"code-{result}",
                        retry_after=timedelta(seconds=3),
                    ),
                )
        self.ledger.do_now(outcome.settle, "c", [Answered(key, tuple(outcomes), resumed)], candidates, NOW)

    def receipt(self, network_id, state="DELIVRD", recipient="34600111222", error="", done_at=None):
        came = Receipt(
            connector="c", network_id=network_id, state=state, at=NOW, recipient=recipient, error=error, done_at=done_at
        )
        self.ledger.do_now(receipt.settle, "c", [came], candidates, NOW)

    def row(self, key):
        return self.ledger.do_now(lambda c: c.execute(select(message).where(message.c.id == key)).one())

    def state(self, key):
        return State(self.row(key).state)

    def waiting(self):
        return self.ledger.do_now(lambda c: len(c.execute(select(waiting_receipt)).all()))


@pytest.fixture
def bench(ledger):
    return Bench(ledger)


@pytest.mark.parametrize(
    ("word", "state", "code"),
    [
        ("DELIVRD", State.DELIVERED, None),
        ("UNDELIV", State.FAILED, "not-delivered"),
        ("EXPIRED", State.EXPIRED, "phone-not-reached"),
        ("REJECTD", State.FAILED, "refused-by-network"),
        ("DELETED", State.FAILED, "deleted-by-network"),
        ("ENROUTE", State.SENT, None),
        ("ACCEPTD", State.SENT, None),
        ("UNKNOWN", State.SENT, None),
        ("WHATEVER", State.SENT, None),
    ],
)
def test_what_the_words_of_the_network_mean(bench, word, state, code):
    key = bench.claimed()
    bench.answers(key, "A1")
    bench.receipt("A1", word)
    assert (bench.state(key), bench.row(key).code) == (state, code)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("2AF", "687"),  # hexadecimal answer, decimal receipt
        ("687", "2AF"),
        ("00000687", "687"),
        ("687", "00000687"),
        ("abcdef", "ABCDEF"),
        ("6F1A", "6f1a"),
    ],
)
def test_ids_are_known_in_their_other_writings(bench, answer, told):
    key = bench.claimed()
    bench.answers(key, answer)
    bench.receipt(told)
    assert bench.state(key) is State.DELIVERED


def test_another_writing_of_an_id_that_fits_two_messages_settles_neither(bench):
    one, other = bench.claimed(), bench.claimed()
    bench.answers(one, "2AF")
    bench.answers(other, "2af")
    bench.receipt("687")
    assert [bench.state(one), bench.state(other)] == [State.SENT, State.SENT]


def test_another_writing_of_an_id_must_come_from_the_same_phone(bench):
    key = bench.claimed()
    bench.answers(key, "2AF")
    bench.receipt("687", recipient="34600999888")
    assert bench.state(key) is State.SENT


def test_a_receipt_before_the_answer_waits_for_it(bench):
    key = bench.claimed()
    bench.receipt("A1")
    assert (bench.state(key), bench.waiting()) == (State.SENDING, 1)
    bench.answers(key, "A1")
    assert (bench.state(key), bench.waiting()) == (State.DELIVERED, 0)


def test_a_receipt_for_someone_elses_message_goes_on_waiting(bench):
    key = bench.claimed()
    bench.receipt("ZZ")
    bench.answers(key, "A1")
    assert (bench.state(key), bench.waiting()) == (State.SENT, 1)


def test_the_same_receipt_again_changes_nothing(bench):
    key = bench.claimed()
    bench.answers(key, "A1")
    bench.receipt("A1")
    version = bench.row(key).version
    bench.receipt("A1")
    assert bench.row(key).version == version


@pytest.mark.parametrize(
    ("first", "then", "state"),
    [
        ("EXPIRED", "DELIVRD", State.DELIVERED),
        ("UNDELIV", "DELIVRD", State.DELIVERED),
        ("DELIVRD", "EXPIRED", State.DELIVERED),
        ("DELIVRD", "UNDELIV", State.DELIVERED),
        ("EXPIRED", "UNDELIV", State.EXPIRED),
    ],
)
def test_only_delivered_replaces_a_final_state(bench, first, then, state):
    key = bench.claimed()
    bench.answers(key, "A1")
    bench.receipt("A1", first)
    bench.receipt("A1", then)
    assert bench.state(key) is state


def test_a_long_message_is_delivered_when_all_its_parts_are(bench):
    key = bench.claimed(parts=3)
    bench.answers(key, "A1", "A2", "A3")
    bench.receipt("A3")
    bench.receipt("A1")
    assert bench.state(key) is State.SENT
    bench.receipt("A2")
    assert bench.state(key) is State.DELIVERED


def test_one_report_settles_all_parts_that_have_one_id(bench):
    key = bench.claimed(parts=3)
    bench.answers(key, "A", "A", "A")
    bench.receipt("A")
    assert bench.state(key) is State.DELIVERED


def test_a_long_message_has_failed_when_all_parts_are_final_and_one_failed(bench):
    key = bench.claimed(parts=2)
    bench.answers(key, "A1", "A2")
    bench.receipt("A1", "UNDELIV")
    assert bench.state(key) is State.SENT
    bench.receipt("A2")
    assert bench.state(key) is State.FAILED


def test_an_id_that_the_network_uses_again_means_the_newest_open_message(bench):
    old = bench.claimed()
    bench.answers(old, "A1")
    bench.receipt("A1")
    new = bench.claimed()
    bench.answers(new, "A1")
    bench.receipt("A1", "UNDELIV")
    assert (bench.state(old), bench.state(new)) == (State.DELIVERED, State.FAILED)


def test_refused_is_failed_with_its_reason(bench):
    key = bench.claimed()
    bench.answers(key, Result.REFUSED)
    assert (bench.state(key), bench.row(key).code) == (State.FAILED, "code-refused")


def test_a_lost_answer_is_uncertain_and_is_not_claimed_again(bench, ledger):
    key = bench.claimed()
    bench.answers(key, Result.UNCERTAIN)
    assert bench.state(key) is State.UNCERTAIN
    later = NOW + timedelta(days=2)
    assert ledger.do_now(claim.claim, connector="c", routes=[""], room=9, idle=True, now=later) == []


def test_what_certainly_did_not_leave_waits_its_time_and_goes_again(bench, ledger):
    key = bench.claimed()
    bench.answers(key, Result.RETURNED)
    assert bench.state(key) is State.QUEUED

    def claim_at(seconds):
        return ledger.do_now(
            claim.claim, connector="c", routes=[""], room=9, idle=True, now=NOW + timedelta(seconds=seconds)
        )

    assert claim_at(2) == []
    assert [each.id for each in claim_at(3)] == [key]


def test_only_the_parts_that_were_returned_go_again(bench, ledger):
    key = bench.claimed(parts=3)
    bench.answers(key, "A1", Result.RETURNED, "A3")
    assert bench.state(key) is State.QUEUED
    (again,) = ledger.do_now(claim.claim, connector="c", routes=[""], room=9, idle=True, now=NOW + timedelta(seconds=5))
    assert again.taken == {1, 3}
    bench.answers(key, None, "A2", resumed=True)
    assert bench.state(key) is State.SENT
    for network_id in ("A1", "A2", "A3"):
        bench.receipt(network_id)
    assert bench.state(key) is State.DELIVERED


def test_a_refused_part_fails_the_message_even_if_another_was_returned(bench):
    key = bench.claimed(parts=2)
    bench.answers(key, Result.RETURNED, Result.REFUSED)
    assert bench.state(key) is State.FAILED


def test_a_lost_answer_to_one_part_makes_the_message_uncertain(bench):
    key = bench.claimed(parts=2)
    bench.answers(key, "A1", Result.UNCERTAIN)
    assert bench.state(key) is State.UNCERTAIN


def test_a_stop_without_leave_makes_what_was_claimed_uncertain_and_nothing_else(bench, ledger):
    sent, lost = bench.claimed(), bench.claimed()
    bench.answers(sent, "A1")
    assert ledger.do_now(claim.recover, NOW) == 1
    assert (bench.state(sent), bench.state(lost)) == (State.SENT, State.UNCERTAIN)


def test_a_receipt_for_an_unheard_id_settles_the_one_uncertain_message_to_its_phone(bench, ledger):
    key = bench.claimed()
    ledger.do_now(claim.recover, NOW)
    bench.receipt("never-heard")
    assert (bench.state(key), bench.waiting()) == (State.DELIVERED, 0)


def test_two_uncertain_messages_to_one_phone_are_not_guessed_between(bench, ledger):
    keys = [bench.claimed(), bench.claimed()]
    ledger.do_now(claim.recover, NOW)
    bench.receipt("never-heard")
    assert [bench.state(key) for key in keys] == [State.UNCERTAIN] * 2


def test_an_uncertain_message_of_several_parts_is_not_settled_by_one_receipt(bench, ledger):
    key = bench.claimed(parts=3)
    ledger.do_now(claim.recover, NOW)
    bench.receipt("never-heard")
    assert bench.state(key) is State.UNCERTAIN


def test_a_receipt_made_long_before_settles_nothing(bench, ledger):
    key = bench.claimed()
    ledger.do_now(claim.recover, NOW)
    bench.receipt("never-heard", done_at=NOW - timedelta(days=2))
    assert bench.state(key) is State.UNCERTAIN


def test_receipts_of_others_are_forgotten(bench, ledger):
    bench.receipt("somebody-elses")
    ledger.do_now(stranger.forget, NOW)
    assert bench.waiting() == 1
    ledger.do_now(stranger.forget, NOW + timedelta(seconds=1))
    assert bench.waiting() == 0


def test_every_move_is_legal_or_changes_nothing(bench, ledger):
    for old in State:
        for new in State:
            key = bench.claimed()
            ledger.do_now(
                lambda c, key=key, old=old: (
                    c.execute(
                        message.update().where(message.c.id == key).values(state=old),
                    ).rowcount
                ),
            )
            before = bench.row(key).version
            ledger.do_now(settlement.move, [settlement.Move(message=MessageId(key), state=new, at=NOW)])
            legal = new in MOVES[old]
            assert bench.state(key) is (new if legal else old)
            assert bench.row(key).version == before + legal
