"""Rows of .xls, .xlsb and .ods that nobody sees, and cells with an error, are known: neither is sent unasked."""

import struct
import zipfile

import pytest
import xlwt

from xlsms.workbook.grid import Grid
from xlsms.workbook.opening import open_workbook

ERROR = object()  # a cell with #N/A
PEOPLE = [("Phone", "Send"), *((f"60000000{number}", "x") for number in range(1, 7))]
HIDDEN = (2, 4, 5)  # of the rows from 0


def save_xls(path, people=PEOPLE, above=0, hidden=HIDDEN):
    book = xlwt.Workbook()
    book.add_sheet("Before").row(1).hidden = True
    page = book.add_sheet("People")
    for number, row in enumerate(people):
        for column, value in enumerate(row):
            if value is ERROR:
                page.row(above + number).set_cell_error(column, 0x2A)  # [MS-XLS] 2.5.10
            else:
                page.write(above + number, column, value)
        page.row(above + number).hidden = number in hidden
    book.save(str(path))


def save_ods(path, people=PEOPLE, above=0, hidden=HIDDEN):
    def row(number):
        # 19.761 table:visibility: hidden by hand, or by a filter
        seen = f' table:visibility="{"filter" if number == 2 else "collapse"}"' if number in hidden else ""
        cells = "".join(
            '<table:table-cell office:value-type="string" '
            + (
                'office:string-value="" calcext:value-type="error"><text:p>#N/A'
                if value is ERROR
                else f"><text:p>{value}"
            )
            + "</text:p></table:table-cell>"
            for value in people[number]
        )
        return f"<table:table-row{seen}>{cells}</table:table-row>"

    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    spaces += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    empty = (
        f'<table:table-row table:number-rows-repeated="{above}"><table:table-cell/></table:table-row>' if above else ""
    )
    rows = (
        empty
        + row(0)
        + "<table:table-row-group>"
        + "".join(map(row, range(1, len(people))))
        + "</table:table-row-group>"
    )
    more = '<table:table-row table:number-rows-repeated="1048000" table:visibility="collapse"><table:table-cell/></table:table-row>'
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        package.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content {spaces} office:version="1.3"><office:body><office:spreadsheet>'
            f'<table:table table:name="Before">{row(2)}</table:table>'
            f'<table:table table:name="People">{rows}{more}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )


