"""What cannot be used, each with its reason in one line, its place, and the file untouched."""

import os
import sys
import zipfile

import openpyxl
import pytest

from tests.workbooks import (
    MAIN,
    RELATIONS,
    WORKBOOK_TYPE,
    packed,
    parts,
    people,
    relations,
    sheet_xml,
    text_cell,
    workbook,
)
from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms.wording import LANGUAGES
from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.setup import set_up

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def typed(content_type):
    made = parts(people())
    return packed(made | {"[Content_Types].xml": made["[Content_Types].xml"].replace(WORKBOOK_TYPE, content_type)})


FILES = {
    "not-a-workbook": b"hello",
    "file-incomplete": b"",
    "file-incomplete ": bytes(3000),
    "file-incomplete  ": packed(parts(people()))[:-60],
    "file-incomplete   ": packed(parts(people()))[:-60] + bytes(60),
    "file-incomplete    ": packed(parts(people()))[:40],
    "not-a-workbook  ": packed({"word/document.xml": "<x/>"}),
    "not-a-workbook   ": OLE,
    "file-encrypted": OLE + "EncryptedPackage".encode("utf-16-le") + bytes(100),
    "old-excel-format": OLE + "Workbook".encode("utf-16-le") + bytes(100),
    "file-damaged": packed(parts(people()))[:-40] + packed(parts(people()))[-22:],
    "file-is-template": typed("application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml"),
    "file-is-template ": typed("application/vnd.ms-excel.addin.macroEnabled.main+xml"),
    "format-not-supported": packed(
        parts(people())
        | {
            "[Content_Types].xml": parts(people())["[Content_Types].xml"].replace(
                WORKBOOK_TYPE, "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
            ),
            "xl/workbook.bin": "no records",
            "xl/worksheets/sheet1.xml": "no sheet",
        }
    ),
    "format-not-supported ": packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}),
}


@pytest.mark.parametrize("code", FILES)
def test_files_that_are_no_workbooks(tmp_path, code):
    path = tmp_path / "a.xlsx"
    path.write_bytes(FILES[code])
    # Some kinds are only read, by other means, and nothing can be read in these; they are never written.
    foreign = ("file-encrypted", "old-excel-format", "format-not-supported")
    read_as = "file-damaged" if code.strip() in foreign else code.strip()
    for use, expected in (
        (lambda: list(read_rows(path)), read_as),
        (lambda: write_cells(path, {("People", "E2"): "x"}), code.strip()),
    ):
        with pytest.raises(UserError) as caught:
            use()
        error = caught.value
        assert error.code == expected
        for language in LANGUAGES:
            assert error.line(language).startswith("a.xlsx: ")
            assert "\n" not in error.line(language)
            assert error.advice(language)
            assert "…" not in error.line(language), "every fact is told"
    assert path.read_bytes() == FILES[code]


def test_text_files_and_folders(tmp_path):
    (tmp_path / "a.csv").write_text("Phone\n1\n")
    assert [row.phone for row in read_rows(tmp_path / "a.csv")] == ["1"]
    with pytest.raises(UserError, match=r"format-not-supported"):
        write_cells(tmp_path / "a.csv", {("a", "A2"): 2})
    with pytest.raises(UserError, match="file-is-folder"):
        list(read_rows(tmp_path))
    with pytest.raises(UserError, match="file-is-folder"):
        write_cells(tmp_path, {("People", "A1"): 1})
    with pytest.raises(UserError, match="file-not-found"):
        list(read_rows(tmp_path / "nothing.xlsx"))
    with pytest.raises(UserError, match="file-not-found"):
        write_cells(tmp_path / "nothing.xlsx", {("People", "A1"): 1})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without such files")
@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "a.xls"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    for use in (lambda path: list(read_rows(path)), lambda path: write_cells(path, {("People", "A1"): 1}), set_up):
        with pytest.raises(UserError, match="not-a-workbook"):
            use(tmp_path / name)


