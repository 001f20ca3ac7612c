"""Answers that come after their part was given up as *uncertain*."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from xlsms.model import Outcome, PartKey, Receipt, Result
from xlsms.states import State
from xlsms_service.delivery import late, outcome, receipt
from xlsms_service.delivery.outcome import Answered
from xlsms_service.ledger import acceptance, claim
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message
from xlsms_service.protocols.smpp.receipt import candidates

NOW = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


class Bench:
    def __init__(self, ledger, parts, *results):
        self.ledger = ledger
        draft = Draft(number="+34600111222", text="x", alphabet="gsm7", parts=parts, fingerprint="f", route="")
        self.key = ledger.do_now(acceptance.accept_text, draft, NOW)
        ledger.do_now(claim.claim, connector="c", routes=[""], room=255, idle=True, now=NOW)
        first = tuple(self.outcome(nth, result) for nth, result in enumerate(results, 1))
        ledger.do_now(outcome.settle, "c", [Answered(self.key, first)], candidates, NOW)

    def outcome(self, nth, result, code="smsc-refused"):
        taken = result is Result.ACCEPTED
        name = f"N{nth}" if taken else None
        return Outcome(PartKey(self.key, nth), result, NOW, name, None if taken else code)

    def late(self, nth, result):
        self.ledger.do_now(late.settle, "c", [self.outcome(nth, result)], candidates, NOW)

    def receipt(self, nth, state="DELIVRD"):
        came = Receipt(connector="c", network_id=f"N{nth}", state=state, at=NOW, recipient="34600111222")
        self.ledger.do_now(receipt.settle, "c", [came], candidates, NOW)

    @property
    def row(self):
        return self.ledger.do_now(lambda c: c.execute(select(message).where(message.c.id == self.key)).one())

    @property
    def state(self):
        return State(self.row.state)


def test_late_acceptance_makes_it_sent_and_its_receipt_finds_it(ledger):
    bench = Bench(ledger, 1, Result.UNCERTAIN)
    assert bench.state is State.UNCERTAIN
    bench.late(1, Result.ACCEPTED)
    assert (bench.state, bench.row.code) == (State.SENT, None)
    bench.receipt(1)
    assert bench.state is State.DELIVERED


def test_late_refusal_makes_it_failed_with_its_reason(ledger):
    bench = Bench(ledger, 1, Result.UNCERTAIN)
    bench.late(1, Result.REFUSED)
    assert (bench.state, bench.row.code) == (State.FAILED, "smsc-refused")


def test_what_was_late_sent_back_stays_uncertain(ledger):
    bench = Bench(ledger, 1, Result.UNCERTAIN)
    bench.late(1, Result.RETURNED)
    assert bench.state is State.UNCERTAIN


def test_long_message_is_uncertain_until_each_part_is_known(ledger):
    bench = Bench(ledger, 3, Result.UNCERTAIN, Result.ACCEPTED, Result.UNCERTAIN)
    bench.late(1, Result.ACCEPTED)
    assert bench.state is State.UNCERTAIN
    bench.late(3, Result.ACCEPTED)
    assert bench.state is State.SENT


def test_long_message_of_which_a_part_never_left_stays_uncertain(ledger):
    bench = Bench(ledger, 2, Result.UNCERTAIN, Result.RETURNED)
    bench.late(1, Result.ACCEPTED)
    assert bench.state is State.UNCERTAIN


def test_late_answer_changes_nothing_that_is_settled(ledger):
    bench = Bench(ledger, 1, Result.ACCEPTED)
    bench.receipt(1)
    bench.late(1, Result.REFUSED)
    assert bench.state is State.DELIVERED


def test_receipt_that_waited_for_the_late_answer_counts(ledger):
    bench = Bench(ledger, 2, Result.UNCERTAIN, Result.ACCEPTED)
    bench.receipt(1)
    bench.receipt(2)
    bench.late(1, Result.ACCEPTED)
    assert bench.state is State.DELIVERED
