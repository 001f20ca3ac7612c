"""Every legal oddity of real files: read right, written right, and nothing else touched."""

import re
import zipfile
from datetime import datetime

import openpyxl
import pytest
import python_calamine

from tests.unit.ooxml.test_patch_model import independent
from tests.workbooks import (
    MAIN,
    RELATIONS,
    STRICT,
    members,
    packed,
    parts,
    people,
    relations,
    sheet_xml,
    text_cell,
    workbook,
)
from xlsms.errors import UserError
from xlsms.ooxml.scan import survey
from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.setup import set_up
from xlsms.workbook.writing import opened

HEAD = f'<row r="1">{text_cell("A1", "Phone")}{text_cell("B1", "Status")}</row>'
PLAIN = (
    HEAD
    + '<row r="2"><c r="A2"><v>34600000002</v></c><c r="B2" s="0"/></row>'
    + '<row r="4"><c r="A4"><v>4</v></c></row>'
)


def prefixed(xml: str) -> str:
    out = re.sub(r"<(/?)(?=[a-z])", r"<\1x:", xml, flags=re.IGNORECASE)
    return out.replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')


ODDITIES = {
    "plain": sheet_xml(PLAIN),
    "prefixed": prefixed(sheet_xml(PLAIN)),
    "single quotes": sheet_xml(PLAIN).replace('"', "'"),
    "strict namespace": sheet_xml(PLAIN).replace(MAIN, STRICT),
    "beta namespace": sheet_xml(PLAIN).replace(MAIN, "http://schemas.microsoft.com/office/excel/2006/2"),
    "byte order mark": "\ufeff" + sheet_xml(PLAIN),
    "no declaration": sheet_xml(PLAIN).partition("\n")[2],
    "row attributes before r": sheet_xml(PLAIN.replace('<row r="2"', '<row outlineLevel="1" spans="1:2" r="2"')),
    "cell attributes before r": sheet_xml(PLAIN.replace('<c r="B2" s="0"/>', '<c s="0" r="B2"/>')),
    "no r on rows and cells": sheet_xml(
        re.sub(r' r="[AB]?[0-9]"', "", PLAIN.replace('<row r="4"', '<row/><row r="4"'))
    ),
    "r on some rows only": sheet_xml(PLAIN.replace('<row r="2"', "<row").replace('<c r="B2"', "<c")),
    "blanks in tags": sheet_xml(
        PLAIN.replace('<c r="B2" s="0"/>', '<c  r="B2"\n s="0" />').replace("</row>", "</row >")
    ),
    "blanks in end tags": sheet_xml(
        PLAIN.replace("</v>", "</v >").replace("</t>", "</t\n>").replace("</is>", "</is >")
    ),
    "pretty printed": sheet_xml(PLAIN.replace("><", ">\n  <")),
    "comment": sheet_xml(PLAIN.replace('<row r="2">', '<!-- <row r="2"> --><row r="2"><!-- <c r="B2"/> -->')),
    "cdata": sheet_xml(PLAIN.replace("<t>Phone</t>", "<t><![CDATA[Phone]]></t>")),
    "processing instruction": sheet_xml(PLAIN.replace('<row r="2">', '<?mso x="<row r=2>"?><row r="2">')),
    "row extension list": sheet_xml(PLAIN.replace("</row>", "<extLst><ext uri='x'/></extLst></row>")),
    "cell extension list": sheet_xml(
        PLAIN.replace('<c r="B2" s="0"/>', '<c r="B2"><extLst><ext uri="x"/></extLst></c>')
    ),
    "self-closed row": sheet_xml(PLAIN.replace('<row r="4">', '<row r="3" ht="20"/><row r="4">')),
    "lower case reference": sheet_xml(PLAIN.replace('r="B2"', 'r="b2"')),
    "greater-than in attribute": sheet_xml(PLAIN.replace('<row r="2"', '<row r="2" spans="1:2" foo=">"')),
    "processing after": sheet_xml(PLAIN, after="<!-- the end -->"),
    "latin-1": sheet_xml(PLAIN).replace("UTF-8", "us-ascii"),
}


