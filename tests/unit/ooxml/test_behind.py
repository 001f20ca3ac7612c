"""Cells put behind the last ones of many rows at once stand as if each row had been written by itself."""

import shutil
import tempfile
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.ooxml.test_patch_model import TEXT
from tests.unit.ooxml.test_segment import SHEET, put, segmented
from tests.workbooks import members, sheet_xml, text_cell, workbook
from xlsms.errors import UserError
from xlsms.ooxml.rowedit import RowWriter
from xlsms.ooxml.weave import Weaver
from xlsms.workbook import read_rows

STYLES = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="22" fontId="1"/><xf numFmtId="0" fontId="1"/></cellXfs>'
    "</styleSheet>"
)
COLUMNS = '<cols><col min="5" max="6" width="9" style="1"/></cols>'
TAGS = st.sampled_from(["", ' spans="1:4"', ' spans="1:9"', ' s="2" customFormat="1"', ' ht="20" hidden="1"'])
VALUES = st.one_of(
    TEXT, st.integers(-(10**16), 10**16), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(),
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - wall-clock time, as a cell holds it
)  # fmt: skip
ODD = (
    "", '<c r="{ref}"/>', '<c r="{ref}" s="2"/>', '<c r="{ref}" s="1" t="s"><v>0</v></c>', '<c r="{ref}"><v>7</v></c>',
    '<c r="{ref}" cm="1"><v>7</v></c>', '<c r="{ref}"><f>A1</f><v>7</v></c>', '<c r="{ref}"><f>A1</f></c>',
    '<c r="{ref}" t="inlineStr"><is><r><t>x</t></r></is></c>', '<c r="{ref}" t="inlineStr"><is><t>x</t></is></c>',
)  # fmt: skip
BEHIND = st.dictionaries(st.tuples(st.integers(1, 12), st.integers(3, 8)), VALUES, min_size=2, max_size=30)


def rows(tags, gap=""):
    lines = (
        f'<row r="{row}"{tag}>{text_cell(f"A{row}", "a &amp; b")}<c r="B{row}"><v>{row}</v></c></row>'
        for row, tag in enumerate(tags, 1)
    )
    return gap.join(lines)


@settings(max_examples=100, deadline=None)
@given(st.lists(TAGS, min_size=12, max_size=12), BEHIND, st.sampled_from(["", "", "\n"]), BEHIND)
@example([""] * 12, {(1, 3): "Status", (2, 3): "Queued", (3, 3): "Queued", (3, 5): None}, "", {(2, 3): 1, (4, 4): "x"})
def test_the_xml_is_that_of_one_row_after_the_other(tags, first, gap, second):
    with tempfile.TemporaryDirectory() as folder:
        slow = workbook(Path(folder, "slow.xlsx"), sheet_xml(rows(tags, gap), before=COLUMNS), xl_styles_xml=STYLES)
        woven = Path(shutil.copy(slow, Path(folder, "woven.xlsx")))
        behind = Path(shutil.copy(slow, Path(folder, "behind.xlsx")))
        for edits in (first, second):
            put(slow, edits)
            with segmented(folder):
                put(woven, edits)
            with segmented(folder) as patch:
                patch.setattr(Weaver, "write", lambda *_: None)
                put(behind, edits)
            assert members(woven)[SHEET] == members(behind)[SHEET] == members(slow)[SHEET]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(TAGS, st.lists(st.sampled_from(ODD), max_size=2)), min_size=12, max_size=12),
    st.dictionaries(st.tuples(st.integers(1, 12), st.integers(2, 6)), VALUES, min_size=8, max_size=60),
)
def test_what_stands_there_already_is_replaced_as_one_by_one(lines, edits):
    xml = ""
    for row, (tag, odd) in enumerate(lines, 1):
        cells = text_cell(f"A{row}", "a") + "".join(
            cell.format(ref=f"{letter}{row}") for letter, cell in zip("CE", odd, strict=False)
        )
        tag = tag.replace("1:4", "1:5")  # noqa: PLW2901 - what it says of the cells is true
        xml += f'<row r="{row}"{tag}>{cells}</row>' if odd != [ODD[0]] else f'<row r="{row}"{tag}/>'
    with tempfile.TemporaryDirectory() as folder:
        slow = workbook(Path(folder, "slow.xlsx"), sheet_xml(xml, before=COLUMNS), xl_styles_xml=STYLES)
        woven = Path(shutil.copy(slow, Path(folder, "woven.xlsx")))
        assert outcome(slow, edits) == outcome(woven, edits, folder)


def outcome(path, edits, folder=None):
    """The code of what refuses it, and the sheet."""
    code = None
    with segmented(folder) if folder else nullcontext():
        try:
            put(path, edits)
        except UserError as error:
            code = error.code
    return code, members(path)[SHEET]


def test_a_list_that_gets_its_first_states_is_written_without_a_look_at_each_row(tmp_path, monkeypatch):
    header = "".join(text_cell(f"{letter}1", text) for letter, text in zip("ABC", ("Name", "Phone", "x"), strict=True))
    path = workbook(tmp_path / "a.xlsx", sheet_xml(f'<row r="1">{header}</row>' + rows([""] * 41)[len(rows([""])) :]))
    monkeypatch.delattr(RowWriter, "edited")
    with segmented(tmp_path):
        put(path, {(row, column): f"{row}-{column}" for row in range(2, 42) for column in (4, 6)})
    assert [row.number for row in read_rows(path)] == list(range(2, 42))
