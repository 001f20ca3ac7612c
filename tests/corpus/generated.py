"""A workbook for every feature that was seen in real ones, made by XlsxWriter, openpyxl or by hand, each with its proof.

A kind is a function that makes the file, and a pattern that its sheet (or its package) must then hold: a library that
stops writing the feature makes the test fail instead of empty.
"""

import datetime as dt
import io
import re
import zipfile

import openpyxl
import xlsxwriter
from openpyxl.workbook.protection import WorkbookProtection

from tests.workbooks import MAIN, RELATIONS, STRICT, members, packed

SHEET = "xl/worksheets/sheet1.xml"
LAST = 6  # of the rows in use


def by_xlsxwriter(path, more=lambda _book, _sheet: None, **options):
    """People with a phone, an amount and a status."""
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, ["Name", "Phone", "Amount", "Status"])
        for row in range(1, LAST):
            sheet.write_row(row, 0, [f"Person {row}", 34600000000 + row, row * 1.5, "Queued"])
        more(book, sheet)


def by_openpyxl(path, more=lambda _book, _sheet: None):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "People"
    sheet.append(["Name", "Phone", "Amount", "Status"])
    for row in range(1, LAST):
        sheet.append([f"Person {row}", 34600000000 + row, row * 1.5, "Queued"])
    more(book, sheet)
    book.save(path)


def changed(change, *, member=SHEET, method=zipfile.ZIP_DEFLATED, stream=False, base=by_xlsxwriter):
    """A library's file with one part rewritten as other programs write it."""

    def make(path):
        base(path)
        made = members(path)
        made[member] = change(made[member].decode()) if member in made else change("")
        made[member] = made[member].encode() if isinstance(made[member], str) else made[member]
        path.write_bytes(packed(made, method=method, stream=stream))

    return make


def xlsx(more, **options):
    return lambda path: by_xlsxwriter(path, more, **options)


def opx(more):
    return lambda path: by_openpyxl(path, more)


def prefixed(xml):
    out = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", xml)
    return out.replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')


def table(_, sheet):
    columns = [{"header": "Name", "total_string": "All"}, {"header": "Phone"},
               {"header": "Amount", "total_function": "sum"}, {"header": "Status"},
               {"header": "Twice", "formula": "=[@Amount]*2"}]  # fmt: skip
    sheet.add_table(0, 0, LAST, 4, {"total_row": True, "columns": columns})


def rich(book, sheet):
    bold = book.add_format({"bold": True})
    sheet.write_rich_string("F2", "half ", bold, "bold")


def strict(path):
    by_xlsxwriter(path)
    office = "http://purl.oclc.org/ooxml/officeDocument/relationships"
    made = {
        name: part.replace(MAIN.encode(), STRICT.encode()).replace(RELATIONS.encode(), office.encode())
        for name, part in members(path).items()
    }
    path.write_bytes(packed(made))


def calc_chain(path):
    by_xlsxwriter(path, lambda _, sheet: sheet.write_formula("F2", "=C2*2", None, 3))
    made = members(path)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"
    made["[Content_Types].xml"] = made["[Content_Types].xml"].replace(
        b"</Types>", f'<Override PartName="/xl/calcChain.xml" ContentType="{kind}"/></Types>'.encode()
    )
    made["xl/_rels/workbook.xml.rels"] = made["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        f'<Relationship Id="rId99" Type="{RELATIONS}/calcChain" Target="calcChain.xml"/></Relationships>'.encode(),
    )
    made["xl/calcChain.xml"] = f'<calcChain xmlns="{MAIN}"><c r="F2" i="1"/></calcChain>'.encode()
    path.write_bytes(packed(made))


def zip64(path):
    by_xlsxwriter(path)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in members(path).items():
            with package.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(part)
    path.write_bytes(out.getvalue())


def backslashes(path):
    by_xlsxwriter(path)
    made = members(path)
    path.write_bytes(b"")
    with zipfile.ZipFile(path, "w") as package:
        for name, part in made.items():
            info = zipfile.ZipInfo("placeholder")
            info.filename = name.replace("/", "\\") if name == "xl/theme/theme1.xml" else name
            package.writestr(info, part)


def in_rows(old, new):
    """A change of the raw XML that must find what it changes."""

    def change(xml):
        out = re.sub(old, new, xml)
        assert out != xml
        return out

    return changed(change)


TODAY = dt.date(2026, 11, 22)