@pytest.mark.parametrize("name", ODDITIES)
def test_an_odd_sheet_is_read_and_written_like_a_plain_one(tmp_path, name):
    path = workbook(tmp_path / "a.xlsx", ODDITIES[name])
    before = members(path)
    assert [(row.number, row.phone) for row in read_rows(path)] == [(2, 34600000002), (4, 4)]
    write_cells(path, {("People", "B2"): "Sent & <gone>", ("People", "B3"): 7, ("People", "C4"): True})
    after = members(path)
    assert [part for part in before if before[part] != after[part]] == ["xl/worksheets/sheet1.xml"]
    rows = {row.number: row for row in read_rows(path)}
    assert rows[2].status == "Sent & <gone>"
    assert rows[2].phone == 34600000002
    cells = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert [row[:3] for row in cells[1:4]] == [[34600000002, "Sent & <gone>", ""], ["", 7, ""], [4, "", True]]


def test_everything_but_the_cells_written_stays_in_the_sheet(tmp_path):
    path = workbook(tmp_path / "a.xlsx", sheet_xml(PLAIN, before='<dimension ref="A1:B4"/>', after="<pageMargins/>"))
    old = members(path)["xl/worksheets/sheet1.xml"]
    write_cells(path, {("People", "B2"): "Sent"})
    new = members(path)["xl/worksheets/sheet1.xml"]
    cell = b'<c r="B2" s="0" t="inlineStr"><is><t>Sent</t></is></c>'
    assert new == old.replace(b'<c r="B2" s="0"/>', cell)


@pytest.mark.parametrize("data", ["<sheetData/>", "<sheetData />", "<sheetData></sheetData>"])
def test_empty_sheet_data_is_opened_for_new_rows(tmp_path, data):
    xml = sheet_xml("").replace("<sheetData></sheetData>", data)
    path = workbook(tmp_path / "a.xlsx", xml)
    write_cells(path, {("People", "B3"): "b", ("People", "A1"): "a", ("People", "C3"): 1.5})
    sheet = openpyxl.load_workbook(path).active
    assert (sheet["A1"].value, sheet["B3"].value, sheet["C3"].value) == ("a", "b", 1.5)


def test_new_cells_go_in_order_before_between_and_after(tmp_path):
    path = workbook(tmp_path / "a.xlsx", sheet_xml('<row r="5"><c r="D5"><v>4</v></c><c r="G5"><v>7</v></c></row>'))
    write_cells(path, {("People", f"{letter}{row}"): f"{letter}{row}" for letter in "AFZ" for row in (4, 5, 6)})
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    assert re.findall(r'<(?:row|c) r="(\w+)"', xml) == [
        "4", "A4", "F4", "Z4", "5", "A5", "D5", "F5", "G5", "Z5", "6", "A6", "F6", "Z6",
    ]  # fmt: skip


def test_spans_and_dimension_make_room(tmp_path):
    rows = '<row r="2" spans="1:2"><c r="A2"/></row><row r="3" spans="1:2"><c r="A3"/></row>'
    path = workbook(tmp_path / "a.xlsx", sheet_xml(rows, before='<dimension ref="A2:B3"/>'))
    write_cells(path, {("People", "D2"): 1, ("People", "B3"): 2})
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    assert '<dimension ref="A2:D3"/>' in xml
    assert '<row r="2">' in xml
    assert '<row r="3" spans="1:2">' in xml


@pytest.mark.parametrize("spans", ["spans='1:2'", 'spans = "1:2"'])
def test_spans_written_in_another_way_make_room_too(tmp_path, spans):
    path = workbook(tmp_path / "a.xlsx", sheet_xml(f'<row r="2" {spans}><c r="A2"/></row>'))
    write_cells(path, {("People", "D2"): 1})
    assert b"spans" not in members(path)["xl/worksheets/sheet1.xml"]


STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts><fonts><font/></fonts>'
    "<fills><fill/></fills><borders><border/></borders><cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='22'/>"
    "<xf numFmtId='0' fontId='1'/></cellXfs></styleSheet>"
)
STYLED = {
    "xl__styles.xml": STYLES,
    "xl___rels__workbook.xml.rels": relations(
        ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "styles", "styles.xml")
    ),
}


