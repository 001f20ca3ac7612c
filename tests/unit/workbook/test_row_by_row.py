"""A workbook read row by row: as it was when the reading began, with the ids in a pass of their own."""

import tracemalloc

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.workbook import read_rows
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.identity import check, number_of, of_number
from xlsms.workbook.opening import FileWorkbook
from xlsms.workbook.rowids import RowIds


def made(path, ids):
    book = openpyxl.Workbook()
    book.active.append(("Phone", "Message", "Send", "Status", "SMS ID"))
    for number, row_id in enumerate(ids):
        book.active.append((600111000 + number, f"text {number}", "x", None, row_id))
    book.save(path)
    return path


def test_it_reads_what_a_whole_reading_reads_while_the_file_is_written(tmp_path):
    path = made(tmp_path / "list.xlsx", [of_number(n) if n % 3 else None for n in range(20)])
    whole = ClosedWorkbook(path).read()
    with ClosedWorkbook(path).reading() as reading:
        assert reading.snapshot.version == whole.version
        assert reading.snapshot.rows == ()
        rows = reading.rows()
        first = next(rows)
        edit = RowEdit(placed=Placed.of(first), values={Role.STATUS: "Queued", Role.SEND: None})
        assert ClosedWorkbook(path).apply([edit]).done == (edit,)
        rest = list(rows)
        assert [Placed.of(row) for row in (first, *rest)] == [Placed.of(row) for row in whole.rows]
        assert [check(text) for text in reading.ids() if check(text)] == [row.id for row in whole.rows if row.id]


def test_of_a_text_file_no_rows_are_held(tmp_path):
    path = tmp_path / "list.csv"
    lines = (f"60011{number:04},text of a row {number},x,{of_number(number)}" for number in range(3000))
    path.write_text("Phone,Message,Send,SMS ID\n" + "\n".join(lines))

    def peak(read):
        tracemalloc.start()
        try:
            count = sum(1 for _ in read())
            return count, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    whole, held = peak(lambda: FileWorkbook(path).read().rows)
    for read in (lambda: read_rows(path), lambda: row_by_row(path)):
        count, most = peak(read)
        assert count == whole == 3000
        assert most < held / 3


def row_by_row(path):
    with FileWorkbook(path).reading() as reading:
        assert sum(1 for _ in reading.ids()) == 3000
        yield from reading.rows()


def test_what_is_wrong_with_a_text_file_is_told_before_any_of_its_rows_is_given(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text('Phone,Message\n600111222,hola\n600111223,"never ends\n')
    with pytest.raises(UserError, match="text-quote-open"):
        next(read_rows(path))
    with pytest.raises(UserError, match="text-quote-open"):
        FileWorkbook(path).check()


def test_text_files_are_read_row_by_row_too(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("Phone,Message,Send\n600111222,hola,x\n")
    with FileWorkbook(FileWorkbook(path).prepare()).reading() as reading:
        assert [(row.phone, row.marked) for row in reading.rows()] == [("600111222", True)]


@given(st.lists(st.integers(0, 40).map(of_number) | st.sampled_from(["", "BCD", "x" * 13])))
def test_ids_are_held_each_once(texts):
    ids = RowIds(texts)
    valid = [text for text in texts if check(text)]
    assert set(ids) == set(valid)
    assert [text in ids for text in texts] == [text in valid for text in texts]
    assert len(ids) == len(set(valid))
    assert list(ids[: len(ids)]) == list(ids)
    assert ids.repeated == {text for text in valid if valid.count(text) > 1}


@given(st.integers(0, 19**12 - 1))
def test_an_id_stands_for_its_number(number):
    assert number_of(of_number(number)) == number
    assert check(f" {of_number(number).lower()} ") == of_number(number)
