import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from xlsms.model import Concat, Inbound
from xlsms.states import State
from xlsms_service.ledger import acceptance, claim, conversation, settlement
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import inbound, message
from xlsms_service.ledger.settlement import Move
from xlsms_service.twoway import inbox
from xlsms_service.twoway.keeper import Keeper

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PHONE = "34600111222"


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


def sent(ledger, number=f"+{PHONE}", connector="c", at=NOW):
    draft = Draft(number=number, text="¿Viene?", alphabet="gsm7", parts=1, fingerprint="f", route="")
    key = ledger.do_now(acceptance.accept_text, draft, at)
    ledger.do_now(claim.claim, connector=connector, routes=[""], room=99, idle=True, now=at)
    ledger.do_now(settlement.move, [Move(message=key, state=State.SENT, at=at)])
    return key


def arrive(ledger, *texts, sender=PHONE, connector="c", at=NOW):
    """Each is a text, or (text, part, total)."""
    items = [
        Inbound(
            connector=connector,
            sender=sender,
            recipient="777",
            text=text if isinstance(text, str) else text[0],
            at=at,
            concat=None if isinstance(text, str) else Concat(7, text[2], text[1]),
        )
        for text in texts
    ]
    ledger.do_now(conversation.keep, items)


def look(ledger, at=NOW):
    return ledger.do_now(inbox.handle, at, "ES")


def reply(ledger, key):
    return ledger.do_now(lambda c: c.execute(select(message.c.reply).where(message.c.id == key)).scalar())


def test_a_reply_stands_beside_the_message_it_answers(ledger):
    key, other = sent(ledger), sent(ledger, "+34600999888")
    arrive(ledger, "SI")
    assert look(ledger).replies == 1
    assert (reply(ledger, key), reply(ledger, other)) == ("SI", None)


@pytest.mark.parametrize("written", [PHONE, f"+{PHONE}", f"00{PHONE}", "600111222"])
def test_numbers_are_known_with_and_without_plus(ledger, written):
    key = sent(ledger)
    arrive(ledger, "SI", sender=written)
    look(ledger)
    assert reply(ledger, key) == "SI"


def test_the_newest_message_is_answered_but_one_of_the_same_connector_first(ledger):
    old, mine, foreign = sent(ledger), sent(ledger), sent(ledger, connector="other")
    arrive(ledger, "SI")
    look(ledger)
    assert [reply(ledger, key) for key in (old, mine, foreign)] == [None, "SI", None]


def test_several_replies_stand_one_a_line_in_the_order_they_came(ledger):
    key = sent(ledger)
    arrive(ledger, "SI")
    look(ledger)
    arrive(ledger, "pero tarde")
    look(ledger)
    assert reply(ledger, key) == "SI\npero tarde"


def test_a_long_reply_is_put_together_in_whatever_order_it_comes(ledger):
    key = sent(ledger)
    arrive(ledger, ("tres", 3, 3), ("uno, ", 1, 3))
    first = look(ledger)
    assert (first.replies, first.next_at) == (0, NOW + timedelta(minutes=5))
    arrive(ledger, ("dos, ", 2, 3), ("dos, ", 2, 3))
    assert look(ledger).replies == 1
    assert reply(ledger, key) == "uno, dos, tres"


def test_a_missing_part_is_shown_as_missing_after_a_while_and_nothing_is_dropped(ledger):
    key = sent(ledger)
    arrive(ledger, ("uno, ", 1, 3), ("tres", 3, 3))
    assert look(ledger, NOW + timedelta(minutes=4)).replies == 0
    assert look(ledger, NOW + timedelta(minutes=5)).replies == 1
    assert reply(ledger, key) == f"uno, {inbox.MISSING}tres"


def test_long_replies_of_two_phones_with_one_reference_are_kept_apart(ledger):
    one, two = sent(ledger), sent(ledger, "+34600999888")
    arrive(ledger, ("a1", 1, 2))
    arrive(ledger, ("b1", 1, 2), ("b2", 2, 2), sender="34600999888")
    arrive(ledger, ("a2", 2, 2))
    look(ledger)
    assert (reply(ledger, one), reply(ledger, two)) == ("a1a2", "b1b2")


def test_what_answers_nothing_is_kept(ledger):
    arrive(ledger, "¿Quién es?", sender="34611111111")
    arrive(ledger, "PROMO", sender="Banco")
    assert look(ledger).strangers == 2
    kept = ledger.do_now(lambda c: c.execute(select(inbound.c.text, inbound.c.handled_at)).all())
    assert [(text, at is not None) for text, at in kept] == [("¿Quién es?", True), ("PROMO", True)]


def test_a_message_that_has_not_left_or_is_long_past_is_not_answered(ledger):
    draft = Draft(number=f"+{PHONE}", text="x", alphabet="gsm7", parts=1, fingerprint="f", route="", state=State.HELD)
    waiting = ledger.do_now(acceptance.accept_text, draft, NOW)
    arrive(ledger, "SI")
    assert look(ledger).strangers == 1
    old = sent(ledger, at=NOW - timedelta(days=40))
    arrive(ledger, "SI")
    look(ledger)
    assert (reply(ledger, waiting), reply(ledger, old)) == (None, None)


def test_a_hostile_part_number_does_not_stop_the_inbox(ledger):
    key = sent(ledger)
    arrive(ledger, ("x", 9, 2), ("y", 0, 2))
    look(ledger)
    assert look(ledger, NOW + timedelta(minutes=5)).replies == 1
    assert reply(ledger, key) == inbox.MISSING * 2


def test_what_an_earlier_process_left_is_handled_though_nobody_wakes_the_keeper(ledger):
    key = sent(ledger)
    arrive(ledger, "SI")

    async def main():
        handled = asyncio.Queue()
        keeper = Keeper(ledger, country="ES", now=lambda: NOW, told=handled.put_nowait)
        task = asyncio.create_task(keeper.run())
        async with asyncio.timeout(60):
            first = await handled.get()
        task.cancel()
        return first

    assert asyncio.run(main()).replies == 1
    assert reply(ledger, key) == "SI"
