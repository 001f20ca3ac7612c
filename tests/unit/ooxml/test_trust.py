"""What a package may not do to us, what we may not do to it, and that a defect of ours is seen before it does harm."""

import re
import zipfile

import pytest

from tests.workbooks import members, packed, parts, people, relations, sheet_xml, text_cell, workbook
from xlsms.errors import UserError
from xlsms.ooxml.compose import CellWriter
from xlsms.ooxml.patch import Patch
from xlsms.workbook import read_rows, write_cells, writing

SHEET = "xl/worksheets/sheet1.xml"
WRITE = {("People", "E2"): "Sent"}


def test_the_sheet_is_found_by_its_relations_wherever_it_lies(tmp_path):
    made = parts(people())
    moved = {"odd/place.bin": made.pop(SHEET), SHEET: sheet_xml(f'<row r="1">{text_cell("A1", "decoy")}</row>')}
    made["xl/_rels/workbook.xml.rels"] = relations(("rId1", "worksheet", "/odd/place.bin"))
    path = tmp_path / "a.xlsx"
    path.write_bytes(packed(made | moved))
    before = members(path)
    write_cells(path, WRITE)
    assert next(iter(read_rows(path))).status == "Sent"
    after = members(path)
    assert [name for name in before if before[name] != after[name]] == ["odd/place.bin"]


def with_method(method):
    return packed(parts(people()), method=method)


def with_flag(bit):
    """A flag of the sheet's member set in its local header and in the directory."""
    data = bytearray(packed(parts(people())))
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        for found in re.finditer(re.escape(signature), bytes(data)):
            if SHEET.encode() in data[found.start() : found.start() + 100]:
                data[found.start() + at] |= bit
    return bytes(data)


def with_wrong_sum():
    data = packed(parts(people()), method=zipfile.ZIP_STORED)
    return data.replace(b"Person 2", b"Person X")


def with_overlap():
    """Two entries of the directory point to one place."""
    data = bytearray(packed(parts(people())))
    entries = [found.start() for found in re.finditer(b"PK\1\2", bytes(data))]
    data[entries[-1] + 42 : entries[-1] + 46] = data[entries[-2] + 42 : entries[-2] + 46]
    return bytes(data)