#: name -> how it is made, and what must be found in the sheet
KINDS = {
    "spans": (xlsx(lambda *_: None), r'spans="1:4"'),
    "formulas": (xlsx(lambda _, sheet: sheet.write_formula("F2", "=C2*2", None, 3)), r"<f>C2\*2</f><v>3</v>"),
    "empty sheetData": (changed(lambda xml: re.sub(r"<sheetData>.*</sheetData>", "<sheetData/>", xml)), r"<sheetData/>"),
    "calcChain": (calc_chain, r"<f>C2\*2</f>"),
    "stored members": (changed(lambda xml: xml, method=zipfile.ZIP_STORED), r"<row"),
    "tables, totals row and calculated columns": (xlsx(table), r"<tablePart "),
    "merged cells": (xlsx(lambda _, sheet: sheet.merge_range("F2:G4", "merged")), r"<mergeCell "),
    "shared formulas": (
        in_rows(r'(<c r="D2".*?</c>)', r'\1<c r="F2"><f t="shared" ref="F2:F4" si="0">C2*2</f><v>3</v></c>'),
        r't="shared"',
    ),
    "byte order mark": (changed(lambda xml: "\ufeff" + xml), "^\ufeff"),
    "prefixed XML": (changed(prefixed), r"<x:row"),
    "xml:space": (
        in_rows(r'<c r="D6".*?</c>', '<c r="D6" t="inlineStr"><is><t xml:space="preserve"> a </t></is></c>'),
        r'xml:space="preserve"',
    ),
    "self-closed rows": (changed(lambda xml: xml.replace("</sheetData>", '<row r="9" ht="30"/></sheetData>')), r'<row r="9" ht="30"/>'),
    "formulas that give text": (xlsx(lambda _, sheet: sheet.write_formula("F2", '="a"&"b"', None, "ab")), r't="str"'),
    "data descriptors": (changed(lambda xml: xml, stream=True), r"<row"),
    "workbook protection": (
        opx(lambda book, _: setattr(book, "security", WorkbookProtection(lockStructure=True))), r"<row"
    ),
    "rich text": (xlsx(rich), r't="s"'),
    "sheet protection": (xlsx(lambda _, sheet: sheet.protect("secret")), r"<sheetProtection "),
    "no dimension": (in_rows(r"<dimension [^>]*/>", ""), r"<worksheet(?!.*<dimension)"),
    "hidden rows": (xlsx(lambda _, sheet: sheet.set_row(2, options={"hidden": True})), r'hidden="1"'),
    "inline strings": (xlsx(lambda *_: None, constant_memory=True), r't="inlineStr"'),
    "sheet autofilter": (xlsx(lambda _, sheet: sheet.autofilter("A1:D6")), r"<autoFilter "),
    "AlternateContent": (
        changed(lambda xml: xml.replace("</worksheet>", '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Fallback/></mc:AlternateContent></worksheet>')),
        r"<mc:AlternateContent",
    ),
    "cm marks of dynamic arrays": (
        xlsx(lambda _, sheet: sheet.write_dynamic_array_formula("F2:F4", "=SORT(C2:C4)", None, 1.5)), r' cm="1"'
    ),
    "date1904": (xlsx(lambda _, sheet: sheet.write_datetime("F2", dt.datetime(2026, 11, 22)), date_1904=True), r"<row"),  # noqa: DTZ001 - wall-clock time
    "formulas without a value": (opx(lambda _, sheet: sheet.__setitem__("F2", "=C2*2")), r"<f>C2\*2</f><v ?/>|<f>C2\*2</f></c>|<f>C2\*2</f><v></v>"),
    "strict": (strict, r"purl\.oclc\.org"),
    "cells without r": (in_rows(r'<c r="[A-D]([2-6])"', "<c"), r"<c>|<c t"),
    "rows without r": (in_rows(r'<row r="[1-6]"', "<row"), r"<row spans"),
    "backslash names": (backslashes, r"<row"),
    "ISO dates": (opx(lambda book, sheet: (setattr(book, "iso_dates", True), sheet.__setitem__("F2", TODAY))), r't="d"'),
    "CDATA": (
        in_rows(r'<c r="D6".*?</c>', '<c r="D6" t="inlineStr"><is><t><![CDATA[a & b]]></t></is></c>'),
        r"<!\[CDATA\[",
    ),
    "comments": (in_rows(r'<row r="3"', '<!-- <row r="3"> --><row r="3"'), r"<!--"),
    "single quotes": (changed(lambda xml: xml.replace('"', "'")), r"<row r='"),
    "rows with r not first": (in_rows(r'<row r="(\d)" (spans="1:4")', r'<row \2 r="\1"'), r'<row spans="1:4" r="2"'),
    "an empty stylesheet": (
        changed(lambda _: f'<styleSheet xmlns="{MAIN}" xml:space="preserve"/>', member="xl/styles.xml"), r"<row"
    ),
    "zip64": (zip64, r"<row"),
    "ISO-8859-1": (changed(lambda xml: xml.replace("UTF-8", "ISO-8859-1").encode("latin-1")), r"ISO-8859-1"),
    "UTF-16": (changed(lambda xml: xml.replace("UTF-8", "UTF-16").encode("utf-16")), "U\0T\0F\0-\x001\x006"),
}  # fmt: skip


def rows_out_of_order(xml):
    lines = re.findall(r"<row .*?</row>", xml)
    return xml.replace("".join(lines), "".join([lines[0], *reversed(lines[1:])]))


CALAMINE_LACKS = frozenset({"ISO-8859-1", "UTF-16"})  #: encodings that it does not know

#: name -> how it is made, and the code of the reason
REFUSED = {
    "rows out of order": (changed(rows_out_of_order), "file-damaged"),
    "a cut zip": (lambda path: (by_xlsxwriter(path), path.write_bytes(path.read_bytes()[:-30])), "file-incomplete"),
    "names equal but for case": (changed(lambda _: "x", member="XL/WORKBOOK.XML"), "file-damaged"),
}
