"""Answers whose reports come with them end as they would one after the other; what is in doubt goes the long way."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from xlsms.model import Outcome, PartKey, Receipt, Result
from xlsms.states import State, may_move
from xlsms_service.delivery import outcome, prompt, receipt
from xlsms_service.delivery.outcome import Answered
from xlsms_service.ledger import acceptance, claim
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message, part, waiting_receipt
from xlsms_service.protocols.smpp.receipt import candidates

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PARTS = (1, 1, 1, 2, 2, 1)  # of the messages; of the fifth the network has a part, and the last it took long ago, as A1
NUMBERS = [f"+3460011122{nth}" for nth in range(len(PARTS))]
ODD = st.sampled_from(["A1", "B1", "2AF", "687", "N0", ""])


class _UndoneError(Exception):
    """So that each example finds the ledger as it was."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with Ledger.open(tmp_path_factory.mktemp("ledger")) as ledger:
        for number, parts in zip(NUMBERS, PARTS, strict=True):
            draft = Draft(number=number, text="Hola", alphabet="gsm7", parts=parts, fingerprint="f", route="")
            ledger.do_now(acceptance.accept_text, draft, NOW)
        ask = {"connector": "c", "routes": [""], "room": 99, "idle": True}
        claimed = ledger.do_now(claim.claim, **ask, now=NOW)
        half, old = claimed[4].id, claimed[5].id
        came_back = Outcome(PartKey(half, 2), Result.RETURNED, NOW, code="link-down")
        before = [
            Answered(half, (Outcome(PartKey(half, 1), Result.ACCEPTED, NOW, "H1"), came_back)),
            Answered(old, (Outcome(PartKey(old, 1), Result.ACCEPTED, NOW, "A1"),)),
        ]
        ledger.do_now(outcome.settle, "c", before, candidates, NOW)
        (again,) = ledger.do_now(claim.claim, **ask, now=NOW + timedelta(minutes=1))
        yield ledger, [*claimed[:4], again]


def _step_by_step(connection, answered, receipts):
    outcome.settle(connection, "c", answered, candidates, NOW)
    return receipt.settle(connection, "c", receipts, candidates, NOW)


def _in_one_go(connection, answered, receipts):
    answered, receipts, waits = prompt.settle(connection, "c", answered, receipts, NOW)
    outcome.settle(connection, "c", answered, candidates, NOW)
    return [*waits, *receipt.settle(connection, "c", receipts, candidates, NOW)]


def _told(ledger, way, early, answered, receipts):
    """What the ledger holds afterwards, and the waits; `early` came before."""
    found = []

    def play(connection):
        receipt.settle(connection, "c", early, candidates, NOW)
        waits = way(connection, answered, receipts)
        columns = (message.c.id, message.c.state, message.c.code, message.c.facts, message.c.state_at, message.c.due)
        found.append(connection.execute(select(*columns).order_by(message.c.id)).all())
        found.append(connection.execute(select(part).order_by(part.c.message_id, part.c.part)).all())
        kept = select(waiting_receipt.c.network_id, waiting_receipt.c.recipient).order_by(waiting_receipt.c.id)
        found.extend([connection.execute(kept).all(), sorted(waits)])
        raise _UndoneError

    with pytest.raises(_UndoneError):
        ledger.do_now(play)
    return found


@st.composite
def _messages(draw, nth):
    """The results and names of a message's parts, and its reports: mostly as they should be."""
    parts = range(2, 3) if nth == 4 else range(1, PARTS[nth] + 1)
    names = [draw(st.just(f"N{nth}") | ODD) for _ in parts]
    results = [draw(st.sampled_from([Result.ACCEPTED] * 6 + [*Result])) for _ in parts]
    word = st.sampled_from(["DELIVRD"] * 4 + ["UNDELIV", "EXPIRED", "ENROUTE", "DELETED", "WHATEVER"])
    phone = st.sampled_from([NUMBERS[nth][1:]] * 4 + [NUMBERS[0][1:], "", "5500"])
    reports = [
        Receipt(
            "c", draw(st.sampled_from([*names, f"N{nth}"])) or "B1", draw(word),
            at=NOW + timedelta(seconds=draw(st.sampled_from([-1, 0, 3]))),
            done_at=draw(st.sampled_from([None, NOW - timedelta(minutes=1)])),
            recipient=draw(phone),
        )
        for _ in range(draw(st.sampled_from([1, 1, 1, 0, 2])))
    ]  # fmt: skip
    return [*zip(parts, results, names, strict=True)], reports


