"""What workbooks show of the ledger."""

import asyncio

import pytest

from tests.unit.sync.table import NOW, PATH
from xlsms.model import Role
from xlsms.states import State
from xlsms_service.ledger import conversation
from xlsms_service.ledger.schema import message
from xlsms_service.planning import Terms


def test_states_follow_their_rows_and_a_deleted_row_is_let_go(desk):
    table = desk.table()
    rows = [table.add(f"6001112{number}", f"text {number}") for number in range(10, 20)]
    desk.take()
    claimed = desk.claim()
    table.rows.reverse()
    del table.rows[0]
    for each in claimed:
        desk.move(each.id, State.FAILED if each.number.endswith("15") else State.SENT)
    desk.write_back()
    assert {row[Role.PHONE]: row[Role.STATUS] for row in rows[:-1]} == {
        f"6001112{number}": "Fallido" if number == 15 else "Enviado" for number in range(10, 19)
    }
    desk.table().before_apply = lambda: pytest.fail("nothing is lacking any more")
    desk.write_back()


def test_an_older_version_of_the_file_gets_its_states_again(desk):
    table = desk.table()
    rows = [table.add(f"60011122{number}") for number in range(3)]
    desk.take()
    for claimed in desk.claim():
        desk.move(claimed.id, State.SENT)
    desk.write_back()
    older = [dict(row) for row in rows]
    for sent in desk.messages():
        desk.move(sent.id, State.DELIVERED)
    desk.write_back()
    older[2][Role.STATUS] = "called her"
    table.rows[:] = older
    desk.take()
    desk.write_back()
    assert [row[Role.STATUS] for row in table.rows] == ["Entregado", "Entregado", "called her"]


def test_an_older_version_in_which_few_rows_had_their_ids_is_still_that_workbook(desk):
    """Somebody opened the list while it was being taken in, and saved it when all of it had been."""
    table = desk.table()
    rows = [table.add(f"60011122{number}", f"text {number}") for number in range(6)]
    asyncio.run(desk.intake.take(PATH, Terms(), 2))
    older = [dict(row) for row in rows]
    desk.take()
    for claimed in desk.claim():
        desk.move(claimed.id, State.DELIVERED)
    table.rows[:] = older
    taken = desk.take()
    desk.write_back()
    assert [row[Role.STATUS] for row in table.rows] == ["Entregado"] * 2 + ["Retenido"] * 4
    assert [row[Role.ID] for row in older[:2]] == [row[Role.ID] for row in rows[:2]]
    assert taken.accepted == 0
    assert len({each.workbook_id for each in desk.messages()}) == 1


def test_a_reply_lost_through_a_save_of_older_rows_is_written_again(desk):
    """The older rows show the same state, so only the empty cell tells."""
    table = desk.table()
    lost, emptied = table.add("600111222"), table.add("600111333")
    desk.take()
    for claimed in desk.claim():
        desk.move(claimed.id, State.DELIVERED)
    desk.write_back()
    older = dict(lost)
    query = message.update().values(reply="Sí", reply_at=NOW, version=message.c.version + 1)
    desk.ledger.do_now(lambda c: c.execute(query))
    desk.write_back()
    assert (lost[Role.REPLY], emptied[Role.REPLY]) == ("Sí", "Sí")
    table.rows[0] = older
    emptied |= {Role.STATUS: None, Role.REPLY: None}  # by hand: that is the user's will
    desk.take()
    desk.write_back()
    assert [(row[Role.STATUS], row[Role.REPLY]) for row in table.rows] == [("Entregado", "Sí"), (None, None)]
    table.before_apply = lambda: pytest.fail("nothing is lacking any more")
    desk.take()
    desk.write_back()


def test_more_replies_than_a_cell_holds_keep_the_newest(desk):
    row = desk.table().add("600111222")
    desk.take()
    (claimed,) = desk.claim()
    reply = "\n".join(f"{number} " + "x" * 1000 for number in range(60))
    desk.ledger.do_now(conversation.answered, [], to=claimed.id, text=reply, at=NOW, now=NOW)
    desk.write_back()
    assert len(row[Role.REPLY]) < 32767
    assert row[Role.REPLY].startswith("…")
    assert row[Role.REPLY].endswith("59 " + "x" * 1000)
