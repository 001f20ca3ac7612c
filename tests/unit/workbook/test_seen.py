"""What nobody sees in a sheet orders nothing, and what is in the way of the eye is told."""

import openpyxl
import pytest
import xlsxwriter
from openpyxl.workbook.protection import WorkbookProtection

from tests.workbooks import members, packed, sheet_xml, workbook
from xlsms.errors import UserError
from xlsms.workbook import read_rows
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.setup import set_up

HEADERS = ("Name", "Phone", "Message", "Send")


def book_with(path, *, top=0, then=lambda _book, _sheet: None):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("List")
        sheet.write_row(top, 0, HEADERS)
        for number in range(1, 4):
            sheet.write_row(top + number, 0, (f"N{number}", f"60000000{number}", "hola", "x"))
        then(book, sheet)
    return path


def merged(area):
    """Cells merged after they were filled, which keeps what lies under the first one."""
    first = area.partition(":")[0]

    def then(_book, sheet):
        sheet.merge_range(area, "")
        column, row = ord(first[0]) - 65, int(first[1:]) - 1
        for number in range(3):
            value = f"60000000{number + 1}" if column == 1 else "x"
            sheet.write_string(row + number, column, value)

    return then


@pytest.mark.parametrize("marked_only", [False, True])
def test_a_mark_under_a_merged_cell_orders_nothing(tmp_path, marked_only):
    path = book_with(tmp_path / "a.xlsx", then=merged("D2:D4"))
    rows = ClosedWorkbook(path).read(marked_only=marked_only).rows
    assert [row.number for row in rows if row.marked] == [2]
    assert len(rows) == (1 if marked_only else 3)


def test_a_number_under_a_merged_cell_is_nobodys(tmp_path):
    path = book_with(tmp_path / "a.xlsx", then=merged("B2:B4"))
    assert [row.phone for row in read_rows(path)] == ["600000001", None, None]


def test_a_full_sheet_with_its_headers_far_down_is_not_called_empty(tmp_path):
    with pytest.raises(UserError, match="no-phone-column"):
        list(read_rows(book_with(tmp_path / "a.xlsx", top=20)))
    with pytest.raises(UserError, match="sheet-empty"):
        list(read_rows(workbook(tmp_path / "b.xlsx", sheet_xml('<row r="30"><c r="A30" s="0"/></row>'))))


def test_two_lists_in_one_sheet_are_told_as_two_lists(tmp_path):
    def then(_book, sheet):
        columns = [{"header": text} for text in HEADERS]
        sheet.add_table("A1:D4", {"columns": columns})
        sheet.add_table("A8:D10", {"columns": columns})

    with pytest.raises(UserError, match="two-lists") as caught:
        list(read_rows(book_with(tmp_path / "a.xlsx", then=then)))
    assert "B1" in str(caught.value)
    assert "B8" in str(caught.value)


def with_chart(at):
    def then(book, sheet):
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "=List!$A$2:$A$4"})
        sheet.insert_chart(at, chart)

    return then


def test_a_chart_over_the_new_columns_is_told(tmp_path):
    done = set_up(book_with(tmp_path / "a.xlsx", then=with_chart("F2")))
    assert done.covered == {"List": "F:J"}
    assert not set_up(book_with(tmp_path / "b.xlsx", then=with_chart("Z2"))).covered
    assert not set_up(book_with(tmp_path / "c.xlsx")).covered


def test_a_drawing_that_nobody_can_read_keeps_no_column_from_being_added(tmp_path):
    path = book_with(tmp_path / "a.xlsx", then=with_chart("F2"))
    path.write_bytes(packed(members(path) | {"xl/drawings/drawing1.xml": b"<wsDr><broken"}))
    done = set_up(path)
    assert done.columns
    assert not done.covered


def test_sheets_that_a_locked_workbook_cannot_take_are_told(tmp_path):
    path = book_with(tmp_path / "a.xlsx")
    assert set_up(path, own_sheets=True).sheets

    locked = openpyxl.load_workbook(book_with(tmp_path / "b.xlsx"))
    locked.security = WorkbookProtection(lockStructure=True)
    locked.save(tmp_path / "b.xlsx")
    done = set_up(tmp_path / "b.xlsx", own_sheets=True)
    assert not done.sheets
    assert done.left_out == ("SMS Replies", "SMS Report", "SMS Settings", "SMS Rules")
