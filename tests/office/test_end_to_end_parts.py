"""Workbooks with all that people put into them: after a round only the list's sheet has changed, and all can read it."""

import os
import shutil
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

pytestmark = [
    pytest.mark.office,
    # openpyxl leaves out what it does not know
    pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning"),
]

COUNT = 8
LAST = COUNT + 1
HEADERS = [
    "Name",
    "Phone",
    "Message",
    "Send",
    "Status",
    "Detail",
    "Status time",
    "Reply",
    "Reply time",
    "SMS ID",
    "Long",
]
KINDS = ("xl/charts/", "xl/comments", "xl/pivotTables/", "xl/pivotCache/", "xl/vbaProject.bin")
STAND_IN = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(range(256)) * 8  # as opaque to us as the real thing


def macros(folder):
    """The macros of a real workbook, where there is one."""
    corpus = os.environ.get("XLSMS_CORPUS")
    for path in sorted(Path(corpus).glob("*.xlsm")) if corpus else ():
        with zipfile.ZipFile(path) as package:
            if "xl/vbaProject.bin" in package.namelist():
                content = package.read("xl/vbaProject.bin")
                break
    else:
        content = STAND_IN
    (folder / "vbaProject.bin").write_bytes(content)
    return folder / "vbaProject.bin"


def rich_list(path, first=0):
    """A list of people from number `first` on."""
    book = xlsxwriter.Workbook(path)
    book.add_vba_project(macros(path.parent))
    sheet = book.add_worksheet("People")
    sheet.write_row("A1", HEADERS, book.add_format({"bold": True, "bg_color": "#0F766E", "font_color": "white"}))
    for row, number in enumerate(range(first, first + COUNT), 2):
        sheet.write_row(f"A{row}", [f"Person {number}", f"6{number:08}", "Hello {Name}", "x"])
        sheet.write_formula(f"K{row}", f"=LEN(C{row})", None, 12)
    sheet.write_comment("A2", "Prefers mornings")
    sheet.data_validation(f"D2:D{LAST}", {"validate": "list", "source": ["x"]})
    green = book.add_format({"bg_color": "#D1FAE5"})
    status = {"type": "cell", "criteria": "==", "value": '"Delivered"', "format": green}
    sheet.conditional_format(f"E2:E{LAST}", status)
    sheet.conditional_format(f"K2:K{LAST}", {"type": "data_bar", "data_bar_2010": True})
    sheet.freeze_panes(1, 0)
    book.define_name("Statuses", f"=People!$E$2:$E${LAST}")
    figures = book.add_worksheet("Figures")
    figures.write_row("A1", ["Delivered", "Long"])
    figures.write_formula("A2", '=COUNTIF(Statuses,"Delivered")', None, 0)
    figures.write_formula("B2", f"=SUM(People!K2:K{LAST})", None, 12 * COUNT)
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=Figures!$A$2:$B$2", "categories": "=Figures!$A$1:$B$1"})
    figures.insert_chart("D2", chart)
    book.add_worksheet("Pivot")
    book.close()


def members(path):
    """The members as they lie in the file: everything that is said of them, and their compressed bytes."""
    found = {}
    with zipfile.ZipFile(path) as package, path.open("rb") as file:
        for info in package.infolist():
            file.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            file.seek(name + extra, os.SEEK_CUR)
            facts = (info.compress_type, info.date_time, info.CRC, info.external_attr, info.comment)
            found[info.filename] = (facts, file.read(info.compress_size))
    return found


def seen_by_openpyxl(path):
    sheet = openpyxl.load_workbook(path, data_only=True)["People"]
    return [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]


def seen_by_calamine(path):
    return [list(map(str, row)) for row in CalamineWorkbook.from_path(path).get_sheet_by_name("People").to_python()]


def results(rows):
    """Name, status and reply of each row."""
    return [(row[0], row[4], row[7]) for row in rows[1:]]


@pytest.fixture
def lists(tmp_path, calc):
    """A list as Excel would save it, and one as LibreOffice did, with a pivot table."""
    folder = tmp_path / "made"
    folder.mkdir()
    plain, base, stored = folder / "list.xlsm", folder / "base.xlsm", folder / "stored.xlsm"
    rich_list(plain)
    rich_list(base, COUNT)
    calc.open(path=str(base))
    calc.pivot(place=f"A1:D{LAST}", field="Message", count="Name", to=2)
    calc.save(path=str(stored))
    calc.close()
    there = {kind for kind in KINDS for book in (plain, stored) if any(name.startswith(kind) for name in members(book))}
    assert there == set(KINDS)
    return plain, stored


def test_only_the_sheet_of_the_list_changes(desk, calc, lists):
    desk.network(
        [f'[[phone]]\nnumber = "+346{number:08}"\nreply = "Yes, {number}"' for number in range(2 * COUNT)], receipt=0.5
    )
    desk.service()
    for first, original in zip((0, COUNT), lists, strict=True):
        book = Path(shutil.copy(original, desk.watched))
        whole = [(f"Person {number}", "Delivered", f"Yes, {number}") for number in range(first, first + COUNT)]
        desk.until(
            lambda book=book, whole=whole: results(seen_by_calamine(book)) == whole,
            why=lambda book=book: seen_by_calamine(book),
        )
        assert results(seen_by_openpyxl(book)) == whole
        with calc.editing(book):
            assert results(calc.read()) == whole
            assert [row[10] for row in calc.read()] == ["Long", *["12"] * COUNT]
            calc.recalculate()
            assert calc.read(sheet=1)[1][:2] == [str(COUNT), str(12 * COUNT)]
        assert [row[10] for row in seen_by_openpyxl(book)] == ["Long", *["12"] * COUNT]
        assert openpyxl.load_workbook(book)["Figures"]["A2"].value == '=COUNTIF(Statuses,"Delivered")'
        before, after = members(original), members(book)
        assert list(after) == list(before)
        assert [name for name in before if after[name] != before[name]] == ["xl/worksheets/sheet1.xml"]
