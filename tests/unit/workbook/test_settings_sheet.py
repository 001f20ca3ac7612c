"""The sheet of settings: what it sets holds for its sheets, and a line that cannot be is told with its cell."""

import openpyxl
import pytest
import xlsxwriter
import xlwt

from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.workbook import write_cells
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.foreign import ForeignWorkbook
from xlsms.workbook.setting import setting_names
from xlsms.workbook.setup import set_up

SETTINGS = "SMS Settings"


def workbook(path, **sheets):
    book = xlsxwriter.Workbook(path)
    for name, headers in sheets.items():
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, headers)
        sheet.write_row(1, 0, [f"{text} 2" for text in headers])
    book.close()
    set_up(path, own_sheets=True)
    return path


def told(path, *lines):
    """Write lines of setting, value and sheet below those that are there."""
    cells = {}
    for row, line in enumerate(lines, 40):
        cells |= {(SETTINGS, f"{letters}{row}"): value for letters, value in zip("ABC", line, strict=False)}
    write_cells(path, cells)
    return ClosedWorkbook(path)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_line_that_init_writes_can_be_filled_in(tmp_path, language):
    heads = {"en": ("Phone", "Message", "Name"), "es": ("Teléfono", "Mensaje", "Nombre")}[language]
    path = workbook(tmp_path / "a.xlsx", A=heads)
    sheet = openpyxl.load_workbook(path)[SETTINGS]
    names = list(setting_names(language).values())
    assert [row[0] for row in sheet.iter_rows(5, 4 + len(names), values_only=True)] == names
    write_cells(path, {(SETTINGS, "B5"): "Hi {Name}", (SETTINGS, "B6"): "GB", (SETTINGS, "B7"): "Clinic"})
    (found,) = ClosedWorkbook(path).read().sheets
    assert (found.settings.message, found.settings.country, found.settings.sender) == ("Hi {Name}", "GB", "Clinic")


def test_an_untouched_sheet_sets_nothing(tmp_path):
    (found,) = ClosedWorkbook(workbook(tmp_path / "a.xlsx", A=("Phone", "Message"))).read().sheets
    assert (found.settings.message, found.settings.country, found.settings.sender) == (None, None, None)


def test_a_sheet_s_own_settings_go_before_those_for_all(tmp_path):
    path = workbook(tmp_path / "a.xlsx", A=("Phone", "Message"), B=("Phone", "Message"))
    book = told(path, ("message", "For all"), ("Message", "For B", "b"), ("COUNTRY", "mx", "B"))
    a, b = (sheet.settings for sheet in book.read().sheets)
    assert (a.message, a.country) == ("For all", None)
    assert (b.message, b.country) == ("For B", "mx")


def test_any_header_can_be_for_a_role(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("A").write_row(0, 0, ("Contact", "Phone", "Go", "Message"))
    book.get_worksheet_by_name("A").write_row(1, 0, ("600000001", "a landline", "x", "Hi"))
    book.close()
    set_up(path, own_sheets=True)
    assert ClosedWorkbook(path).read().rows[0].phone == "a landline"
    snapshot = told(path, ("Column for Phone", "contact"), ("Column for Send", "Go")).read()
    (row,) = snapshot.rows
    assert (row.phone, row.marked) == ("600000001", True)
    assert snapshot.sheets[0].columns[Role.PHONE] == "A"
    assert "B" not in snapshot.sheets[0].columns.values(), (
        "its header would be for the phone, had nobody said otherwise"
    )
    applied = ClosedWorkbook(path).apply([RowEdit(values={Role.SEND: None}, placed=Placed.of(row))])
    assert (len(applied.done), applied.refused) == (1, ())
    assert openpyxl.load_workbook(path)["A"]["C2"].value is None


def test_a_column_can_be_named_in_a_workbook_that_xlsms_would_not_know(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("A").write_row(0, 0, ("Contacto", "Nota"))
    sheet = book.add_worksheet(SETTINGS)
    sheet.write_row(0, 0, ("Ajuste", "Valor"))
    sheet.write_row(1, 0, ("Columna para Teléfono", "Contacto"))
    book.close()
    assert ClosedWorkbook(path).read().sheets[0].columns == {Role.PHONE: "A"}


def test_values_are_texts_and_never_calculated(tmp_path):
    path = workbook(tmp_path / "a.xlsx", A=("Phone", "Message"))
    book = told(path, ("Message", "=1+1"), ("Sender", 34600000001))
    (sheet,) = book.read().sheets
    assert (sheet.settings.message, sheet.settings.sender) == ("=1+1", "34600000001")


@pytest.mark.parametrize(
    ("lines", "code", "cell"),
    [
        ([("Mesage", "Hi")], "setting-unknown", "A40"),
        ([("Message", "Hi", "Nowhere")], "setting-sheet-unknown", "C40"),
        ([("Column for Phone", "Fone")], "setting-column-unknown", "B40"),
        ([("Column for Phone", "Phone", "SMS Report")], "setting-column-unknown", "B40"),
        ([("Message", "Hi"), ("Mensaje", "Hola")], "setting-twice", "B41"),
        ([("Column for Phone", "Message"), ("Column for Sender", "Message")], "setting-twice", "B41"),
        ([("Country", "Spain")], "number-country-unknown", "B40"),
        ([("Sender", "much too long a name")], "sender-unusable", "B40"),
        ([("Message", "Hi {Name")], "template-broken", "B40"),
    ],
)
def test_a_line_that_cannot_be_is_told_with_its_cell(tmp_path, lines, code, cell):
    path = workbook(tmp_path / "a.xlsx", A=("Phone", "Message"))
    book = told(path, *lines)
    with pytest.raises(UserError) as caught:
        book.read()
    error = caught.value
    assert error.code == code
    assert (error.place.sheet, f"{error.place.column}{error.place.row}") == (SETTINGS, cell)
    assert error.remedy


def test_settings_without_their_headers_are_told(tmp_path):
    path = workbook(tmp_path / "a.xlsx", A=("Phone", "Message"))
    write_cells(path, {("A", "A3"): "600000002"})
    book = openpyxl.load_workbook(path)
    book[SETTINGS].delete_rows(4)
    book[SETTINGS].tables.clear()
    book.save(path)
    with pytest.raises(UserError, match="settings-unreadable"):
        ClosedWorkbook(path).read()


def old_format(path, value):
    book = xlwt.Workbook()
    for name, rows in (
        ("List", [("Phone", "Message", "Send"), ("600111222", "hola", "x")]),
        (SETTINGS, [("Setting", "Value", "Sheet"), ("Country", value, ""), ("Sender", "", "")]),
    ):
        page = book.add_sheet(name)
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                page.write(number, column, text)
    book.save(str(path))
    return ForeignWorkbook(path)


def test_settings_in_a_file_that_is_only_read_are_refused_and_not_passed_over(tmp_path):
    with pytest.raises(UserError, match="settings-elsewhere") as caught:
        old_format(tmp_path / "list.xls", "FR").read()
    assert "list.sms.xlsx" in str(caught.value)
    assert not (tmp_path / "list.sms.xlsx").exists()


def test_settings_of_such_a_file_hold_in_its_results(tmp_path):
    foreign = old_format(tmp_path / "list.xls", "")
    results = foreign.prepare()
    set_up(results, own_sheets=True)
    sheet = openpyxl.load_workbook(results)[SETTINGS]
    row = next(cell.row for (cell,) in sheet["A2:A20"] if cell.value == "Country")
    write_cells(results, {(SETTINGS, f"B{row}"): "FR"})
    assert [sheet.settings.country for sheet in foreign.read().sheets] == ["FR"]