@settings(deadline=None, max_examples=200)
@given(
    messages=st.tuples(*(_messages(nth) for nth in range(5))),
    early=st.sampled_from([[], [], [Receipt("c", "N1", "UNDELIV", NOW, recipient=NUMBERS[1][1:])]]),
    told=st.sampled_from([True, True, False]),
    swap=st.randoms(use_true_random=False),
)
def test_the_end_is_that_of_answer_and_report_one_after_the_other(bench, messages, early, told, swap):
    ledger, claimed = bench
    answered = [
        Answered(
            each.id,
            tuple(
                Outcome(PartKey(each.id, nth), result, NOW, name if result is Result.ACCEPTED else None,
                        code=None if result is Result.ACCEPTED else "smsc-in-trouble")
                for nth, result, name in parts
            ),
            resumed=bool(each.taken),
            number=each.number if told else "",
        )
        for each, (parts, _) in zip(claimed, messages, strict=True)
    ]  # fmt: skip
    receipts = [report for _, reports in messages for report in reports]
    swap.shuffle(receipts)
    expected = _told(ledger, _step_by_step, early, answered, receipts)
    assert _told(ledger, _in_one_go, early, answered, receipts) == expected


@pytest.mark.parametrize("state", State)
def test_from_any_state_one_step_leads_where_two_do(state):
    between = State.SENT if may_move(state, State.SENT) else state
    assert may_move(between, State.DELIVERED) == (may_move(state, State.DELIVERED) or between is not state)
    assert between is state or may_move(state, State.DELIVERED)


def _left(ledger, answered, receipts):
    """What is not settled in one go."""
    left = []

    def play(connection):
        left.append(prompt.settle(connection, "c", answered, receipts, NOW))
        raise _UndoneError

    with pytest.raises(_UndoneError):
        ledger.do_now(play)
    return left[0]


def _usual(each, name):
    """An answer of one part and its report."""
    taken = Outcome(PartKey(each.id, 1), Result.ACCEPTED, NOW, name)
    report = Receipt("c", name, "DELIVRD", NOW, recipient=each.number[1:])
    return Answered(each.id, (taken,), number=each.number), report


def test_a_usual_batch_is_settled_whole_in_one_go(bench):
    ledger, claimed = bench
    answered, receipts = zip(*(_usual(each, f"N{each.id}") for each in claimed[:3]), strict=True)
    assert _left(ledger, answered, receipts) == ([], [], [0.0, 0.0, 0.0])


@pytest.mark.parametrize("doubt", ["phone", "used id", "no id", "resumed", "long", "word", "not taken", "no number"])
def test_whatever_leaves_a_doubt_goes_the_long_way(bench, doubt):
    ledger, claimed = bench
    one, report = _usual(claimed[0], "A1" if doubt == "used id" else "" if doubt == "no id" else "N1")
    match doubt:
        case "phone":
            report = report._replace(recipient=NUMBERS[1][1:])
        case "resumed":
            one = one._replace(resumed=True)
        case "long":
            one = one._replace(outcomes=(*one.outcomes, one.outcomes[0]._replace(key=PartKey(one.message, 2))))
        case "word":
            report = report._replace(state="UNDELIV")
        case "not taken":
            one = one._replace(outcomes=(one.outcomes[0]._replace(result=Result.UNCERTAIN),))
        case "no number":
            one = one._replace(number="")
    other, its_report = _usual(claimed[1], "N2")
    assert _left(ledger, [one, other], [report, its_report])[:2] == ([one], [report])


def test_an_id_that_two_answers_or_two_reports_have_goes_the_long_way(bench):
    ledger, claimed = bench
    (one, report), (other, its_report) = _usual(claimed[0], "N1"), _usual(claimed[1], "N1")
    assert _left(ledger, [one, other], [report]) == ([one, other], [report], ())
    assert _left(ledger, [one], [report, its_report]) == ([one], [report, its_report], ())


@pytest.mark.parametrize("name", ['a"b\\c', "é\x1bñ", "007", "7.5", "null"])
def test_ids_are_kept_as_the_network_writes_them(bench, name):
    ledger, claimed = bench
    answered, report = _usual(claimed[0], name)
    *_, parts, _, _ = _told(ledger, _in_one_go, [], [answered], [report])
    assert [(each.state, each.part) for each in parts if each.network_id == name] == [(State.DELIVERED, 1)]