@pytest.mark.parametrize("row", ['<row r="2" s="1" customFormat="1">', "<row r='2' customFormat = 'true' s = '1'>"])
def test_a_cell_keeps_its_style_and_a_new_one_takes_that_of_its_row_or_column(tmp_path, row):
    rows = row + '<c r="B2" s="3"><v>1</v></c></row><row r="3"><c r="A3"/></row>'
    path = workbook(
        tmp_path / "a.xlsx", sheet_xml(rows, before='<cols><col min="3" max="4" style="2"/></cols>'), **STYLED
    )
    write_cells(path, {("People", ref): None for ref in ("B2", "C2", "C3", "E3", "D9")})
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    assert dict(re.findall(r'<c r="(\w+)"(?: s="(\d)")?/>', xml)) == {
        "B2": "3", "C2": "1", "A3": "", "C3": "2", "E3": "", "D9": "2",
    }  # fmt: skip


@pytest.mark.parametrize("row", ['<row r="2" s="1">', "<row r='2' s='1' customFormat='0'>"])
def test_a_row_lends_its_style_only_where_it_says_so(tmp_path, row):
    cols = '<cols><col min="3" max="3" style="2"/></cols>'
    path = workbook(tmp_path / "a.xlsx", sheet_xml(row + '<c r="A2"/></row>', before=cols), **STYLED)
    write_cells(path, {("People", "B2"): None, ("People", "C2"): None})
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    assert dict(re.findall(r'<c r="(\w+)"(?: s="(\d)")?/>', xml)) == {"A2": "", "B2": "", "C2": "2"}


@pytest.mark.parametrize(("date1904", "serial"), [("", 46348.3854166667), (' date1904="1"', 44886.3854166667)])
def test_a_time_becomes_a_date_where_a_format_for_it_exists_in_the_same_looks(tmp_path, date1904, serial):
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><workbookPr{date1904}/><sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>'
    rows = '<row r="2"><c r="A2" s="1"/><c r="B2" s="3"/><c r="C2" s="0"/></row>'
    path = workbook(tmp_path / "a.xlsx", sheet_xml(rows), **STYLED, **{"xl__workbook.xml": book})
    moment = datetime(2026, 11, 22, 9, 15)  # noqa: DTZ001 - wall-clock time, as a cell holds it
    write_cells(path, {("People", ref): moment for ref in ("A2", "B2", "C2")})
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    assert xml.count("<v>") == 2
    found = dict(re.findall(r'<c r="(\w+)" s="(\d)">', xml))
    assert found == {"A2": "1", "C2": "2"}
    assert abs(float(re.search("<v>(.*?)</v>", xml)[1]) - serial) < 1e-6
    assert '<c r="B2" s="3" t="inlineStr"><is><t>2026-11-22 09:15</t></is></c>' in xml
    assert members(path)["xl/styles.xml"].decode() == STYLES


