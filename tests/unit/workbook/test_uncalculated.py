"""A formula that nobody has calculated is not taken for what its cell shows."""

import re

import xlsxwriter

from tests.workbooks import members, packed
from xlsms.workbook import read_rows
from xlsms.workbook.setup import set_up

HEADERS = ("Phone", "Message", "Send", "Amount")


def exported(path, *, message='="Hi "&A2', amount="=A2*0", value=0):
    """As programs export that cannot calculate: every formula with one value, to be calculated when it is opened."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, HEADERS)
        sheet.write_row(1, 0, (34600000001, "", "x"))
        sheet.write_formula("B2", message, None, value)
        sheet.write_formula("D2", amount, None, 0)
    return path


def problems(path):
    (row,) = read_rows(path)
    return row.problems


def as_calculated(path):
    """The same without the wish to be calculated, as Excel saves it."""
    content = members(path)
    main = content["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b"")
    assert main != content["xl/workbook.xml"]
    path.write_bytes(packed(content | {"xl/workbook.xml": main}))
    return path


def test_a_message_that_was_never_calculated_is_no_message(tmp_path):
    path = exported(tmp_path / "a.xlsx")
    assert problems(path) == {"Message": "formula-not-calculated", "Amount": "formula-not-calculated"}


def test_a_message_is_never_0_whatever_the_workbook_says(tmp_path):
    path = as_calculated(exported(tmp_path / "a.xlsx"))
    assert problems(path) == {"Message": "formula-not-calculated"}


def test_an_amount_may_be_0_once_it_was_calculated(tmp_path):
    path = as_calculated(exported(tmp_path / "a.xlsx", value="Hi 34600000001"))
    assert problems(path) == {}


def test_our_report_does_not_make_a_calculated_amount_doubtful(tmp_path):
    path = as_calculated(exported(tmp_path / "a.xlsx", value="Hi 34600000001"))
    set_up(path, own_sheets=True)
    assert b'fullCalcOnLoad="1"' in members(path)["xl/workbook.xml"]
    assert problems(path) == {}


def test_a_zero_that_was_typed_is_no_formula(tmp_path):
    path = exported(tmp_path / "a.xlsx")
    content = members(path)
    sheet = re.sub(rb"<f>[^<]*</f>", b"", content["xl/worksheets/sheet1.xml"])
    path.write_bytes(packed(content | {"xl/worksheets/sheet1.xml": sheet}))
    assert problems(path) == {}