def test_names_that_lead_nowhere_are_told_with_the_reason_of_the_system(tmp_path):
    (tmp_path / "a.xlsx").symlink_to("b.xlsx")
    (tmp_path / "b.xlsx").symlink_to("a.xlsx")
    for name in ("a.xlsx", "long" * 100 + ".xlsx"):
        for use in (lambda path: list(read_rows(path)), lambda path: write_cells(path, {("People", "A1"): 1}), set_up):
            with pytest.raises(UserError, match=r"file-broken|file-not-found"):
                use(tmp_path / name)
    assert (tmp_path / "a.xlsx").is_symlink()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_cannot_be_noted_is_refused(tmp_path):
    path = tmp_path / os.fsdecode(b"a\xff.xlsx")
    path.write_bytes(packed(parts(people())))
    for use in (lambda path: list(read_rows(path)), lambda path: write_cells(path, {("People", "A1"): 1}), set_up):
        with pytest.raises(UserError, match="file-name-unreadable"):
            use(path)


def headers(*texts):
    return sheet_xml(
        '<row r="3">' + "".join(text_cell(f"{chr(65 + i)}3", text) for i, text in enumerate(texts)) + "</row>"
    )


SHEETS = {
    "no-phone-column": (headers("Name", "Message"), "a.xlsx People"),
    "sheet-empty": (sheet_xml(""), "a.xlsx People"),
    "sheet-empty ": (sheet_xml('<row r="1"/><row r="2"><c r="A2" s="0"/></row>'), "a.xlsx People"),
    "two-columns": (headers("Phone", "Name", "TELÉFONO"), "a.xlsx People!C3"),
    "two-columns ": (headers("Phone", "Status", "Estado"), "a.xlsx People!C3"),
}


@pytest.mark.parametrize("code", SHEETS)
def test_sheets_that_cannot_be_sent_from(tmp_path, code):
    xml, place = SHEETS[code]
    path = workbook(tmp_path / "a.xlsx", xml)
    with pytest.raises(UserError) as caught:
        list(read_rows(path))
    assert caught.value.code == code.strip()
    assert str(caught.value.place) == place
    assert "…" not in caught.value.line()


def test_two_columns_names_both_cells(tmp_path):
    path = workbook(tmp_path / "a.xlsx", headers("Phone", "Name", "Móvil"))
    with pytest.raises(UserError) as caught:
        list(read_rows(path))
    assert "A3 (Phone) and C3 (Móvil)" in caught.value.message()


def test_a_signed_workbook_is_read_and_not_written(tmp_path):
    made = parts(people()) | {"_xmlsignatures/sig1.xml": "<Signature/>"}
    path = tmp_path / "a.xlsx"
    path.write_bytes(packed(made))
    before = path.read_bytes()
    assert len(list(read_rows(path))) == 3
    with pytest.raises(UserError, match="file-signed"):
        write_cells(path, {("People", "E2"): "x"})
    assert path.read_bytes() == before


def test_read_only_recommended_is_respected(tmp_path):
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><fileSharing readOnlyRecommended="1"/><sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>'
    path = workbook(tmp_path / "a.xlsx", people(), **{"xl__workbook.xml": book})
    with pytest.raises(UserError, match="file-read-only-recommended"):
        write_cells(path, {("People", "E2"): "x"})


def test_a_read_only_file_and_a_locked_file(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people())
    path.chmod(0o444)
    with pytest.raises(UserError, match="file-read-only"):
        write_cells(path, {("People", "E2"): "x"})
    path.chmod(0o644)
    (tmp_path / "~$a.xlsx").write_bytes(b"\3Ana")
    with pytest.raises(TransientError) as caught:
        write_cells(path, {("People", "E2"): "x"})
    assert caught.value.message() == "the file is open in Excel (Ana)"
    assert len(list(read_rows(path))) == 3, "reading is always possible"