def record(kind, data=b""):
    """[MS-XLSB] 2.1.4: kind and size in groups of seven bits."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = bytes([len(data)]) if len(data) < 0x80 else bytes([len(data) & 0x7F | 0x80, len(data) >> 7])
    return head + size + data


def wide(text):
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def sheet_bin(rows, hidden, above=0):
    """BrtBeginSheet, BrtWsDim, BrtBeginSheetData, BrtRowHdr and BrtCellSt for each row, and the ends."""
    out = record(129) + record(148, struct.pack("<4I", above, above + len(rows) - 1, 0, 1)) + record(145)
    for number, row in enumerate(rows):
        flags = 0x10 if number in hidden else 0
        out += record(0, struct.pack("<IIHBBBI", above + number, 0, 300, 0, flags, 0, 0))
        for column, value in enumerate(row):
            place = struct.pack("<II", column, 0)
            out += record(3, place + b"\x2a") if value is ERROR else record(6, place + wide(value))
    return out + record(146) + record(130)


def save_xlsb(path, people=PEOPLE, above=0, hidden=HIDDEN):
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package_space = "http://schemas.openxmlformats.org/package/2006"
    sheets = record(156, struct.pack("<II", 0, 1) + wide("rId2") + wide("Before"))
    sheets += record(156, struct.pack("<II", 0, 2) + wide("rId1") + wide("People"))
    binary = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package_space}/content-types"><Default Extension="bin" ContentType="{binary}"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        )
        package.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package_space}/relationships"><Relationship Id="rId1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
        )
        package.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{package_space}/relationships">'
            f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.bin"/>'
            f'<Relationship Id="rId2" Type="{office}/worksheet" Target="worksheets/sheet2.bin"/></Relationships>',
        )
        package.writestr("xl/workbook.bin", record(131) + record(143) + sheets + record(144) + record(132))
        package.writestr("xl/worksheets/sheet1.bin", sheet_bin(people, hidden, above))
        package.writestr("xl/worksheets/sheet2.bin", sheet_bin([("a", "b")], (0,)))


SAVED = {".xls": save_xls, ".ods": save_ods, ".xlsb": save_xlsb}


@pytest.mark.parametrize("above", [0, 3])
@pytest.mark.parametrize("suffix", SAVED)
def test_rows_that_nobody_sees_are_known_as_hidden(tmp_path, suffix, above):
    path = tmp_path / f"list{suffix}"
    SAVED[suffix](path, above=above)
    rows = open_workbook(path).read().rows
    assert [row.phone for row in rows] == [phone for phone, _ in PEOPLE[1:]]
    assert [number for number, row in enumerate(rows, 1) if row.hidden] == list(HIDDEN)


def test_a_list_that_begins_in_the_middle_of_a_sheet(tmp_path):
    book = xlwt.Workbook()
    page = book.add_sheet("People")
    for column, value in ((2, "Phone"), (3, "Amount"), (4, "Town")):
        page.write(2, column, value)
    page.write(3, 2, "600000001")
    page.row(3).set_cell_error(3, 0x2A)
    page.write(4, 2, "600000002")
    page.row(4).hidden = True
    book.save(str(tmp_path / "a.xls"))
    rows = open_workbook(tmp_path / "a.xls").read().rows
    assert [(row.phone, row.hidden, dict(row.problems)) for row in rows] == [
        ("600000001", False, {"Amount": "cell-error"}),
        ("600000002", True, {}),
    ]


@pytest.mark.parametrize("suffix", SAVED)
def test_they_are_hidden_in_the_results_too_and_one_that_comes_later_waits_until_it_is_seen(tmp_path, suffix):
    path = tmp_path / f"list{suffix}"
    SAVED[suffix](path, PEOPLE[:4])
    book = open_workbook(path)
    book.prepare()
    assert [row.hidden for row in book.read().rows] == [False, True, False]
    SAVED[suffix](path)
    book.prepare()
    assert [row.phone for row in book.read().rows] == [PEOPLE[number][0] for number in (1, 2, 3, 6)]


@pytest.mark.parametrize("suffix", SAVED)
def test_a_row_with_an_error_is_told_and_one_that_comes_later_waits_until_it_is_mended(tmp_path, suffix):
    path = tmp_path / f"list{suffix}"
    people = [("Phone", "Send", "Amount"), ("600000001", "x", "5"), ("600000002", "x", ERROR), (ERROR, "x", "6")]
    SAVED[suffix](path, [*people, ("", "", "", ERROR)], above=3, hidden=())
    book = open_workbook(path)
    book.prepare()
    rows = book.read().rows
    assert [dict(row.problems) for row in rows] == [{}, {"Amount": "cell-error"}, {"Phone": "cell-error"}]
    assert [row.phone for row in rows] == ["600000001", "600000002", None]
    before = book.path.read_bytes()
    book.prepare()
    assert book.path.read_bytes() == before
    SAVED[suffix](path, [*people, ("600000004", "x", ERROR)], above=3, hidden=())
    book.prepare()
    assert book.path.read_bytes() == before
    mended = [tuple("7" if value is ERROR else value for value in row) for row in people]
    SAVED[suffix](path, [*mended, ("600000004", "x", "8")], above=3, hidden=())
    book.prepare()
    rows = book.read().rows
    assert [(row.phone, row.fields["Amount"], row.marked, dict(row.problems)) for row in rows] == [
        ("600000001", "5", True, {}),
        ("600000002", "7", True, {}),
        ("7", "6", True, {}),
        ("600000004", "8", True, {}),
    ]


def test_the_hidden_rows_of_a_sheet_are_found_among_many():
    grid = Grid("a", [], [(2, 2), (5, 9), (11, 11)])
    assert [row for row in range(13) if grid.is_hidden(row)] == [2, 5, 6, 7, 8, 9, 11]
    assert not any(Grid("a", []).is_hidden(row) for row in range(3))