TEXTS = [
    "=1+1", "+34600", "-1", "@cmd", " outer ", "line\nbreak\ttab", "cr\r\n", "_x0041_", "\x01\x0b\x1f", "\ufffe", "😀 🇪🇸",
    "&amp; <b> ]]> \"'", "\ud800 half", "x" * 32767, "", "á" * 300,
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_as_it_was_and_is_never_a_formula(tmp_path, text):
    path = workbook(tmp_path / "a.xlsx", people())
    write_cells(path, {("People", "E2"): text})
    row = next(iter(read_rows(path)))
    expected = text.replace("\ud800", "\ufffd")
    assert row.values["Status"] == expected
    assert b"<f" not in members(path)["xl/worksheets/sheet1.xml"]
    cells = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert cells[1][4] == expected.replace("\ufffe", "_xFFFE_")  # which this reader leaves as it is


REFUSED = {
    "cell-formula": ('<row r="2"><c r="B2"><f>1+1</f><v>2</v></c></row>', ""),
    "cell-merged": ('<row r="2"><c r="B2"/></row>', '<mergeCells count="1"><mergeCell ref="A2:B3"/></mergeCells>'),
    "cell-in-array": ('<row r="1"><c r="A1"><f t="array" ref="A1:B3">1</f><v>1</v></c></row>', ""),
}


@pytest.mark.parametrize("code", REFUSED)
@pytest.mark.parametrize("odd", [False, True])
def test_cells_that_are_not_ours_to_write_are_refused_and_the_file_is_untouched(tmp_path, code, odd):
    rows, after = REFUSED[code]
    path = workbook(tmp_path / "a.xlsx", sheet_xml(rows + ("<!-- odd -->" if odd else ""), after=after))
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        write_cells(path, {("People", "B2"): "x", ("People", "Z9"): "y"})
    assert caught.value.code == code
    assert str(caught.value.place) == "a.xlsx People!B2"
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.xlsx"]


FORMULAS_OF_AREAS = [
    "<f t='array' ref='A1:B3'>1</f>",
    '<f ref="A1:B3" t="array">1</f>',
    '<f t = "array" ref = "A1:B3">1</f>',
    '<f\nt="array"\nref="A1:B3">1</f>',
    '<f t="arr&#97;y" ref="A1:B3">1</f>',
    '<f t="array" ref="A&#49;:B3">1</f>',
    '<f t="array" odd="a>b" ref="A1:B3">1</f>',
    '<f t="dataTable" ref="$A$1:$B$3" dt2D="1" r1="D1"/>',
]


@pytest.mark.parametrize("formula", FORMULAS_OF_AREAS)
def test_a_cell_in_an_array_is_refused_however_its_formula_is_written(tmp_path, formula):
    path = workbook(tmp_path / "a.xlsx", sheet_xml(f'<row r="1"><c r="A1">{formula}<v>1</v></c></row>'))
    with pytest.raises(UserError, match="cell-in-array"):
        write_cells(path, {("People", "B2"): "x"})


@pytest.mark.parametrize(
    "merges",
    [
        '<mergeCells count="2"><mergeCell ref="D9:E9"/><mergeCell ref="A2:B3"/></mergeCells>',
        '<mergeCells><mergeCell ref="$A$2:$B$3"/></mergeCells>',
        "<mergeCells count='1'><mergeCell ref='A2:B3'/></mergeCells>",
        '<mergeCells count="1"><mergeCell ref="A2:B3" /></mergeCells>',
        '<mergeCells count="1"><mergeCell ref="A2:B3"></mergeCell></mergeCells>',
        '<mergeCells count="2"><mergeCell ref="D9:E9"/>\n<mergeCell ref="A2:B3"/></mergeCells>',
    ],
)
@pytest.mark.parametrize("wrapped", [lambda xml: xml, prefixed])
def test_a_merge_is_seen_however_it_is_written(tmp_path, merges, wrapped):
    xml = wrapped(sheet_xml('<row r="2"><c r="B2"/></row>', after=merges + '<pageMargins left="1"/>'))
    path = workbook(tmp_path / "a.xlsx", xml)
    before = path.read_bytes()
    with pytest.raises(UserError, match="cell-merged"):
        write_cells(path, {("People", "B2"): "x"})
    assert path.read_bytes() == before
    write_cells(path, {("People", "C2"): "x"})
    assert members(path)["xl/worksheets/sheet1.xml"].count(b"mergeCell ") == merges.count("mergeCell ")


def test_the_anchor_of_a_merge_can_be_written(tmp_path):
    xml = sheet_xml('<row r="2"><c r="A2"/></row>', after='<mergeCells><mergeCell ref="A2:B3"/></mergeCells>')
    path = workbook(tmp_path / "a.xlsx", xml)
    write_cells(path, {("People", "A2"): "anchor"})
    assert openpyxl.load_workbook(path).active["A2"].value == "anchor"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("x" * 32768, "cell-text-too-long"),
        ("😀" * 16384, "cell-text-too-long"),
        (float("nan"), "cell-not-a-number"),
        pytest.param(10**309, "cell-not-a-number", id="a long number"),
        pytest.param(-(10**5000), "cell-not-a-number", id="a very long number"),
    ],
)
def test_values_that_no_cell_holds(tmp_path, value, code):
    path = workbook(tmp_path / "a.xlsx", people())
    with pytest.raises(UserError, match=code):
        write_cells(path, {("People", "E2"): value})


