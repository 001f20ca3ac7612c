"""What a row showed before it was marked anew: it goes no more if it has not left, and tells what became of it if so."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from xlsms.model import RowId
from xlsms.states import State
from xlsms_service.ledger import acceptance
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
HERE = {State.QUEUED, State.SCHEDULED, State.HELD}


def _admit(connection, row_id):
    acceptance.admit(connection, [row_id], now=NOW, since=NOW - timedelta(days=1))


@pytest.mark.parametrize("state", State)
def test_it_is_taken_back_only_where_it_has_not_left(tmp_path, state):
    draft = Draft(number="+34600111222", text="Hola", alphabet="gsm7", parts=1, fingerprint="f", route="")

    def play(connection):
        acceptance.propose(connection, None, [draft._replace(row_id=RowId("R1"))], NOW)
        _admit(connection, RowId("R1"))
        older = connection.execute(select(message.c.id)).scalar_one()
        connection.execute(update(message).values(state=state))
        anew = draft._replace(row_id=RowId("R2"), text="Adios", fingerprint="g", replaces=older)
        acceptance.propose(connection, None, [anew], NOW)
        _admit(connection, RowId("R2"))
        columns = (message.c.state, message.c.superseded, message.c.wish, message.c.admitted)
        return connection.execute(select(*columns).order_by(message.c.id)).all()

    with Ledger.open(tmp_path) as ledger:
        older, newer = map(tuple, ledger.do_now(play))
    wish = "marked-anew" if state is State.SENDING else None
    assert older == (State.CANCELLED if state in HERE else state, True, wish, True)
    assert newer == (State.QUEUED, False, None, True)


def test_what_another_process_has_admitted_meanwhile_stays_as_it_is(tmp_path):
    """Its mark still stands in the sheet, and a later message says the same: neither counts against it any more."""
    draft = Draft(number="+34600111222", text="Hola", alphabet="gsm7", parts=1, fingerprint="f", route="")
    first, later = RowId("R1"), RowId("R2")

    def play(connection):
        for row_id in (first, later):
            acceptance.propose(connection, None, [draft._replace(row_id=row_id)], NOW)
        since = NOW - timedelta(days=1)
        acceptance.admit(connection, [first], now=NOW, since=since, standing={first})
        connection.execute(update(message).where(message.c.row_id == later).values(admitted=True, state=State.SENT))
        before = connection.execute(select(message).where(message.c.row_id == first)).one()
        _admit(connection, first)
        return before, connection.execute(select(message).where(message.c.row_id == first)).one()

    with Ledger.open(tmp_path) as ledger:
        before, after = ledger.do_now(play)
    assert before.mark_open
    assert after == before
