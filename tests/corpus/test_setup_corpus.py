"""Real workbooks of many programs set up: a phone column is put into them first, and everything else must stay."""

import os
import re
import shutil
import warnings
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pytest
import python_calamine

from tests.workbooks import members
from xlsms.errors import UserError, XlsmsError
from xlsms.workbook import write_cells
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.removal import remove_set_up
from xlsms.workbook.setup import set_up
from xlsms.workbook.writing import opened

pytestmark = pytest.mark.corpus

FOLDER = os.environ.get("XLSMS_CORPUS", "")
FILES = sorted(file for file in Path(FOLDER).rglob("*.xls[xm]")) if FOLDER else []


@pytest.fixture
def copy(request, tmp_path):
    path = tmp_path / request.param.name
    shutil.copyfile(request.param, path)
    return path


def with_phones(path):
    """A phone column in the table of a sheet, or far right of what a sheet holds; the name of the sheet."""
    with opened(path) as book:
        for sheet in book.sheets:
            for table in book.tables(sheet):
                if table.header and len(table.columns) > 1 and table.member and not table.external:
                    return sheet.name, table.name
        if not book.sheets:
            pytest.skip("a workbook without worksheets")
        name = book.sheets[0].name
    write_cells(path, {(name, "BH1"): "Phone", (name, "BI1"): "Message", (name, "BH2"): "+34600000001"})
    return name, None


def renamed(path, table):
    """The first column of a table called Phone, as far as its own part tells, which is what is read."""
    with opened(path) as book:
        part = next(each for sheet in book.sheets for each in book.tables(sheet) if each.name == table)
        member, column = part.member.name.decode(), part.columns[0]
    with zipfile.ZipFile(path) as old:
        xml = old.read(member)
        parts = {info: old.read(info) for info in old.infolist()}
    start = xml.index(b"tableColumn ")
    changed = xml[:start] + xml[start:].replace(f'name="{column}"'.encode(), b'name="Phone"', 1)
    if changed == xml:
        pytest.skip("a header in another spelling")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for info, each in parts.items():
            new.writestr(info.filename, changed if info.filename == member else each)


@pytest.mark.parametrize("copy", FILES, ids=lambda file: file.name[:30], indirect=True)
def test_a_workbook_set_up_keeps_every_other_part(copy):
    try:
        sheet, table = with_phones(copy)
        if table:
            renamed(copy, table)
        before = members(copy)
    except XlsmsError as error:
        pytest.skip(error.code)
    content = copy.read_bytes()
    reason = None
    try:
        done = set_up(copy, own_sheets=True, protected=True)
    except UserError as error:
        reason = error
    if reason is not None:
        assert copy.read_bytes() == content
        assert reason.code in {
            "column-of-yours",
            "columns-no-room",
            "columns-past-edge",
            "two-columns",
            "two-lists",
            "file-signed",
            "sheet-not-writable",
        }
        pytest.skip(reason.code)
    after = members(copy)
    with opened(copy) as book:
        own = {part.member.name.decode() for part in book.sheets if part.name in (*done.marks, *done.columns)}
        own |= {each.member.name.decode() for part in book.sheets for each in book.tables(part) if each.name == table}
        own |= {part.name.decode() for part in (book.related("styles"), book.main) if part}
    small = {"[Content_Types].xml", "_rels/.rels", "docProps/custom.xml", "xl/_rels/workbook.xml.rels"}
    assert set(before) <= set(after)
    assert len(set(after) - set(before)) <= 20, "four sheets, four tables, a drawing, a chart, what relates them"
    assert {name for name in before if before[name] != after[name]} <= own | small
    snapshot = ClosedWorkbook(copy).read()
    assert snapshot.guid
    (ours,) = (each for each in snapshot.sheets if each.name == sheet)
    assert not ours.missing
    assert done.columns[sheet]
    assert set_up(copy, own_sheets=True, protected=True).nothing
    undone = copy.with_name("undone-" + copy.name)
    shutil.copyfile(copy, undone)
    as_it_was(undone, before)
    read_by_others(copy, content, sheet, ours, table)


def as_it_was(path, before):
    """The set-up taken away again. What may differ: formats that stay, empty cells, and what means nothing."""
    remove_set_up(path)
    after = members(path)
    styles = {"xl/styles.xml"}
    assert [name for name in after if name in before or name not in styles] == list(before)
    if set(after) - set(before):
        styles |= {"[Content_Types].xml", "xl/_rels/workbook.xml.rels"}
    for name in before:
        if name not in styles and after[name] != before[name]:
            assert plain(after[name]) == plain(before[name]), name


def plain(xml):
    """A part in canonical form, without widths, empty cells and lists, and hints of how wide it is."""
    text = ET.canonicalize(re.sub(rb"\sspans=[\"'][0-9: ]+[\"']", b"", xml), strip_text=True)
    return re.sub(r"<((?:\w+:)?(?:c|col|definedNames|dimension))(?: [^>]*)?></\1>", "", text)


def read_by_others(path, content, sheet, ours, table):
    """What others read before they read now, and the headers where they are told to be."""
    original = path.with_name("before-" + path.name)
    original.write_bytes(content)
    try:
        python_calamine.CalamineWorkbook.from_path(str(original)).get_sheet_by_name(sheet)
    except Exception:  # noqa: BLE001 - it could not read the original either
        return
    python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of what it would lose
        try:
            openpyxl.load_workbook(original)
        except Exception:  # noqa: BLE001 - as above
            return
        book = openpyxl.load_workbook(path)
    if sheet not in book.sheetnames:
        return  # it sees nothing in strict workbooks
    for letters, text in ours.headers.items():
        if text in ("Status", "SMS ID", "Estado"):
            assert book[sheet][f"{letters}{ours.header_row}"].value == text
    if table:
        assert [column.name for column in book[sheet].tables[table].tableColumns][-1] in ("SMS ID", "SMS ID2")
