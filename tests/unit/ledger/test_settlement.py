"""Parts and messages that are changed many at once change as they would one by one, and no others with them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from xlsms.model import PartKey
from xlsms.states import State
from xlsms_service.ledger import acceptance, settlement
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message, part
from xlsms_service.ledger.settlement import Move, PartRecord

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
PARTS = 2


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


def accepted(ledger, count):
    draft = Draft(number="+34600111222", text="Hola", alphabet="gsm7", parts=PARTS, fingerprint="f", route="")
    return [ledger.do_now(acceptance.accept_text, draft, NOW) for _ in range(count)]


def parts_in(ledger):
    columns = (part.c.message_id, part.c.part, part.c.connector, part.c.network_id, part.c.state, part.c.at)
    rows = ledger.do_now(lambda connection: connection.execute(select(*columns)).all())
    return {(row.message_id, row.part): tuple(row)[2:] for row in rows}


@pytest.mark.parametrize("count", [1, 7, 8, 130])
def test_parts_that_are_kept_alike_keep_their_number_and_their_name(ledger, count):
    named = [(PartKey(each, nth), f"N{each}-{nth}") for each in accepted(ledger, count) for nth in (1, 2)]
    ledger.do_now(settlement.keep_alike, "c", State.SENT, named, NOW)
    assert parts_in(ledger) == {tuple(key): ("c", name, State.SENT, NOW) for key, name in named}


@pytest.mark.parametrize("count", [1, 7, 8, 30])
def test_a_report_on_some_parts_is_no_report_on_others(ledger, count):
    """Of every message one part is reported on: of some the first as delivered, of the others the second as failed."""
    keys = accepted(ledger, 2 * count + 1)
    sent = [PartRecord(PartKey(each, nth), "c", State.SENT, NOW, f"N{each}-{nth}") for each in keys for nth in (1, 2)]
    ledger.do_now(settlement.keep_parts, sent)
    told = [
        (PartKey(each, 1), State.DELIVERED) if place % 2 else (PartKey(each, 2), State.FAILED)
        for place, each in enumerate(keys[:-1])
    ]
    ledger.do_now(settlement.set_part_states, told, LATER)
    expected = {tuple(each.key): ("c", each.network_id, State.SENT, NOW) for each in sent}
    for key, state in told:
        expected[tuple(key)] = (*expected[tuple(key)][:2], state, LATER)
    assert parts_in(ledger) == expected


@pytest.mark.parametrize("count", [1, 7, 8, 30])
def test_messages_that_move_at_once_do_so_each_for_its_own_reason(ledger, count):
    keys = accepted(ledger, 3 * count + 1)
    reasons = [(State.FAILED, "one", {"code": "1"}), (State.FAILED, "two", {"code": "2"}), (State.HELD, "three", {})]
    moves = [
        Move(each, *reasons[place % 3][:1], LATER + timedelta(seconds=place % 3), *reasons[place % 3][1:])
        for place, each in enumerate(keys[:-1])
    ]
    ledger.do_now(settlement.move, moves)
    columns = (message.c.id, message.c.state, message.c.code, message.c.facts, message.c.state_at)
    rows = ledger.do_now(lambda connection: connection.execute(select(*columns).order_by(message.c.id)).all())
    assert list(map(tuple, rows)) == [
        *((each.message, each.state, each.code, dict(each.facts) or None, each.at) for each in moves),
        (keys[-1], State.QUEUED, None, None, NOW),
    ]
