"""What is recalled, paused or marked anew while it is on a link does not go out a second time."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.hand import NOW, Hand
from xlsms.errors import TransientError
from xlsms.model import MessageId, Outcome, PartKey, Priority, Receipt, Result, RowId
from xlsms.states import State
from xlsms_service.config import Limit
from xlsms_service.delivery import engine as engine_module
from xlsms_service.delivery import outcome, recalling, receipt
from xlsms_service.delivery.engine import Engine
from xlsms_service.delivery.limit import Limiter
from xlsms_service.delivery.outcome import Answered
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import acceptance, book, claim, intervention, uncertain
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.intervention import Reach
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message, part
from xlsms_service.ledger.uncertain import Verdict

LATER = NOW + timedelta(minutes=1)


class Forgetful(Hand):
    """A network that takes back what it has, or says what it is told to say."""

    ask_after = None
    cancels = True

    def __init__(self):
        super().__init__()
        self.asked = []
        self.says = {}

    async def query(self, part):
        raise NotImplementedError

    async def cancel(self, part):
        self.asked.append(part.network_id)
        said = self.says.get(part.network_id, True)
        if isinstance(said, str):
            raise TransientError(said)
        return said


def draft(number, *, parts=1, replaces=None, **more):
    text = "x" if parts == 1 else "a" * (153 * parts)
    return Draft(
        number=f"+346{number:08}", text=text, alphabet="gsm7", parts=parts, fingerprint=f"f{number}{replaces}",
        route="", sheet="Lista", row_id=RowId(f"R{number}{'+' if replaces else ''}"), replaces=replaces, **more,
    )  # fmt: skip


def accept(ledger, *drafts, campaigns=(), admit=True):
    ids = [each.row_id for each in drafts]
    known = ledger.do_now(
        book.recognise, path=Path("/lista.xlsx"), guid=None, language="es", row_ids=(), exists=lambda _: True
    )
    made = ledger.do_now(acceptance.propose, known.id, drafts, NOW, dict(campaigns))
    if admit:
        ledger.do_now(acceptance.admit, ids, now=NOW, since=NOW)
    return made


def shown(ledger):
    """State and code of each row."""
    query = select(message.c.row_id, message.c.state, message.c.code).order_by(message.c.id)
    return ledger.do_now(lambda c: {row.row_id: (State(row.state), row.code) for row in c.execute(query)})


def play(tmp_path, scene, *, link=None, now=lambda: NOW, **more):
    async def main():
        with Ledger.open(tmp_path) as ledger:
            hand = link or Hand()
            engine = Engine(ledger, {"hand": (hand, lambda _: [])}, Router([], ["hand"]), now=now, **more)
            await engine.start()
            try:
                async with asyncio.timeout(60):
                    await scene(engine, ledger, hand)
            finally:
                await engine.close()

    asyncio.run(main())


async def until(check):
    while not check():
        await asyncio.sleep(0.001)


ORDERS = {
    "recalled": (intervention.recall, State.CANCELLED),
    "paused": (intervention.pause, State.HELD),
}


@pytest.mark.parametrize("code", ORDERS)
def test_what_comes_back_after_it_was_taken_back_stays_here(tmp_path, code):
    order, state = ORDERS[code]

    async def scene(engine, ledger, link):
        accept(ledger, *map(draft, range(25)))
        engine.wake()
        await link.parts(10)
        assert ledger.do_now(order, LATER) == Reach(15, under_way=10)
        first, *others = list(link.open_parts)
        link.answer(Result.ACCEPTED, first)
        link.answer(Result.RETURNED, *others)
        await until(lambda: State.SENDING not in {it for it, _ in shown(ledger).values()})
        states = list(shown(ledger).values())
        assert (states.count((State.SENT, None)), states.count((state, code))) == (1, 24)
        engine.wake()
        await asyncio.sleep(0.05)
        assert len(link.submitted) == 10

    play(tmp_path, scene)


def test_what_was_paused_on_its_link_goes_on_and_may_be_let_go_before_it_comes_back(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, *map(draft, range(2)))
        engine.wake()
        await link.parts(2)
        one, two = list(link.open_parts)
        ledger.do_now(intervention.pause, LATER)
        link.answer(Result.RETURNED, one)
        await until(lambda: (State.HELD, "paused") in shown(ledger).values())
        assert ledger.do_now(intervention.unpause, LATER) == Reach(1, under_way=1)
        link.answer(Result.RETURNED, two)
        await link.parts(4)
        assert {part.key for part in link.submitted[2:]} == {one, two}

    play(tmp_path, scene)


def test_a_long_text_of_which_a_part_has_left_says_so(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, draft(1, parts=3))
        engine.wake()
        one, *others = [part.key for part in await link.parts(3)]
        ledger.do_now(intervention.recall, LATER)
        link.answer(Result.ACCEPTED, one)
        link.answer(Result.RETURNED, *others)
        await until(lambda: shown(ledger)["R1"] == (State.CANCELLED, "recalled-in-part"))
        report = Receipt(connector="hand", network_id="N1.1", state="DELIVRD", at=NOW, recipient="+34600000001")
        ledger.do_now(receipt.settle, "hand", [report], lambda _: [], NOW)
        assert shown(ledger)["R1"] == (State.CANCELLED, "recalled-in-part")

    play(tmp_path, scene)


def test_a_recalled_text_whose_answer_was_lost_is_not_sent_again_though_the_settings_would(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, draft(1))
        engine.wake()
        [part] = await link.parts(1)
        ledger.do_now(intervention.recall, LATER)
        link.answer(Result.UNCERTAIN, part.key)
        await until(lambda: shown(ledger)["R1"] == (State.UNCERTAIN, "answer-lost"))

    play(tmp_path, scene, resend=True)


def test_nor_after_a_crash(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        accept(ledger, draft(1), draft(2))
        ledger.do_now(claim.claim, connector="c", routes=[""], room=9, idle=True, now=NOW)
        ledger.do_now(intervention.recall, LATER, row_ids=[RowId("R1")])
        ledger.do_now(claim.recover, LATER, resends=2)
        assert [state for state, _ in shown(ledger).values()] == [State.UNCERTAIN, State.QUEUED]
        # Who then says that it is to be sent again is obeyed.
        ledger.do_now(uncertain.settle, [MessageId(1)], Verdict.RESEND, LATER, timedelta(hours=1))
        assert ledger.do_now(intervention.wishes, [MessageId(1)]) == {}


def test_what_a_row_was_before_it_was_marked_anew_goes_nowhere_when_it_comes_back(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, draft(1))
        engine.wake()
        [old] = await link.parts(1)
        accept(ledger, draft(1, replaces=MessageId(1)))
        await link.parts(2)
        link.answer(Result.RETURNED, old.key)
        await until(lambda: shown(ledger)["R1"] == (State.CANCELLED, "marked-anew"))
        assert len(link.submitted) == 2

    play(tmp_path, scene)


def test_a_send_that_is_recalled_while_it_is_read_does_not_go_on(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        campaigns = accept(ledger, draft(1))
        accept(ledger, draft(2), campaigns=campaigns.items(), admit=False)
        ledger.do_now(intervention.recall, LATER)
        ledger.do_now(acceptance.admit, [RowId("R2")], now=LATER, since=LATER)
        accept(ledger, draft(3), campaigns=campaigns.items())
        accept(ledger, draft(4))  # another send
        assert list(shown(ledger).values()) == [(State.CANCELLED, "recalled")] * 3 + [(State.QUEUED, None)]


def test_a_send_that_is_paused_while_it_is_read_goes_on_whole(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        campaigns = accept(ledger, draft(1))
        ledger.do_now(intervention.pause, LATER)
        accept(ledger, draft(2), campaigns=campaigns.items())
        accept(
            ledger, draft(3, not_before=NOW + timedelta(hours=1), state=State.SCHEDULED), campaigns=campaigns.items()
        )
        assert set(shown(ledger).values()) == {(State.HELD, "paused")}
        ledger.do_now(intervention.unpause, LATER)
        accept(ledger, draft(4), campaigns=campaigns.items())
        assert [state for state, _ in shown(ledger).values()] == [
            State.QUEUED, State.QUEUED, State.SCHEDULED, State.QUEUED,
        ]  # fmt: skip


def test_those_behind_what_was_taken_back_at_a_limit_move_up(tmp_path, monkeypatch):
    monkeypatch.setattr(engine_module, "_LOOK_AGAIN", 0.005)
    clock = [NOW]
    limiter = Limiter([Limit(interval=timedelta(minutes=1))])

    async def scene(engine, ledger, link):
        accept(ledger, *map(draft, range(9)))
        engine.wake()
        await link.parts(1)
        await until(lambda: min(_dues(ledger).values()) > NOW)
        ledger.do_now(intervention.recall, NOW, row_ids=[RowId(f"R{number}") for number in range(1, 8)])
        await until(lambda: _dues(ledger)["R8"] <= NOW + timedelta(minutes=1))
        clock[0] += timedelta(minutes=1)
        engine.wake()
        await link.parts(2)
        assert link.submitted[1].destination == "+34600000008"

    play(tmp_path, scene, limiter=limiter, now=lambda: clock[0])


def _dues(ledger):
    query = select(message.c.row_id, message.c.due).where(message.c.state == State.QUEUED)
    return ledger.do_now(lambda c: {row.row_id: row.due for row in c.execute(query)})


# What a network has.


def sent(tmp_path, monkeypatch, scene, *drafts):
    """Play with messages that the network has accepted, and that are asked back."""
    monkeypatch.setattr(recalling, "_LOOK", 0.001)

    async def main(engine, ledger, link):
        accept(ledger, *drafts)
        engine.wake()
        parts = await link.parts(sum(each.parts for each in drafts))
        link.answer(Result.ACCEPTED, *(part.key for part in parts))
        await until(lambda: {state for state, _ in shown(ledger).values()} == {State.SENT})
        await scene(ledger, link)

    play(tmp_path, main, link=Forgetful())


def test_what_the_network_takes_back_is_cancelled_and_what_it_does_not_says_so(tmp_path, monkeypatch):
    async def scene(ledger, link):
        link.says = {"N2.1": False, "N3.1": "smsc-says-nothing"}
        assert ledger.do_now(intervention.recall, LATER, networks=["hand"]) == Reach(0, asked_back=3)
        await until(lambda: ledger.do_now(intervention.wishes, map(MessageId, (1, 2, 3))) == {})
        assert list(shown(ledger).values()) == [
            (State.CANCELLED, "recalled-at-network"),
            (State.SENT, "recall-refused"),
            (State.SENT, "recall-refused"),
        ]
        assert sorted(link.asked) == ["N1.1", "N2.1", "N3.1"]
        # It comes nevertheless: that is the truth then.
        reports = [
            Receipt(connector="hand", network_id=f"N{key}.1", state="DELIVRD", at=NOW, recipient=f"+3460000000{key}")
            for key in (1, 2)
        ]
        ledger.do_now(receipt.settle, "hand", reports, lambda _: [], NOW)
        assert [it for it, _ in shown(ledger).values()] == [State.DELIVERED, State.DELIVERED, State.SENT]

    sent(tmp_path, monkeypatch, scene, *map(draft, (1, 2, 3)))


def test_the_newest_are_asked_back_first(tmp_path, monkeypatch):
    monkeypatch.setattr(recalling, "_AT_ONCE", 1)

    async def scene(ledger, link):
        ledger.do_now(intervention.recall, LATER, networks=["hand"])
        await until(lambda: len(link.asked) == 3)
        assert link.asked == ["N3.1", "N2.1", "N1.1"]

    sent(tmp_path, monkeypatch, scene, *map(draft, (1, 2, 3)))


def test_what_has_no_id_is_refused_at_once_and_keeps_nothing_else_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr(recalling, "_AT_ONCE", 1)

    async def scene(ledger, link):
        nameless = update(part).where(part.c.message_id > 1).values(network_id=None)
        ledger.do_now(lambda c: c.execute(nameless) and None)
        assert ledger.do_now(intervention.recall, LATER, networks=["hand"]) == Reach(0, asked_back=1)
        await until(lambda: shown(ledger)["R1"] == (State.CANCELLED, "recalled-at-network"))
        refused = (State.SENT, "recall-refused")
        assert [shown(ledger)[row_id] for row_id in ("R2", "R3")] == [refused, refused]
        assert ledger.do_now(intervention.wishes, map(MessageId, (1, 2, 3))) == {}

    sent(tmp_path, monkeypatch, scene, *map(draft, (1, 2, 3)))


def test_what_is_settled_in_all_its_parts_keeps_nothing_else_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr(recalling, "_AT_ONCE", 1)

    async def scene(ledger, link):
        ledger.do_now(
            lambda c: (
                c.execute(update(message).values(wish=intervention.Wish.RECALLED))
                and c.execute(update(part).where(part.c.message_id > 1).values(state=State.DELIVERED))
                and None
            )
        )
        await until(lambda: shown(ledger)["R1"] == (State.CANCELLED, "recalled-at-network"))

    sent(tmp_path, monkeypatch, scene, *map(draft, (1, 2, 3)))


def test_nothing_is_asked_of_a_network_that_takes_nothing_back(tmp_path, monkeypatch):
    async def scene(ledger, link):
        assert ledger.do_now(intervention.recall, LATER, networks=["other"]) == Reach(0)
        await asyncio.sleep(0.02)
        assert link.asked == []

    sent(tmp_path, monkeypatch, scene, draft(1))


def test_a_lost_answer_is_asked_for_again_and_not_for_ever(tmp_path, monkeypatch):
    async def scene(ledger, link):
        link.says = {"N1.1": "answer-lost"}
        ledger.do_now(intervention.recall, LATER, networks=["hand"])
        await until(lambda: shown(ledger)["R1"] == (State.SENT, "recall-refused"))
        assert len(link.asked) == 5

    sent(tmp_path, monkeypatch, scene, draft(1))


@pytest.mark.parametrize("code", ["smsc-throttled", "smsc-in-trouble"])
def test_a_network_that_cannot_tell_now_is_asked_until_it_can(tmp_path, monkeypatch, code):
    async def scene(ledger, link):
        link.says = {"N1.1": code}
        ledger.do_now(intervention.recall, LATER, networks=["hand"])
        await until(lambda: len(link.asked) > 8)
        assert shown(ledger)["R1"][0] is State.SENT
        link.says = {}
        await until(lambda: shown(ledger)["R1"] == (State.CANCELLED, "recalled-at-network"))

    sent(tmp_path, monkeypatch, scene, draft(1))


def test_the_report_that_it_was_deleted_may_come_before_the_answer(tmp_path, monkeypatch):
    async def scene(ledger, link):
        link.says = {"N1.1": "answer-lost"}
        ledger.do_now(intervention.recall, LATER, networks=["hand"])
        report = Receipt(connector="hand", network_id="N1.1", state="DELETED", at=NOW, recipient="+34600000001")
        ledger.do_now(receipt.settle, "hand", [report], lambda _: [], NOW)
        assert shown(ledger)["R1"] == (State.CANCELLED, "recalled-at-network")

    sent(tmp_path, monkeypatch, scene, draft(1))


def test_a_long_text_is_cancelled_when_the_rest_of_it_has_come_to_its_end(tmp_path, monkeypatch):
    async def scene(ledger, link):
        link.says = {"N1.1": False}
        ledger.do_now(intervention.recall, LATER, networks=["hand"])
        await until(lambda: ledger.do_now(intervention.wishes, [MessageId(1)]) == {})
        assert shown(ledger)["R1"] == (State.SENT, None)
        report = Receipt(connector="hand", network_id="N1.1", state="DELIVRD", at=NOW, recipient="+34600000001")
        ledger.do_now(receipt.settle, "hand", [report], lambda _: [], NOW)
        assert shown(ledger)["R1"] == (State.CANCELLED, "recalled-in-part")

    sent(tmp_path, monkeypatch, scene, draft(1, parts=2))


def test_a_report_for_a_part_of_what_somebody_has_cancelled_by_hand(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        accept(ledger, draft(1, parts=2, priority=Priority.URGENT))
        [claimed] = ledger.do_now(claim.claim, connector="hand", routes=[""], room=9, idle=True, now=NOW)
        one, two = (PartKey(claimed.id, number) for number in (1, 2))
        outcomes = (
            Outcome(key=one, result=Result.ACCEPTED, at=NOW, network_id="N1.1"),
            Outcome(key=two, result=Result.UNCERTAIN, at=NOW, code="answer-lost"),
        )
        ledger.do_now(outcome.settle, "hand", [Answered(claimed.id, outcomes)], lambda _: [], NOW)
        ledger.do_now(uncertain.settle, [claimed.id], Verdict.CANCELLED, LATER, timedelta(hours=1))
        report = Receipt(connector="hand", network_id="N1.1", state="DELIVRD", at=NOW, recipient="+34600000001")
        ledger.do_now(receipt.settle, "hand", [report], lambda _: [], NOW)
        assert shown(ledger)["R1"][0] is State.CANCELLED
