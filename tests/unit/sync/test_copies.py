"""Copied rows and copied workbooks: whose the ids are."""

import asyncio
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from tests.unit.sync.table import NOW, PATH, Desk, Table
from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.states import State
from xlsms_service.planning import Terms
from xlsms_service.sync.intake import Intake
from xlsms_service.sync.thread import WorkbookThread


def test_a_copied_row_loses_the_id_and_is_sent_only_when_marked_again(desk):
    table = desk.table()
    row = table.add("600111222")
    desk.take()
    copy = dict(row) | {Role.PHONE: "600999888", Role.SEND: "x"}
    table.rows.insert(0, copy)
    taken = desk.take()
    assert taken.accepted == 0
    assert copy[Role.ID] is None
    assert copy[Role.SEND] is None
    assert "[row-copied]" in copy[Role.DETAIL]
    assert row[Role.ID] is not None
    copy[Role.SEND] = "x"
    assert desk.take().accepted == 1
    assert {each.number for each in desk.claim()} == {"+34600111222", "+34600999888"}


@pytest.mark.parametrize("ahead", [False, True])
def test_whose_an_id_is_is_decided_when_all_rows_with_it_have_been_seen(tmp_path, ahead):
    """The copy comes first, in another piece of the list than the row that the id was given to."""
    desk = Desk(tmp_path, pieces=(2,), ahead=ahead)
    with closing(desk):
        table = desk.table()
        rows = [table.add(f"60011122{nth}", f"text {nth}") for nth in range(3)]
        assert desk.take().accepted == 3
        copy = dict(rows[-1]) | {Role.PHONE: "600999888", Role.SEND: "x"}
        table.rows.insert(0, copy)
        assert desk.take().accepted == 0
        assert "[row-copied]" in copy[Role.DETAIL]
        assert [row[Role.ID] is not None for row in (copy, *rows)] == [False, True, True, True]


def test_a_row_pasted_from_another_workbook_leaves_the_original_its_id(desk, tmp_path):
    path, other = tmp_path / "list.xlsx", tmp_path / "other.xlsx"
    path.touch()
    row = desk.table(path).add("600111222")
    desk.take(path)
    desk.table(other).add("600333444", mark="")
    desk.take(other)
    pasted = dict(row) | {Role.SEND: "x"}
    desk.table(other).rows.append(pasted)
    assert desk.take(other).accepted == 0
    assert pasted[Role.ID] is None
    assert "[row-copied]" in pasted[Role.DETAIL]
    (claimed,) = desk.claim()
    desk.move(claimed.id, State.SENT)
    desk.write_back()
    assert row[Role.STATUS] == "Enviado"


def test_an_unmarked_copy_does_not_keep_the_state_of_another_person(desk):
    table = desk.table()
    row = table.add("600111222")
    desk.take()
    copy = dict(row) | {Role.PHONE: "600999888"}
    table.rows.append(copy)
    desk.take()
    assert copy[Role.ID] is None
    assert copy[Role.STATUS] is None
    assert row[Role.STATUS] == "En cola"


def test_an_id_that_the_ledger_does_not_know_is_never_sent(desk):
    for row_id in ("BCDFGHJKMNPQB", "x1"):
        row = desk.table().add("600111222", **{Role.ID: row_id})
        assert "[id-unknown]" not in str(row.get(Role.DETAIL))
        assert desk.take().accepted == 0
        assert "[id-unknown]" in row[Role.DETAIL]
    assert desk.claim() == []


def test_a_file_without_guid_that_moved_is_known_by_its_rows(desk, monkeypatch):
    table = desk.table()
    row = table.add("600111222")
    desk.take()
    (claimed,) = desk.claim()
    moved = Path("/elsewhere/list.xlsx")
    desk.tables[moved] = table
    table.path = moved
    desk.take(moved)
    desk.move(claimed.id, State.SENT)
    del desk.tables[PATH]
    desk.write_back()
    assert row[Role.STATUS] == "Enviado"


