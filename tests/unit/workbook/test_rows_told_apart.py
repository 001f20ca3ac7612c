"""Rows whose cells are told apart at once get what they would get one by one."""

import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.ooxml.test_search import FORMS, HEADERS, ID, SHEET, TEXTS
from tests.unit.ooxml.test_segment import segmented
from tests.workbooks import MAIN, members, relations, sheet_xml, text_cell, workbook
from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.ooxml.search import Search
from xlsms.ooxml.segment import stretches
from xlsms.workbook import read_rows
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook

IDS = [ID, "BCDFGHJKMNPQZ", "BCDFGHJKMNPQR", "BCDFGHJKMNPQW"]
NEW = "Z" * 13
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
VALUES = {
    Role.STATUS: st.sampled_from(["Sent", "other", "", None, "a & b"]),
    Role.ID: st.sampled_from([*IDS, None]),
    Role.MESSAGE: st.sampled_from(["Hello", "1", 1, 1.0, True, AT, None]),
}
ID_CELLS = st.one_of(
    st.just(""),
    st.sampled_from(list(FORMS.values())).map(lambda xml: xml.replace('"D2"', '"D{row}"')),
    st.sampled_from(IDS).map(lambda text: text_cell("D{row}", text)),
)
OTHER = st.sampled_from([
    "", '<c r="{ref}"/>', '<c r="{ref}" s="1"/>', '<c r="{ref}" t="s"><v>3</v></c>', '<c r="{ref}"><f>A1</f><v>1</v></c>',
    '<c r="{ref}" t="b"><v>1</v></c>', '<c r="{ref}"><v>1</v></c>', '<c r="{ref}" s="1"><v>46083.3958333333</v></c>',
    '<c r="{ref}" t="inlineStr"><is><t>Sent</t></is></c>', '<c r="{ref}" t="inlineStr"><is><t xml:space="preserve"> Sent</t></is></c>',
    '<c r="{ref}" t="inlineStr"><is><t>2026-03-02 09:30</t></is></c>', "<c r='{ref}'><v>1</v></c>",
])  # fmt: skip
ROWS = st.lists(
    st.tuples(st.sampled_from(["", ' spans="1:4"', ' hidden="1"']), OTHER, OTHER, ID_CELLS), min_size=2, max_size=7
)
EDITS = st.lists(
    st.tuples(
        st.sampled_from([*IDS, *range(2, 10)]),
        st.booleans(),
        st.fixed_dictionaries({}, optional=VALUES),
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/>'
    "</cellXfs></styleSheet>"
)


def book(path, rows):
    lines = [
        '<row r="1">' + "".join(text_cell(f"{at}1", it) for at, it in zip("ABCD", HEADERS, strict=True)) + "</row>"
    ]
    for row, (tag, message, status, identity) in enumerate(rows, 2):
        cells = message.format(ref=f"B{row}") + status.format(ref=f"C{row}") + identity.replace("{row}", str(row))
        lines.append(f'<row r="{row}"{tag}><c r="A{row}"><v>{34600000000 + row}</v></c>{cells}</row>')
    related = relations(
        ("rId1", "worksheet", "worksheets/sheet1.xml"),
        ("rId2", "sharedStrings", "sharedStrings.xml"),
        ("rId3", "styles", "styles.xml"),
    )
    strings = f'<sst xmlns="{MAIN}">{TEXTS}</sst>'
    more = {"xl__sharedStrings.xml": strings, "xl/_rels/workbook.xml.rels": related, "xl/styles.xml": STYLES}
    return workbook(path, sheet_xml("".join(lines)), **more)


def applied(path, edits, most):
    """What comes of it where rows are told apart at once from more than `most` rows and texts on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xlsms.ooxml.search._MANY", most)
        try:
            found = ClosedWorkbook(path, zone=UTC).apply(edits)
        except UserError as error:
            return error.code
    refused = [(refusal.edit, refusal.role, refusal.error.code, refusal.error.place) for refusal in found.refused]
    return found.done, found.missing, found.stale, found.ambiguous, refused, members(path)[SHEET]


@settings(max_examples=300, deadline=None)
@given(ROWS, EDITS)
@example([("", "", "", FORMS["shared"].replace('"D2"', '"D{row}"'))] * 2, [(ID, True, {Role.STATUS: "Sent"})])
@example(  # refused in the order of the edits, and not of the columns
    [("", '<c r="{ref}"><f>A1</f><v>1</v></c>', '<c r="{ref}"><f>A1</f><v>1</v></c>', "")] * 2,
    [(row, False, {Role.MESSAGE: "Hello", Role.STATUS: "Sent"}) for row in (2, 3)],
)
@example([("", "", "", "")] * 2, [(2, False, {Role.STATUS: ""}), (3, False, {Role.STATUS: "Sent"})])
def test_what_is_written_is_what_would_be_written_row_by_row(rows, asked):
    with tempfile.TemporaryDirectory() as folder:
        slow = book(Path(folder, "slow.xlsx"), rows)
        placed = {row.number: Placed.of(row) for row in ClosedWorkbook(slow, zone=UTC).read().rows}
        edits = []
        for which, hint, values in asked:
            place = placed.get(which if isinstance(which, int) else 2)
            if isinstance(which, str):
                edits.append(RowEdit(id=which, values=values, placed=place if hint else None))
            elif place is not None:
                edits.append(RowEdit(placed=place, values=values))
        quick = Path(shutil.copy(slow, Path(folder, "quick.xlsx")))
        assert applied(quick, edits, -1) == applied(slow, edits, 1000)


def long_list(path):
    rows = [("", "", "", text_cell("D{row}", f"{ID[:-1]}{letter}")) for letter in "BCDFGHJKMNPQRSTVWXZ"]
    return book(path, rows)


class Loads:
    """Counts the segments of a sheet that are inflated to look for rows."""

    def __init__(self):
        self.all = self.loaded = 0

    def stretches(self, package, member, index):
        for stretch in stretches(package, member, index):
            self.all += 1
            yield replace(stretch, load=partial(self.load, stretch))

    def load(self, stretch):
        self.loaded += 1
        return stretch.load()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sets(st.integers(2, 20), min_size=1, max_size=6), min_size=1, max_size=4))
def test_pieces_of_a_list_are_written_as_in_a_whole_look(pieces):
    with tempfile.TemporaryDirectory() as folder:
        whole = long_list(Path(folder, "whole.xlsx"))
        parts = Path(shutil.copy(whole, Path(folder, "parts.xlsx")))
        for nth, numbers in enumerate(pieces):
            for path, known in ((whole, False), (parts, True)):
                rows = {row.number: row for row in read_rows(path)}
                edits = [
                    RowEdit(placed=Placed.of(rows[number]), values={Role.STATUS: f"{nth}"})
                    for number in sorted(numbers)
                ]
                with segmented(folder) as patch:
                    if not known:
                        patch.setattr("xlsms.workbook.layout.index_of", lambda _: None)
                    assert ClosedWorkbook(path).apply(edits).done == tuple(edits)
            assert members(whole)[SHEET] == members(parts)[SHEET]


ROUNDS = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([*IDS, *range(2, 16)]),
            st.fixed_dictionaries({}, optional={**VALUES, Role.ID: st.sampled_from([*IDS, ID.lower(), "?", None])}),
        ),
        min_size=1,
        max_size=6,
    ),
    min_size=2,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.just(""), OTHER, OTHER, ID_CELLS), min_size=9, max_size=14), ROUNDS, st.booleans())
def test_ids_are_found_wherever_they_have_come_to_stand_since_they_were_looked_for(rows, rounds, many):
    with tempfile.TemporaryDirectory() as folder:
        whole = book(Path(folder, "whole.xlsx"), rows)
        parts = Path(shutil.copy(whole, Path(folder, "parts.xlsx")))
        for asked in rounds:
            came_of = []
            for path, known in ((whole, False), (parts, True)):
                placed = {row.number: Placed.of(row) for row in ClosedWorkbook(path, zone=UTC).read().rows}
                edits = [
                    RowEdit(id=which, values=values)
                    if isinstance(which, str)
                    else RowEdit(placed=placed[which], values=values)
                    for which, values in asked
                    if isinstance(which, str) or which in placed
                ]
                with segmented(folder) as patch:
                    if not known:
                        patch.setattr("xlsms.workbook.layout.index_of", lambda _: None)
                    came_of.append(applied(path, edits, -1 if many else 1000))
            assert came_of[0][:4] == came_of[1][:4]
            assert came_of[0][5] == came_of[1][5]


@pytest.mark.parametrize("most", [-1, 1000])
@pytest.mark.parametrize("written", [NEW, NEW.lower(), f" {NEW}"])  # the last is none of those that are kept in mind
def test_ids_are_looked_for_where_they_stood_or_were_written(tmp_path, written, most):
    path = long_list(tmp_path / "a.xlsx")
    with segmented(tmp_path) as patch:
        patch.setattr("xlsms.ooxml.search._MANY", most)
        for status in ("Queued", "Held"):  # it becomes ours, and is looked through
            ClosedWorkbook(path).apply([RowEdit(id=ID, values={Role.STATUS: status})])
        rows = {row.number: row for row in read_rows(path)}
        ClosedWorkbook(path).apply([RowEdit(placed=Placed.of(rows[9]), values={Role.ID: written})])
        loads = Loads()
        patch.setattr("xlsms.workbook.segments.stretches", loads.stretches)
        ClosedWorkbook(path).apply([RowEdit(id=each, values={Role.STATUS: "Sent"}) for each in (ID, NEW)])
    assert 0 < loads.loaded <= 3 < loads.all
    assert {row.number: row.id.upper() for row in read_rows(path) if row.status == "Sent"} == {9: NEW, 19: ID}


@pytest.mark.parametrize("most", [-1, 1000])
@pytest.mark.parametrize("form", FORMS)
def test_an_id_is_found_beside_others_however_its_cell_is_written(tmp_path, form, most):
    rows = [("", "", "", text_cell("D{row}", IDS[1])), ("", "", "", FORMS[form].replace('"D2"', '"D{row}"'))]
    path = book(tmp_path / "a.xlsx", rows)
    with segmented(tmp_path) as patch:
        patch.setattr("xlsms.ooxml.segment.SIZE", 5000)  # they are in one segment
        patch.setattr("xlsms.ooxml.search._MANY", most)
        for status in ("Queued", "Held"):
            assert ClosedWorkbook(path).apply([RowEdit(id=IDS[1], values={Role.STATUS: status})]).missing == ()
        assert ClosedWorkbook(path).apply([RowEdit(id=ID, values={Role.STATUS: "Sent"})]).missing == ()


def test_ids_are_found_in_segments_that_were_cut_anew(tmp_path):
    path = long_list(tmp_path / "a.xlsx")
    ids = [row.id for row in read_rows(path)]
    with segmented(tmp_path):
        for status in ("Queued", "Held"):
            ClosedWorkbook(path).apply([RowEdit(id=ID, values={Role.STATUS: status})])
        with pytest.MonkeyPatch.context() as lost:  # what was known goes while it is written
            lost.setattr("xlsms.workbook.writing.index_of", lambda _: None)
            lost.setattr("xlsms.ooxml.segment.SIZE", 700)
            ClosedWorkbook(path).apply([RowEdit(id=ID, values={Role.STATUS: "Sent"})])
        for each in ids:
            assert ClosedWorkbook(path).apply([RowEdit(id=each, values={Role.STATUS: "Sent"})]).missing == ()


def test_only_the_segments_with_the_rows_of_a_piece_are_looked_at(tmp_path):
    path = long_list(tmp_path / "a.xlsx")
    with segmented(tmp_path) as patch:
        ClosedWorkbook(path).apply([RowEdit(id=ID, values={Role.STATUS: "Sent"})])
        rows = [row for row in read_rows(path) if row.number in (3, 18)]
        loads = Loads()
        patch.setattr("xlsms.workbook.segments.stretches", loads.stretches)
        patch.setattr("xlsms.workbook.layout.survey", None)
        ClosedWorkbook(path).apply([RowEdit(placed=Placed.of(row), values={Role.STATUS: "Sent"}) for row in rows])
    assert 0 < loads.loaded <= 3 < loads.all
    assert {3, 18} < {row.number for row in read_rows(path) if row.status}


def test_segments_that_are_not_as_they_are_known_are_forgotten(tmp_path):
    path = long_list(tmp_path / "a.xlsx")
    with segmented(tmp_path) as patch:
        ClosedWorkbook(path).apply([RowEdit(id=ID, values={Role.STATUS: "Sent"})])
        rows = [row for row in read_rows(path) if row.number == 9]
        edits = [RowEdit(placed=Placed.of(row), values={Role.STATUS: "Sent"}) for row in rows]

        def shifted(package, member, index):
            segments = tuple(replace(each, last=each.last + 1) if each.last else each for each in index.segments)
            return stretches(package, member, replace(index, segments=segments))

        patch.setattr("xlsms.workbook.segments.stretches", shifted)
        assert ClosedWorkbook(path).apply(edits).done == tuple(edits)
    assert sum(row.status == "Sent" for row in read_rows(path)) == 2


def test_many_rows_are_not_searched_one_by_one(tmp_path, monkeypatch):
    path = long_list(tmp_path / "a.xlsx")
    monkeypatch.setattr("xlsms.ooxml.search._MANY", 10)
    monkeypatch.delattr(Search, "_search")
    monkeypatch.delattr(Search, "_fetch")
    edits = [RowEdit(id=row.id, values={Role.STATUS: "Sent"}) for row in read_rows(path)]
    assert ClosedWorkbook(path).apply(edits).done == tuple(edits)
    edits = [RowEdit(placed=Placed.of(row), values={Role.STATUS: None}) for row in read_rows(path)]
    assert ClosedWorkbook(path).apply(edits).done == tuple(edits)
