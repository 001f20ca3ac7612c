"""Taking workbooks in, on one that lives in memory."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.sync.table import PowerCutError, cut_power
from xlsms.errors import TransientError
from xlsms.model import Role
from xlsms.states import State


def test_a_marked_row_is_accepted_once_and_its_mark_taken_out(desk):
    row = desk.table().add("600111222")
    assert desk.take().accepted == 1
    assert row[Role.ID]
    assert row[Role.SEND] is None
    assert row[Role.STATUS] == "En cola"
    assert desk.take().accepted == 0
    assert [(each.number, each.text) for each in desk.claim()] == [("+34600111222", "hola")]
    assert desk.claim() == []


def test_rows_without_a_mark_stay_as_they_are(desk):
    row = desk.table().add("600111222", mark="")
    before = dict(row)
    assert desk.take().accepted == 0
    assert row == before


def test_nothing_can_go_before_its_id_is_in_the_workbook(desk):
    table = desk.table()
    table.add("600111222")
    seen = []
    table.before_apply = lambda: seen.append(desk.claim())
    table.after_apply = lambda: seen.append(desk.claim())
    desk.take()
    assert seen == [[], []]
    assert len(desk.claim()) == 1


def test_a_workbook_that_cannot_be_written_sends_nothing_and_is_taken_later(desk):
    table = desk.table()
    row = table.add("600111222")

    def locked():
        raise TransientError("file-open-elsewhere", owner="Ana", application="Excel")

    table.before_apply = locked
    with pytest.raises(TransientError):
        desk.take()
    assert desk.messages() == []
    assert row[Role.ID] is None
    table.before_apply = lambda: None
    assert desk.take().accepted == 1


def test_a_crash_between_the_write_and_the_admission_neither_loses_nor_repeats(desk):
    table = desk.table()
    table.add("600111222")

    table.after_apply = cut_power
    with pytest.raises(PowerCutError):
        desk.take()
    table.after_apply = lambda: None
    assert desk.claim() == []
    desk.take()
    assert len(desk.claim()) == 1
    desk.take()
    assert len(desk.messages()) == 1


def test_a_row_that_changed_under_our_hands_is_left_for_the_next_look(desk):
    table = desk.table()
    row = table.add("600111222")
    table.before_apply = lambda: row.update({Role.MESSAGE: "other"})
    taken = desk.take()
    assert (taken.accepted, taken.changed) == (0, True)
    table.before_apply = lambda: None
    desk.take()
    assert [each.text for each in desk.claim()] == ["other"]


def test_what_cannot_go_says_why_in_the_row_and_goes_when_mended(desk):
    row = desk.table().add("60011")
    taken = desk.take()
    (problem,) = taken.problems
    assert row[Role.STATUS] == "Retenido"
    assert f"[{problem.code}]" in row[Role.DETAIL]
    assert (problem.place.sheet, problem.place.row, problem.place.column) == ("S", 2, "A")
    assert row[Role.ID] is None
    assert row[Role.SEND] == "x"
    row[Role.PHONE] = "600111222"
    assert desk.take().accepted == 1


def test_the_same_text_to_the_same_number_is_held_until_it_is_marked_again(desk):
    table = desk.table()
    table.add("600111222")
    again = table.add("+34 600 111 222")
    taken = desk.take()
    assert (taken.accepted, len(taken.held)) == (1, 1)
    assert again[Role.STATUS] == "Retenido"
    assert len(desk.claim()) == 1
    again[Role.SEND] = "x"
    assert desk.take().accepted == 1
    assert len(desk.claim()) == 1


def test_a_row_that_somebody_else_took_meanwhile_is_not_told_as_a_duplicate(desk):
    table = desk.table()
    row = table.add("600111222")
    desk.table(Path("/books/other.xlsx")).add("600111222")
    desk.take(Path("/books/other.xlsx"))
    table.before_apply = lambda: row.update({Role.SEND: None})
    taken = desk.take()
    assert (taken.accepted, taken.held, taken.changed) == (0, (), True)


def test_a_duplicate_is_seen_in_another_workbook_too_and_forgotten_after_a_day(desk):
    desk.table().add("600111222")
    desk.take()
    other = Path("/books/other.xlsx")
    desk.table(other).add("600111222")
    assert len(desk.take(other).held) == 1
    desk.move(desk.claim()[0].id, State.SENT)
    third = Path("/books/third.xlsx")
    desk.now += timedelta(hours=25)
    desk.table(third).add("600111222")
    assert desk.take(third).accepted == 1


def test_all_rows_without_marks_go_once(desk):
    table = desk.table()
    table.add("600111222", mark="")
    assert desk.take(all_rows=True).accepted == 1
    assert desk.take(all_rows=True).accepted == 0
    table.add("600111223", mark="")
    assert desk.take(all_rows=True).accepted == 1


def test_a_save_during_our_write_is_read_again(desk):
    table = desk.table()
    table.add("600111222")
    desk.take()
    (claimed,) = desk.claim()
    desk.move(claimed.id, State.SENT)
    table.before_apply = lambda: table.add("600111333")
    desk.write_back()
    known = desk.ledger.do_now(lambda c: c.exec_driver_sql("SELECT version FROM workbook").scalar())
    assert known != table.read().version.text


def test_an_older_version_with_an_old_order_is_held_as_a_duplicate(desk):
    row = desk.table().add("600111222")
    desk.take()
    old = dict(row)
    desk.move(desk.claim()[0].id, State.SENT)
    row[Role.SEND] = "x"
    before = dict(row) | {Role.ID: old[Role.ID]}
    desk.take()
    desk.move(desk.claim()[0].id, State.SENT)
    row.clear()
    row.update(before)
    assert desk.take().accepted == 0
    assert desk.claim() == []


def test_a_row_whose_id_cannot_be_written_does_not_go_and_says_so(desk):
    table = desk.table()
    table.formulas = {Role.ID}
    row = table.add("600111222")
    taken = desk.take()
    assert taken.accepted == 0
    assert [problem.code for problem in taken.problems] == ["formula"]
    assert row[Role.STATUS] == "Retenido"
    assert desk.claim() == []


def test_a_failure_after_the_swap_loses_no_row(desk):
    table = desk.table()
    table.add("600111222")

    def late():
        raise TransientError("disk-full")

    table.after_apply = late
    with pytest.raises(TransientError):
        desk.take()
    table.after_apply = lambda: None
    desk.take()
    assert len(desk.claim()) == 1


def test_a_workbook_that_is_open_elsewhere_costs_no_proposals(desk):
    table = desk.table()
    table.add("600111222")

    def locked():
        raise TransientError("file-open-elsewhere", owner="Ana", application="Excel")

    table.before_propose = locked
    with pytest.raises(TransientError):
        desk.take()
    assert desk.messages() == []