def test_a_whole_number_that_a_workbook_would_round_is_written_as_text(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people())
    write_cells(path, {("People", "E2"): 12345678901234567890})
    assert next(iter(read_rows(path))).values["Status"] == "12345678901234567890"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("stream", [False, True])
def test_stored_members_and_data_descriptors(tmp_path, method, stream):
    path = tmp_path / "a.xlsx"
    path.write_bytes(packed(parts(people()), method=method, stream=stream))
    before = members(path)
    write_cells(path, {("People", "E2"): "Sent"})
    after = members(path)
    assert [part for part in before if before[part] != after[part]] == ["xl/worksheets/sheet1.xml"]
    assert next(iter(read_rows(path))).status == "Sent"


def test_backslashes_in_member_names_and_absolute_targets(tmp_path):
    made = parts(people())
    made["xl/_rels/workbook.xml.rels"] = relations(("rId1", "worksheet", "/xl/worksheets/sheet1.xml"))
    data = packed(made).replace(b"xl/worksheets/sheet1.xml", rb"xl\worksheets\sheet1.xml")
    # the relation is deflated, so only the names of members change
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)
    write_cells(path, {("People", "E2"): "Sent"})
    assert next(iter(read_rows(path))).status == "Sent"


ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "windows-1252", "iso-8859-15", "us-ascii", "koi8-r"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_sheet_in_another_encoding_keeps_it(tmp_path, encoding):
    kept = "Se_x0041_al" if encoding in ("us-ascii", "koi8-r") else "Señal"
    xml = sheet_xml(HEAD + f'<row r="2"><c r="A2"><v>5</v></c>{text_cell("B2", kept)}</row>')
    if encoding.startswith("utf-16-"):
        xml = "\ufeff" + xml
    path = workbook(
        tmp_path / "a.xlsx", xml.replace("UTF-8", encoding.partition("-le")[0].partition("-be")[0]).encode(encoding)
    )
    before = members(path)["xl/worksheets/sheet1.xml"]
    text = "Größe € 漢字 <&> я 😀 \x01"
    write_cells(path, {("People", "C2"): text, ("People", "C4"): "plain"})
    after = members(path)["xl/worksheets/sheet1.xml"]
    (row,) = read_rows(path)
    assert row.status == kept.replace("_x0041_", "A")
    assert independent(after)[2, 3] == text
    assert independent(after)[4, 3] == "plain"
    end = before.index(
        "</row>".encode(encoding.replace("utf-16", "utf-16-le") if encoding == "utf-16" else encoding), len(before) // 2
    )
    assert after.startswith(before[:end]), "what stands before the new cell lies as it lay"
    assert openpyxl.load_workbook(path)["People"]["C4"].value == "plain"


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "us-ascii"])
def test_set_up_does_not_write_around_the_rows_of_a_sheet_in_another_encoding(tmp_path, encoding):
    path = workbook(tmp_path / "a.xlsx", people().replace("UTF-8", encoding).encode(encoding))
    before = path.read_bytes()
    with pytest.raises(UserError, match="sheet-not-writable"):
        set_up(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("encoding", "declared"), [("utf-8", "shift_jis"), ("utf-8", "klingon"), ("utf-8", "utf-7")])
def test_an_encoding_that_nobody_can_tell_is_refused(tmp_path, encoding, declared):
    xml = sheet_xml(HEAD + '<row r="2"><c r="A2"><v>5</v></c></row>').replace("UTF-8", declared)
    path = workbook(tmp_path / "a.xlsx", xml.encode(encoding))
    before = path.read_bytes()
    with pytest.raises(UserError):
        write_cells(path, {("People", "B2"): "x"})
    assert path.read_bytes() == before


def test_rows_out_of_order_are_not_written(tmp_path):
    path = workbook(tmp_path / "a.xlsx", sheet_xml('<row r="3"><c r="A3"/></row><row r="2"><c r="A2"/></row>'))
    before = path.read_bytes()
    with pytest.raises(UserError):
        write_cells(path, {("People", "B2"): "x"})
    assert path.read_bytes() == before