HOSTILE = {
    "compressed another way": with_method(zipfile.ZIP_BZIP2),
    "an encrypted member": with_flag(1),
    "a wrong sum": with_wrong_sum(),
    "entries over each other": with_overlap(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_members_that_cannot_be_trusted_are_refused_and_the_file_is_untouched(tmp_path, name):
    path = tmp_path / "a.xlsx"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(UserError) as caught:
        write_cells(path, WRITE)
    assert caught.value.message() != caught.value.code
    assert path.read_bytes() == HOSTILE[name]
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


def test_macros_and_their_signature_stay_as_they_are(tmp_path):
    made = parts(people())
    plain = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    made["[Content_Types].xml"] = made["[Content_Types].xml"].replace(
        plain, "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    )
    made["xl/_rels/workbook.xml.rels"] = relations(
        ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "vbaProject", "vbaProject.bin")
    )
    made["xl/vbaProject.bin"] = bytes(range(256)) * 40
    made["xl/vbaProjectSignature.bin"] = bytes(range(255, -1, -1)) * 4
    path = tmp_path / "a.xlsm"
    path.write_bytes(packed(made))
    before = members(path)
    write_cells(path, WRITE)
    after = members(path)
    assert [name for name in before if before[name] != after[name]] == [SHEET]
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsm"]


def test_of_a_cell_only_its_style_is_kept(tmp_path):
    cell = '<c r="B2" s="3" t="s" cm="1" vm="2" ph="1"><v>0</v></c>'
    path = workbook(tmp_path / "a.xlsx", sheet_xml(f'<row r="2" cm="7">{cell}<c r="C2" cm="1"><v>1</v></c></row>'))
    write_cells(path, {("People", "B2"): 5})
    xml = members(path)[SHEET].decode()
    assert re.search('<c r="B2"[^>]*>.*?</c>', xml)[0] in (
        '<c r="B2" s="3"><v>5</v></c>',
        '<c r="B2" s="3" ph="1"><v>5</v></c>',
    )
    assert '<c r="C2" cm="1"><v>1</v></c>' in xml, "its neighbour is not ours"


def test_hidden_rows_and_protected_sheets_are_written_and_stay_so(tmp_path):
    xml = people().replace('<row r="3"', '<row hidden="1" r="3"')
    xml = xml.replace("</sheetData>", '</sheetData><sheetProtection sheet="1" objects="1"/>')
    path = workbook(tmp_path / "a.xlsx", xml)
    write_cells(path, {("People", "E3"): "Sent"})
    written = members(path)[SHEET].decode()
    assert '<row hidden="1" r="3"' in written
    assert '<sheetProtection sheet="1" objects="1"/>' in written
    assert [row.hidden for row in read_rows(path)] == [False, True, False]


DEFECTS = {
    "the write is lost": lambda xml: xml.replace(b"<is><t>Sent</t></is>", b"<is><t></t></is>"),
    "it lands in another cell": lambda xml: xml.replace(b'r="E2"', b'r="F2"'),
    "the sheet is cut off": lambda xml: xml[:-40],
    "the cell stands twice": lambda xml: xml.replace(
        b'<row r="3">', b'<row r="2"><c r="E2" t="inlineStr"><is><t>Sent</t></is></c></row><row r="3">'
    ),
}


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_of_ours_is_seen_before_the_file_is_replaced(tmp_path, monkeypatch, name, odd):
    path = workbook(tmp_path / "a.xlsx", people().replace('<row r="1"', "<row r='1'") if odd else people())
    before = path.read_bytes()
    right = Patch.chunks
    monkeypatch.setattr(Patch, "chunks", lambda self: iter([DEFECTS[name](b"".join(right(self)))]))
    with pytest.raises(UserError) as caught:
        write_cells(path, WRITE)
    assert caught.value.code == "sheet-not-writable"
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize("value", ["Sent", 5, 0.25])
@pytest.mark.parametrize("remembered", [False, True])
def test_a_defect_in_one_of_many_cells_is_seen(tmp_path, monkeypatch, value, remembered):
    path = workbook(tmp_path / "a.xlsx", people(300))
    cells = {("People", f"E{row}"): value for row in range(2, 302)}
    if remembered:  # written once, the sheet is known by segments
        write_cells(path, dict.fromkeys(cells, "Queued"))
    before = path.read_bytes()
    right = CellWriter.cells

    def wrong(self, column, rows, styles, values):
        made = right(self, column, rows, styles, values)
        return [
            cell.replace(b">Sent<", b">Seen<").replace(b"5</v>", b"6</v>") if at == 7 else cell
            for at, cell in enumerate(made)
        ]

    monkeypatch.setattr(CellWriter, "cells", wrong)
    with pytest.raises(UserError, match="sheet-not-writable"):
        write_cells(path, cells)
    assert path.read_bytes() == before


def test_a_changed_part_that_is_not_ours_is_seen_before_the_file_is_replaced(tmp_path, monkeypatch):
    path = workbook(tmp_path / "a.xlsx", people())
    before = path.read_bytes()
    right = writing.rewrite

    def wrong(package, replaced, out):
        other = next(member for member in package.members if member.key.endswith("workbook.xml"))
        right(package, {**replaced, other: [package.read(other) + b" "]}, out)

    monkeypatch.setattr(writing, "rewrite", wrong)
    with pytest.raises(UserError, match="sheet-not-writable"):
        write_cells(path, WRITE)
    assert path.read_bytes() == before


def test_formulas_elsewhere_and_their_values_are_not_touched(tmp_path):
    formula = '<row r="9"><c r="A9"><f>COUNTIF(E2:E4,"Sent")</f><v>0</v></c></row></sheetData>'
    path = workbook(tmp_path / "a.xlsx", people().replace("</sheetData>", formula))
    write_cells(path, WRITE)
    assert formula.encode() in members(path)[SHEET]
    assert b"fullCalcOnLoad" not in members(path)["xl/workbook.xml"]