def test_a_copy_of_a_workbook_that_is_still_there_is_refused(desk, tmp_path):
    original = tmp_path / "list.xlsx"
    original.touch()
    desk.tables[original] = Table(original)
    desk.tables[original].add("600111222")
    desk.take(original)
    copy = tmp_path / "copy.xlsx"
    desk.tables[copy] = Table(copy)
    desk.tables[copy].rows = [dict(row) | {Role.SEND: "x"} for row in desk.tables[original].rows]
    with pytest.raises(UserError) as caught:
        desk.take(copy)
    assert caught.value.code == "workbook-copied"


@pytest.fixture
def versions(desk, tmp_path):
    """A workbook, and what a cloud folder called the other version of it."""
    paths = [tmp_path / name for name in ("list.xlsx", "list-PC7.xlsx")]
    for path in paths:
        path.touch()
    return [desk.table(path) for path in paths]


def test_nothing_is_sent_from_a_conflict_copy_even_when_it_is_seen_first(desk, versions):
    original, copy = versions
    for table in versions:
        table.add("600111222")
        table.add("600111333")
    copy.add("600111444")
    with pytest.raises(UserError, match="conflict-copy") as caught:
        desk.take(copy.path)
    assert "list.xlsx" in caught.value.line()
    assert desk.messages() == []
    assert desk.take(original.path).accepted == 2
    with pytest.raises(UserError, match="conflict-copy"):
        desk.take(copy.path)
    assert len(desk.messages()) == 2


def test_another_list_with_such_a_name_is_sent(desk, versions):
    original, other = versions
    original.add("600111222")
    other.add("600111333")
    assert desk.take(original.path).accepted == 1
    assert desk.take(other.path).accepted == 1


def test_a_conflict_copy_whose_rows_were_all_changed_is_known_by_its_guid(desk, versions):
    original, copy = versions
    original.guid = copy.guid = "5f0c"
    original.add("600111222")
    copy.add("600111333")
    with pytest.raises(UserError, match="conflict-copy"):
        desk.take(copy.path)
    copy.guid = "another"
    assert desk.take(copy.path).accepted == 1


def test_a_copy_in_a_folder_where_all_rows_go_is_not_sent_by_itself(desk):
    table = desk.table()
    row = table.add("600111222", mark="")
    desk.take(all_rows=True)
    table.rows.append(dict(row) | {Role.PHONE: "600999888"})
    desk.take(all_rows=True)
    desk.now += timedelta(hours=36)
    assert desk.take(all_rows=True).accepted == 0
    table.rows[-1][Role.SEND] = "x"
    desk.move(desk.claim()[0].id, State.SENT)
    assert desk.take(all_rows=True).accepted == 1


def test_two_copies_taken_in_at_once_send_once(desk):
    paths = [Path("/books/one.xlsx"), Path("/books/two.xlsx")]
    for path in paths:
        desk.table(path).add("600111222")

    async def both():
        other = Intake(
            desk.ledger, WorkbookThread(), desk.tables.__getitem__, route=lambda *_: "", now=lambda: NOW, rng=Random(2)
        )
        await asyncio.gather(desk.intake.take(paths[0], Terms()), other.take(paths[1], Terms()))
        other._thread.close()

    asyncio.run(both())
    assert len(desk.claim()) == 1
    desk.write_back()
    shown = sorted(desk.table(path).rows[0][Role.STATUS] for path in paths)
    assert shown in (["En cola", "Retenido"], ["Enviando", "Retenido"])


def test_a_workbook_renamed_before_another_takes_its_name_keeps_its_states(desk, tmp_path):
    old, moved = tmp_path / "list.xlsx", tmp_path / "old.xlsx"
    old.touch()
    row = desk.table(old).add("600111222")
    desk.take(old)
    (claimed,) = desk.claim()
    desk.tables[moved] = desk.tables.pop(old)
    moved.touch()
    desk.table(old).add("600333444")
    desk.take(old)
    desk.move(claimed.id, State.SENT)
    desk.write_back()
    desk.take(moved)
    desk.write_back()
    assert row[Role.STATUS] == "Enviado"