def test_shared_strings_rich_phonetic_and_escaped(tmp_path):
    strings = (
        f"<sst xmlns='{MAIN}'><si><t>Phone</t></si><si><r><rPr><b/></rPr><t>Mes</t></r><r><t>sage</t></r></si>"
        "<si><t>漢</t><rPh sb='0' eb='1'><t>かん</t></rPh></si><si><t xml:space='preserve'> a_x000D_b &#233; </t></si><si/></sst>"
    )
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>'
    rows += '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="s"><v>3</v></c><c r="C2" t="s"><v>4</v></c></row>'
    more = {
        "xl__sharedStrings.xml": strings,
        "xl___rels__workbook.xml.rels": relations(
            ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "sharedStrings.xml")
        ),
    }
    for text in (
        strings,
        strings.replace("'", '"'),
        re.sub(r"<(/?)(?=[a-z])", r"<\1y:", strings, flags=re.IGNORECASE).replace("xmlns=", "xmlns:y="),
    ):
        path = workbook(tmp_path / "a.xlsx", sheet_xml(rows), **more | {"xl__sharedStrings.xml": text})
        (row,) = ClosedWorkbook(path).read().rows
        assert row.message == " a\rb é "
        assert list(row.fields) == ["Phone", "Message", "漢"]
        assert row.fields["漢"] == ""


@pytest.mark.parametrize("at", ['<row r="2"', '<c r="A2"', '<c r="B2"', '<c r="C2"'])
@pytest.mark.parametrize("value", ["x>y", ">", "x>"])
def test_a_greater_than_sign_in_an_attribute_hides_no_cell(tmp_path, at, value):
    """It is legal there (XML 1.0 §2.4), if only ever seen in attributes of somebody's own."""
    cells = text_cell("A2", "600000001") + text_cell("B2", "Hello") + text_cell("C2", "x")
    head = text_cell("A1", "Phone") + text_cell("B1", "Message") + text_cell("C1", "Send")
    xml = sheet_xml(f'<row r="1">{head}</row><row r="2">{cells}</row>')
    path = workbook(tmp_path / "a.xlsx", xml.replace(at, f'{at} xmlns:q="urn:q" q:n="{value}"'))
    for _ in range(2):
        (row,) = read_rows(path)
        assert (row.phone, row.message, row.marked) == ("600000001", "Hello", True)
        assert [row.number for row in ClosedWorkbook(path).read(marked_only=True).rows] == [2]
        write_cells(path, {("People", "D2"): "seen"})


def test_values_of_every_type(tmp_path):
    cells = [
        ('<c r="B2"><v>34600111222</v></c>', 34600111222, None),
        ('<c r="B2"><v>3.4600111222E10</v></c>', 34600111222, None),
        ('<c r="B2"><v>0.5</v></c>', 0.5, None),
        ('<c r="B2" t="b"><v>1</v></c>', True, None),
        ('<c r="B2" t="str"><f>A1</f><v>text</v></c>', "text", None),
        ('<c r="B2" t="str"><f>A1</f><v></v></c>', "", None),
        ('<c r="B2"><f>A1</f></c>', None, "formula-not-calculated"),
        ('<c r="B2" t="e"><v>#N/A</v></c>', None, "cell-error"),
        ('<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', None, "cell-error"),
        ('<c r="B2" t="d"><v>2026-11-22T09:15:00</v></c>', datetime(2026, 11, 22, 9, 15), None),  # noqa: DTZ001 - as above
        ('<c r="B2" t="s"><v>99</v></c>', "", None),
    ]
    for cell, value, problem in cells:
        for odd in ("", "<!-- odd -->"):
            rows = f'<row r="1">{text_cell("A1", "Phone")}{text_cell("B1", "Field")}</row><row r="2"><c r="A2"><v>1</v></c>{cell}</row>{odd}'
            (row,) = ClosedWorkbook(workbook(tmp_path / "a.xlsx", sheet_xml(rows))).read().rows
            found = row.values["Field"]
            assert (found.replace(tzinfo=None) if isinstance(found, datetime) else found) == value, cell
            assert row.problems.get("Field") == problem, cell


