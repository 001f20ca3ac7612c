"""Numbers in a sheet's XML that are none: read as if they were not there, never an exception."""

from pathlib import Path

import pytest

from tests.workbooks import MAIN, people, relations, workbook
from xlsms.ooxml.cells import Area, natural
from xlsms.workbook import read_rows, write_cells

ODD = ["²", "٣", "9" * 5000, "-1", "+1", " 1", "1_0", "1.5", "", "99999999999"]
STYLES = f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="%s" formatCode="0"/></numFmts><cellXfs><xf numFmtId="%s"/></cellXfs></styleSheet>'
RELATIONS = relations(("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "styles", "styles.xml"))


@pytest.mark.parametrize("text", [*ODD, b"\xb2", b"9" * 5000, b"-1", b""])
def test_what_is_no_natural_number_is_none(text: str | bytes) -> None:
    assert natural(text) is None


def test_natural_numbers_up_to_32_bits_are_read() -> None:
    assert [natural(text) for text in ("0", "007", "4294967295", b"16384")] == [0, 7, 4294967295, 16384]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("comment", ["", "<!-- so that it is read by expat -->"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<sheetData>", '<cols><col min="%s" max="%s" style="%s"/></cols><sheetData>'),
        ("<sheetData>", '<cols><col min="1" max="9" style="%s"/></cols><sheetData>'),
        ('<c r="B2"', '<c r="B2" s="%s"'),
        ('<row r="2"', '<row r="2" s="%s" customFormat="1"'),
        ("</sheetData>", '</sheetData><mergeCells><mergeCell ref="%s:%s"/></mergeCells>'),
    ],
)
def test_odd_number_in_a_sheet_is_as_if_it_were_not_there(
    tmp_path: Path, old: str, new: str, comment: str, odd: str
) -> None:
    sheet = people(2).replace(old, new.replace("%s", odd)).replace("</sheetData>", comment + "</sheetData>")
    path = workbook(tmp_path / "a.xlsx", sheet)
    write_cells(path, {("People", "B2"): "34600111222", ("People", "E2"): "Queued"})
    assert [(row.phone, row.status) for row in read_rows(path)] == [("34600111222", "Queued"), (34600000003, "")]


@pytest.mark.parametrize("odd", ODD)
def test_row_with_an_odd_number_follows_the_one_before(tmp_path: Path, odd: str) -> None:
    path = workbook(tmp_path / "a.xlsx", people(2).replace('<row r="3"', f'<row r="{odd}"'))
    write_cells(path, {("People", "E3"): "Queued"})
    assert [(row.number, row.status) for row in read_rows(path)] == [(2, ""), (3, "Queued")]


@pytest.mark.parametrize("odd", ODD)
def test_odd_number_of_a_format_is_that_of_general(tmp_path: Path, odd: str) -> None:
    more = {"xl__styles.xml": STYLES.replace("%s", odd), "xl___rels__workbook.xml.rels": RELATIONS}
    path = workbook(tmp_path / "a.xlsx", people(1), **more)
    assert next(read_rows(path)).fields["Phone"] == "34600000002"


@pytest.mark.parametrize(
    "text",
    ["²", "²:³", "1:²", "9" * 5000, "A:1", "1:A", "A1:²", "A:é", "é", "0:1", "A:XFE", "1:1048577", ":", "", "-1:2"],
)
def test_what_is_no_area_is_none(text: str) -> None:
    assert Area.of(text) is None


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("B2", Area(2, 2, 2, 2)),
        ("$C$9:A1", Area(1, 1, 9, 3)),
        ("C:A", Area(1, 1, 1_048_576, 3)),
        ("9:1", Area(1, 1, 9, 16_384)),
        ("7", Area(7, 1, 7, 16_384)),
    ],
)
def test_area_by_its_corners_whichever_comes_first(text: str, area: Area) -> None:
    assert Area.of(text) == area
