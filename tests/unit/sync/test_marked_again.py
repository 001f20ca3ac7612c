"""A row that is marked again, and what becomes of the order before."""

import pytest

from tests.unit.sync.table import PowerCutError, cut_power
from xlsms.model import Role
from xlsms.states import State


def test_a_row_marked_again_is_a_new_order_and_shows_the_new_state(desk):
    row = desk.table().add("600111222")
    desk.take()
    (first,) = desk.claim()
    desk.move(first.id, State.SENT)
    desk.move(first.id, State.DELIVERED)
    desk.write_back()
    assert row[Role.STATUS] == "Entregado"
    row[Role.SEND] = "x"
    assert desk.take().accepted == 1
    assert row[Role.STATUS] == "En cola"
    (second,) = desk.claim()
    assert second.id != first.id
    desk.move(second.id, State.FAILED)
    desk.write_back()
    assert row[Role.STATUS] == "Fallido"


def test_text_edited_after_sending_is_not_sent_unless_marked_again(desk):
    row = desk.table().add("600111222")
    desk.take()
    desk.claim()
    row[Role.MESSAGE] = "edited"
    assert desk.take().accepted == 0
    assert desk.claim() == []


def test_a_row_marked_again_while_it_waits_takes_the_first_order_back(desk):
    row = desk.table().add("600111222", "first")
    desk.take()
    row.update({Role.SEND: "x", Role.MESSAGE: "second"})
    desk.take()
    assert [each.text for each in desk.claim()] == ["second"]


def test_a_row_marked_again_while_it_is_being_sent_is_taken_when_that_has_ended(desk):
    row = desk.table().add("600111222")
    desk.take()
    (first,) = desk.claim()
    row[Role.SEND] = "x"
    desk.table().saves += 1
    taken = desk.take()
    assert taken.accepted == 0
    assert taken.book.version is None or taken.book.version != desk.table().read().version.text
    desk.move(first.id, State.SENT)
    assert desk.take().accepted == 1


def test_a_mark_made_by_a_formula_orders_once(desk):
    table = desk.table()
    table.formulas = {Role.SEND}
    row = table.add("600111222")
    desk.take()
    assert row[Role.SEND] == "x"
    assert len(desk.claim()) == 1
    desk.move(desk.messages()[0].id, State.SENT)
    assert desk.take().accepted == 0
    row[Role.SEND] = ""
    desk.take()
    row[Role.SEND] = "x"
    assert desk.take().accepted == 1


def test_a_crash_while_a_row_marked_again_is_taken_sends_neither_twice_nor_what_was_taken_back(desk):
    table = desk.table()
    row = table.add("600111222")
    desk.take()
    (first,) = desk.claim()
    desk.move(first.id, State.SENT)
    row.update({Role.SEND: "x", Role.MESSAGE: "again"})

    table.before_apply = cut_power
    with pytest.raises(PowerCutError):
        desk.take()
    table.before_apply = lambda: None
    row[Role.SEND] = None
    desk.take()
    assert desk.claim() == []
    row.update({Role.SEND: "x", Role.MESSAGE: "third"})
    desk.take()
    assert [each.text for each in desk.claim()] == ["third"]
    desk.take()
    assert desk.claim() == []


def test_a_crash_after_a_formula_marked_row_was_written_sends_it_once(desk):
    table = desk.table()
    table.formulas = {Role.SEND}
    table.add("600111222")

    table.after_apply = cut_power
    with pytest.raises(PowerCutError):
        desk.take()
    table.after_apply = lambda: None
    for _ in range(3):
        desk.take()
    assert len(desk.claim()) == 1
    desk.take()
    assert desk.claim() == []


def test_a_late_receipt_for_the_first_order_does_not_overwrite_the_state_of_the_second(desk):
    row = desk.table().add("600111222")
    desk.take()
    (first,) = desk.claim()
    desk.move(first.id, State.SENT)
    row[Role.SEND] = "x"
    desk.take()
    (second,) = desk.claim()
    desk.move(second.id, State.FAILED)
    desk.move(first.id, State.DELIVERED)
    desk.write_back()
    assert row[Role.STATUS] == "Fallido"