@pytest.mark.parametrize("cells", [{"D2": "d", "E2": "e"}, {"E2": "e", "F2": "f"}, {"C2": "c", "E2": "e"}])
def test_cells_behind_the_last_one_of_a_row(tmp_path, cells):
    extra = '<extLst><ext uri="x"/></extLst>'
    rows = f'<row r="2" spans="1:4">{text_cell("D2", "old")}{text_cell("A2", "first")}{extra}</row>'
    path = workbook(tmp_path / "a.xlsx", sheet_xml(rows))
    write_cells(path, {("People", ref): value for ref, value in cells.items()})
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    refs = re.findall(r'<c r="([A-Z]+2)"', xml)
    assert sorted(refs) == sorted({"A2", "D2", *cells}), "each once, also where cells are out of order"
    assert xml.index(extra) > max(xml.index(f'r="{ref}"') for ref in refs)
    assert ("spans" in xml) == (max(cells) <= "D2")


@pytest.mark.parametrize("marked_only", [True, False])
@pytest.mark.parametrize("between", ["", '<c r="D2" t="inlineStr"><is><t>x</t></is></c>'])
@pytest.mark.parametrize("last", [text_cell("C2", "last"), '<c r="C2"/>'])
def test_of_two_cells_of_one_reference_the_last_one_counts_everywhere(tmp_path, marked_only, between, last):
    """No program writes two; openpyxl takes the last one as well."""
    mark = text_cell("D2", "x") if not between else ""
    sheet = people(1).replace(
        text_cell("C2", "Hello {Name}") + text_cell("D2", "x"), text_cell("C2", "first") + between + last + mark
    )
    path = workbook(tmp_path / "a.xlsx", sheet)
    said = openpyxl.load_workbook(path).active["C2"].value
    (row,) = ClosedWorkbook(path).read(marked_only=marked_only).rows
    assert (row.message, row.fields["Message"] or None) == (said, said)


STRAY = {
    "all cells": '<row r="9"><c r="A8"><v>34600000009</v></c><c r="B8" s="0"/></row>',
    "over another": '<row r="8"><c r="A8"><v>34600000008</v></c></row><row r="9"><c r="A8"><v>34600000009</v></c></row>',
    "the last": '<row r="9"><c r="A9"><v>34600000009</v></c><c r="B99" s="0"/></row>',
    "behind an empty row": '<row r="8"/><row r="9"><c r="A8"><v>34600000009</v></c></row>',
    "behind a formula": '<row r="9"><c r="A9"><f t="array" ref="A9">1</f><v>1</v></c><c r="B9"><is/></c><c r="C8"/></row>',
    "row without number": '<row><c r="A8"><v>34600000009</v></c></row>',
}


@pytest.mark.parametrize("prefix", [str, prefixed], ids=["", "prefixed"])
@pytest.mark.parametrize("stray", STRAY.values(), ids=STRAY)
def test_a_cell_that_names_another_row_than_its_own_is_nobodys(tmp_path, stray, prefix):
    """calamine, openpyxl and LibreOffice put it into the row that it names; a state would stand beside another one."""
    path = workbook(tmp_path / "a.xlsx", prefix(sheet_xml(PLAIN + stray)))
    before = path.read_bytes()
    for use in (lambda: list(read_rows(path)), lambda: ClosedWorkbook(path).read(marked_only=True)):
        with pytest.raises(UserError) as caught:
            use()
        assert caught.value.code == "file-damaged"
        assert " in row " in caught.value.facts["reason"]
    assert path.read_bytes() == before


def test_cells_of_any_column_name_their_row(tmp_path):
    """In rows that are plain, but none that the quick check knows."""
    cells = "".join(text_cell(f"{letters}2", "x") for letters in ("A", "Z", "AA", "AZ", "BC", "XFD"))
    path = workbook(tmp_path / "a.xlsx", sheet_xml(HEAD + f'<row r="2">{cells}\n</row>'))
    with opened(path) as book:
        assert survey(book, book.sheets[0]).plain
