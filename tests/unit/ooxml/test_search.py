"""Rows are found by the text of a cell as a thorough reading would find them, and neither sheet nor strings are held."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ooxml.test_patch_model import TEXT, xml_text
from tests.unit.ooxml.test_segment import put, segmented
from tests.workbooks import MAIN, members, people, relations, sheet_xml, text_cell, workbook
from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.ooxml.text import Strings, find_strings
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook

SHEET = "xl/worksheets/sheet1.xml"
WANTED = ("BCD-1", "Sent", "sent to a", "")
ALIKE = ("bcd-1", " BCD-1\n", "\u00a0bcd-1", "BCD -1", "Sent", "SENT", "sent to a", "senttoa", "Señt", "", "a & b")


def prefixed(xml, prefix="x:"):
    """The same table with a prefix before the name of each element."""
    named = re.sub(r"<(/?)(?=[a-zA-Z])", rf"<\1{prefix}", xml)
    return named.replace("xmlns=", f"xmlns:{prefix[:-1]}=", 1)


def table(texts, *, rich=False, space=False, between=""):
    opening = '<t xml:space="preserve">' if space else "<t>"
    plain, runs = f"<si>{opening}{{}}</t></si>", "<si><r><t>{}</t></r><rPh><t>x</t></rPh></si>"
    strings = [(runs if rich and nth % 2 else plain).format(xml_text(text)) for nth, text in enumerate(texts)]
    return f'<sst xmlns="{MAIN}">{between.join(strings)}</sst>'.encode()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(TEXT, st.sampled_from(ALIKE)), max_size=12),
    st.sets(st.one_of(TEXT, st.sampled_from(WANTED))),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "\n ", "<!-- <si> -->"]),
    st.booleans(),
)
def test_the_strings_found_are_those_of_a_look_at_each(texts, wanted, rich, space, between, named):
    data = table(texts, rich=rich, space=space, between=between)
    data = prefixed(data.decode()).encode() if named else data
    whole = Strings([data])
    read = enumerate(whole[number] for number in range(len(whole)))
    expected = {number: text for number, text in read if text in wanted or text.strip().upper() in wanted}
    found = find_strings([data[:40], data[40:]], wanted)
    assert found == expected or (found is None and between.startswith("<"))


HEADERS = ("Phone", "Message", "Status", "SMS ID")
ID = "BCDFGHJKMNPQX"
FORMS = {
    "inline": text_cell("D2", ID),
    "lower case": text_cell("D2", f" {ID.lower()} "),
    "kept blanks": f'<c r="D2" s="1" t="inlineStr"><is><t xml:space="preserve"> {ID}</t></is></c>',
    "escaped": text_cell("D2", f"&#66;{ID[1:]}&#10;"),
    "another blank": text_cell("D2", f"\u00a0{ID}"),
    "runs": f'<c r="D2" t="inlineStr"><is><r><t>{ID[:4]}</t></r><r><t>{ID[4:]}</t></r></is></c>',
    "calculated": f'<c r="D2" t="str"><f>A1</f><v>{ID}</v></c>',
    "attributes": f'<c r="D2" t="inlineStr" s="1"><is><t>{ID}</t></is></c>',
    "shared": '<c r="D2" t="s"><v>0</v></c>',
    "shared, with a style": '<c r="D2" s="1" t="s"><v>1</v></c>',
    "shared runs": '<c r="D2" t="s"><v>2</v></c>',
    "shared and calculated": '<c r="D2" t="s"><f>A1</f><v>0</v></c>',
}
TEXTS = (
    f"<si><t>{ID}</t></si><si><t>\u00a0{ID.lower()}</t></si><si><r><t>{ID[:4]}</t></r><r><t>{ID[4:]}</t></r></si>"
    "<si><t>Sent</t></si><si><t>other</t></si>"
)


def book(path, cell, status='<c r="C2" t="s"><v>4</v></c>'):
    head = "".join(text_cell(f"{letter}1", text) for letter, text in zip("ABCD", HEADERS, strict=True))
    rows = f'<row r="1">{head}</row><row r="2"><c r="A2"><v>34600000001</v></c>{status}{cell}</row>'
    rows += f'<row r="3"><c r="A3"><v>34600000002</v></c>{text_cell("D3", "BCDFGHJKMNPQZ")}</row>'
    return workbook(
        path,
        sheet_xml(rows),
        **{
            "xl__sharedStrings.xml": f'<sst xmlns="{MAIN}">{TEXTS}</sst>',
            "xl/_rels/workbook.xml.rels": relations(
                ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "sharedStrings.xml")
            ),
        },
    )


@pytest.mark.parametrize("form", FORMS)
def test_an_id_is_found_however_its_cell_is_written(tmp_path, form):
    path = book(tmp_path / "a.xlsx", FORMS[form])
    edit = RowEdit(id=ID, values={Role.STATUS: "Sent"})
    missing = RowEdit(id="BCDFGHJKMNPQR", values={Role.STATUS: "Sent"})
    applied = ClosedWorkbook(path).apply([edit, missing])
    assert (applied.done, applied.missing) == ((edit,), (missing,))
    assert [row.status for row in ClosedWorkbook(path).read().rows] == ["Sent", ""]


@pytest.mark.parametrize(("number", "written"), [(3, False), (4, True)])
def test_a_shared_text_is_compared_without_holding_the_others(tmp_path, monkeypatch, number, written):
    path = book(tmp_path / "a.xlsx", FORMS["shared"], f'<c r="C2" t="s"><v>{number}</v></c>')
    before = path.read_bytes()
    monkeypatch.setattr("xlsms.ooxml.book.Strings", None)
    ClosedWorkbook(path).apply([RowEdit(id=ID, values={Role.STATUS: "Sent"})])
    assert (path.read_bytes() != before) is written


def test_rows_are_fetched_by_number_where_some_are_gone_and_some_are_odd(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people(6))
    placed = {row.number: Placed.of(row) for row in ClosedWorkbook(path).read().rows}
    xml = members(path)[SHEET].replace(b'<row r="4">', b'<row ht="15" r="4">')
    gone = xml.index(b'<row r="3">'), xml.index(b'<row ht="15" r="4">')
    workbook(path, xml[: gone[0]] + xml[gone[1] :])
    edits = [RowEdit(values={Role.STATUS: "Sent"}, placed=placed[number]) for number in (2, 3, 4, 6)]
    applied = ClosedWorkbook(path).apply(edits)
    assert applied.stale == (edits[1],)
    assert [row.number for row in ClosedWorkbook(path).read().rows if row.status] == [2, 4, 6]


@pytest.mark.parametrize(
    ("sheet", "code"),
    [
        (
            people(30).replace("</sheetData>", '</sheetData><mergeCells><mergeCell ref="E9:F20"/></mergeCells>'),
            "merged",
        ),
        (
            people(30).replace(
                "</row></sheetData>", '<c r="Z31"><f t="array" ref="E9:F20">A1</f></c></row></sheetData>'
            ),
            "in-array",
        ),
    ],
    ids=["merged", "array"],
)
def test_what_bars_a_cell_of_a_large_sheet_is_seen_while_it_is_written(tmp_path, sheet, code):
    path = workbook(tmp_path / "a.xlsx", sheet)
    before = path.read_bytes()
    with segmented(tmp_path), pytest.raises(UserError) as error:
        put(path, {(2, 5): "Sent", (12, 5): "Sent"})
    assert error.value.code == f"cell-{code}"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("plain", "odd"),
    [
        ('<c r="B20">', "<c r='B20'>"),
        ('<c r="B5">', "<c r='B5'>"),
        ('<row r="20">', '<row ht="15" r="20">'),
        ('<row r="20">', "<!-- a --><row r='20'>"),
        ("</sheetData>", "</sheetData><!-- a -->"),
        ("</sheetData>", "\n</sheetData>"),
    ],
)
def test_an_odd_place_in_a_large_sheet_is_seen_while_it_is_written(tmp_path, plain, odd):
    sheet = people(30)
    assert plain in sheet
    path = workbook(tmp_path / "a.xlsx", sheet.replace(plain, odd))
    with segmented(tmp_path):
        for text in ("Sent", "Delivered"):
            put(path, {(5, 5): text, (5, 2): 7, (40, 1): "new"})
    with tempfile.TemporaryDirectory() as folder:
        same = workbook(Path(folder, "a.xlsx"), sheet.replace(plain, odd))
        put(same, {(5, 5): "Delivered", (5, 2): 7, (40, 1): "new"})
        assert members(same)[SHEET] == members(path)[SHEET]