def test_cells_and_sheets_that_are_not_there(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people())
    for cell, code in (
        (("Nobody", "A1"), "sheet-not-found"),
        (("People", "A0"), "cell-not-a-reference"),
        (("People", "ZZZ1"), "cell-not-a-reference"),
        (("People", "A1048577"), "cell-not-a-reference"),
        ((7, "A1"), "sheet-not-found"),
        (("People", 7), "cell-not-a-reference"),
        (("People", None), "cell-not-a-reference"),
    ):
        with pytest.raises(UserError) as caught:
            write_cells(path, {cell: "x"})
        assert caught.value.code == code
        assert "…" not in caught.value.line()


def test_tables_chart_tabs_and_sheets_of_ours(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "People"
    for row in ([], [], ["x", "Phone", "Send"], ["y", 1, "x"], ["z", 2, None], ["total", None, None], ["", 99, "x"]):
        sheet.append(row)
    table = openpyxl.worksheet.table.Table(displayName="T", ref="B3:C6", totalsRowCount=1)
    sheet.add_table(table)
    replies = book.create_sheet("SMS Replies")
    replies.append(["Phone", "Reply"])
    replies.append([5, "hello"])
    hidden = book.create_sheet("Hidden")
    hidden.append(["Phone"])
    hidden.append([7])
    hidden.sheet_state = "hidden"
    book.create_chartsheet("Chart")
    path = tmp_path / "a.xlsx"
    book.save(path)
    rows = list(read_rows(path))
    assert [(row.sheet, row.number, row.phone, row.hidden) for row in rows] == [
        ("People", 4, 1, False),
        ("People", 5, 2, False),
        ("Hidden", 2, 7, True),
    ]
    before = path.read_bytes()
    for ref in ("B3", "C6"):
        with pytest.raises(UserError, match="cell-of-table"):
            write_cells(path, {("People", ref): "x"})
    assert path.read_bytes() == before
    write_cells(path, {("people", "C5"): "x"})
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None


def test_two_equal_headers_leave_their_field_unknown(tmp_path):
    xml = sheet_xml(
        '<row r="1">' + text_cell("A1", "Phone") + text_cell("B1", "Town") + text_cell("C1", "Town") + "</row>"
        '<row r="2"><c r="A2"><v>1</v></c>' + text_cell("B2", "one") + text_cell("C2", "two") + "</row>",
    )
    (row,) = read_rows(workbook(tmp_path / "a.xlsx", xml))
    assert "Town" not in row.fields
    assert row.problems == {"Town": "columns-same-name"}


def test_hidden_and_empty_rows(tmp_path):
    xml = sheet_xml(
        f'<row r="1">{text_cell("A1", "Phone")}{text_cell("B1", "Name")}</row><row r="2" hidden="1"><c r="A2"><v>1</v></c></row>'
        '<row r="3"><c r="A3" s="1"/></row><row r="4"><c r="H4"><v>9</v></c></row>'
        f'<row r="5">{text_cell("B5", "no phone")}</row>'
    )
    rows = list(read_rows(workbook(tmp_path / "a.xlsx", xml)))
    assert [(row.number, row.phone, row.hidden) for row in rows] == [(2, 1, True), (5, None, False)]


def test_a_tab_without_a_relation_is_skipped(tmp_path):
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="Gone" sheetId="2" r:id=""/><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>'
    path = workbook(tmp_path / "a.xlsx", people(), **{"xl__workbook.xml": book})
    assert len(list(read_rows(path))) == 3


def test_a_part_that_is_not_there(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        people(),
        **{"xl___rels__workbook.xml.rels": relations(("rId1", "worksheet", "worksheets/sheet9.xml"))},
    )
    with pytest.raises(XlsmsError, match="file-damaged"):
        list(read_rows(path))


def test_what_is_found_among_the_rows_names_the_file(tmp_path):
    row = '<row r="{0}"><c r="A{0}"><v>600000001</v></c></row>'
    path = workbook(
        tmp_path / "a.xlsx",
        sheet_xml('<row r="1">' + text_cell("A1", "Phone") + "</row>" + row.format(3) + row.format(2)),
    )
    with pytest.raises(UserError) as caught:
        list(read_rows(path))
    assert (caught.value.code, caught.value.place.file) == ("file-damaged", "a.xlsx")
