"""Generated sheets with every legal oddity, a dict of cells as the model, and an independent reader."""

import re
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workbooks import MAIN, STRICT, members, workbook
from xlsms.ooxml.cells import column_letters, reference
from xlsms.ooxml.scan import rows, survey
from xlsms.ooxml.value import Decoder
from xlsms.workbook import write_cells
from xlsms.workbook.writing import opened

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
VALUES = st.one_of(
    TEXT, st.integers(-(10**14), 10**14), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
CELLS = st.dictionaries(st.tuples(st.integers(1, 12), st.integers(1, 30)), VALUES, max_size=20)


def xml_text(text):
    """XML character data, control characters the OOXML way."""
    text = re.sub("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)", lambda m: f"_x{ord(m[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@st.composite
def sheets(draw):
    """A sheet's XML and what it holds."""
    cells = draw(CELLS)
    prefix = draw(st.sampled_from(["", "", "x:", "ss:"]))
    quote = draw(st.sampled_from('""\''))
    space = draw(st.sampled_from([MAIN, MAIN, STRICT]))
    gap = draw(st.sampled_from(["", "", "\n  ", " "]))
    explicit = draw(st.sampled_from([True, True, False]))

    def tag(name, attributes, inside=None):
        pairs = [f" {key}={quote}{value}{quote}" for key, value in attributes.items()]
        blank = draw(st.sampled_from(["", "", " "]))
        head = f"<{prefix}{name}{''.join(draw(st.permutations(pairs)))}{blank}"
        return head + "/>" if inside is None else f"{head}>{inside}</{prefix}{name}>"

    out = []
    numbers = sorted({row for row, _ in cells} | draw(st.sets(st.integers(1, 12), max_size=3)))
    last_row = 0
    for number in numbers:
        inside = []
        last = 0
        for column in sorted(column for row, column in cells if row == number):
            value = cells[number, column]
            attributes = {"r": f"{column_letters(column)}{number}"}
            if not explicit and column == last + 1 and draw(st.booleans()):
                attributes = {}
            last = column
            attributes |= draw(st.sampled_from([{}, {"s": "0"}]))
            if isinstance(value, bool):
                inside.append(tag("c", attributes | {"t": "b"}, tag("v", {}, str(int(value)))))
            elif isinstance(value, str):
                text = tag("t", {"xml:space": "preserve"}, xml_text(value))
                inside.append(tag("c", attributes | {"t": "inlineStr"}, tag("is", {}, text)))
            else:
                inside.append(tag("c", attributes, tag("v", {}, repr(value))))
        attributes = {} if not explicit and number == last_row + 1 and draw(st.booleans()) else {"r": str(number)}
        last_row = number
        attributes |= draw(st.sampled_from([{}, {"spans": "1:30"}, {"ht": "20", "customHeight": "1"}]))
        out.append(tag("row", attributes, gap + gap.join(inside) if inside or draw(st.booleans()) else None))
        out.append(draw(st.sampled_from(["", "", "", "<!-- <row r='1'> -->"])))
    bound = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    data = tag("sheetData", {}, gap.join(out)) if out else tag("sheetData", {})
    head = draw(st.sampled_from(["", "\ufeff", '<?xml version="1.0" encoding="UTF-8"?>']))
    return f"{head}<{prefix}worksheet {bound}={quote}{space}{quote}>{data}</{prefix}worksheet>", cells


def independent(xml):
    """Cells by ElementTree alone."""
    found, row = {}, 0
    for line in ET.fromstring(xml).findall("{*}sheetData/{*}row"):
        row = int(line.get("r", row + 1))
        column = 0
        for cell in line.findall("{*}c"):
            column = reference(cell.get("r"))[1] if cell.get("r") else column + 1
            assert (row, column) not in found, "twice"
            kind, value = cell.get("t"), cell.findtext("{*}v")
            if kind == "inlineStr":
                text = "".join(node.text or "" for node in cell.iter() if node.tag.endswith("}t"))
                found[row, column] = re.sub("_x([0-9A-F]{4})_", lambda m: chr(int(m[1], 16)), text)
            elif value is not None:
                found[row, column] = value == "1" if kind == "b" else float(value)
    return found


def ours(path):
    with opened(path) as book:
        sheet = book.sheets[0]
        found = survey(book, sheet)
        decoder = Decoder(book, found.prefix)
        return {
            (row.number, reference(f"{cell[0].decode()}1")[1]): value
            for row in rows(book, sheet, found)
            for cell in row.cells
            if (value := decoder.value(cell)[0]) is not None
        }


@settings(max_examples=150, deadline=None)
@given(sheets(), CELLS)
def test_writing_cells_is_a_dict_update(sheet, edits):
    xml, cells = sheet
    with tempfile.TemporaryDirectory() as folder:
        path = workbook(Path(folder, "a.xlsx"), xml.encode())
        assert ours(path) == cells
        write_cells(
            path, {("People", f"{column_letters(column)}{row}"): value for (row, column), value in edits.items()}
        )
        expected = cells | edits
        assert ours(path) == expected
        assert independent(members(path)["xl/worksheets/sheet1.xml"]) == expected
