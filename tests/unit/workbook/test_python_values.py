"""What becomes of Python's values in a cell."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum

import openpyxl
import pytest
import xlsxwriter

from tests.workbooks import members
from xlsms.errors import UserError
from xlsms.workbook import write_cells


class Grade(IntEnum):
    ONE = 1


FORMATS = {"B2": "yyyy-mm-dd", "B3": "h:mm", "B4": "[h]:mm", "B5": "0.00", "B6": "@"}


@pytest.fixture
def path(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "People"
    sheet["A1"] = "Phone"
    for ref, code in FORMATS.items():
        sheet[ref].number_format = code
    sheet["C2"].fill = openpyxl.styles.PatternFill("solid", fgColor="FFEEAA")
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


@pytest.mark.parametrize(
    ("ref", "value", "stands"),
    [
        ("B2", date(2026, 1, 2), datetime(2026, 1, 2)),  # noqa: DTZ001 - wall-clock time, as a cell holds it
        ("A2", date(2026, 1, 2), "2026-01-02"),
        ("B6", date(2026, 1, 2), "2026-01-02"),
        ("B2", date(1850, 1, 2), "1850-01-02"),
        ("B3", time(9, 30), time(9, 30)),
        ("A2", time(9, 30), "09:30"),
        ("A2", time(9, 30, 5), "09:30:05"),
        ("B4", timedelta(hours=26, minutes=30), timedelta(hours=26, minutes=30)),
        ("A2", timedelta(hours=26, minutes=30), "26:30"),
        ("A2", timedelta(seconds=-5), "-0:00:05"),
        ("A2", Decimal("12.50"), 12.5),
        ("B5", Decimal(7), 7),
        ("A2", Decimal(12345678901234567), "12345678901234567"),
        ("A2", Grade.ONE, 1),
        ("C2", datetime(2026, 1, 2, 9, 30), "2026-01-02 09:30"),  # noqa: DTZ001
        ("C2", datetime(2026, 1, 2, 9, 30, 7), "2026-01-02 09:30:07"),  # noqa: DTZ001
        ("B2", datetime(2026, 1, 2, 9, 30, 7), datetime(2026, 1, 2, 9, 30, 7)),  # noqa: DTZ001
    ],
)
def test_a_value_is_what_the_cell_shows_or_text(path, ref, value, stands):
    styles = members(path)["xl/styles.xml"]
    write_cells(path, {("People", ref): value})
    cell = openpyxl.load_workbook(path)["People"][ref]
    assert (cell.value, type(cell.value)) == (stands, type(stands))
    assert cell.number_format == FORMATS.get(ref, "General")
    assert members(path)["xl/styles.xml"] == styles


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "value-not-writable"),
        (b"x", "value-not-writable"),
        (1j, "value-not-writable"),
        (Decimal("NaN"), "cell-not-a-number"),
        (Decimal("1E+999"), "cell-not-a-number"),
    ],
)
def test_a_value_that_no_cell_holds_is_refused_and_nothing_is_written(path, value, code):
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        write_cells(path, {("People", "A2"): "x", ("People", "A3"): value})
    assert caught.value.code == code
    assert str(caught.value.place) == "a.xlsx People!A3"
    assert path.read_bytes() == before


@pytest.mark.parametrize("value", [12.5, datetime(2026, 1, 2, 9, 30)])  # noqa: DTZ001 - as above
def test_numbers_are_written_where_a_cell_without_a_format_shows_a_date(tmp_path, value):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path, {"default_format_properties": {"num_format": "dd.mm.yyyy"}})
    book.add_worksheet("People").write("B2", 46000, book.add_format({"num_format": "dd.mm.yyyy hh:mm"}))
    book.close()
    write_cells(path, {("People", "B2"): value})
    assert openpyxl.load_workbook(path)["People"]["B2"].value == value
