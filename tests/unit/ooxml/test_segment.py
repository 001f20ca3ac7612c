"""Writing in segments writes the same bytes as writing in one, and nothing that was remembered is ever believed."""

import re
import shutil
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ooxml.test_patch_model import CELLS, VALUES, independent, sheets
from tests.workbooks import members, people, sheet_xml, text_cell, workbook
from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import Area, column_letters
from xlsms.ooxml.deflate import DAMAGED, deflated_segment, inflated_segment
from xlsms.ooxml.package import Package
from xlsms.ooxml.segment import Index, Segment, joined
from xlsms.workbook import segments, write_cells
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.cell import write
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.setup import set_up
from xlsms.workbook.writing import opened

SHEET = "xl/worksheets/sheet1.xml"


@contextmanager
def segmented(folder):
    """Every sheet is large, and its segments are a few rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLSMS_CACHE", str(folder))
        patch.setattr("xlsms.ooxml.patch.SMALL", 0)
        patch.setattr("xlsms.workbook.segments.SMALL", 0)
        patch.setattr("xlsms.ooxml.segment.SIZE", 200)
        patch.setattr("xlsms.ooxml.package._CHUNK", 40)
        patch.setattr("xlsms.ooxml.plainedit._DENSE", 1)
        patch.setattr("xlsms.ooxml.readback._DENSE", 1)
        yield patch


def put(path, edits):
    write_cells(path, {("People", f"{column_letters(column)}{row}"): value for (row, column), value in edits.items()})


def index(path):
    with opened(path) as book:
        return segments.index_of(book.sheets[0].member)


@settings(max_examples=100, deadline=None)
@given(
    sheets(),
    st.tuples(CELLS, CELLS, st.dictionaries(st.tuples(st.integers(10, 40), st.integers(1, 4)), VALUES, max_size=3)),
)
def test_the_xml_is_that_of_writing_in_one(sheet, rounds):
    xml, cells = sheet
    with tempfile.TemporaryDirectory() as folder:
        slow = workbook(Path(folder, "slow.xlsx"), xml.encode())
        quick = Path(shutil.copy(slow, Path(folder, "quick.xlsx")))
        for edits in rounds:
            put(slow, edits)
            with segmented(folder):
                put(quick, edits)
            cells = cells | edits
            assert members(quick) == members(slow)
            assert independent(members(quick)[SHEET]) == cells


@pytest.mark.parametrize("every", [1, 2, 3])
def test_rows_whose_tags_only_a_parser_reads_are_not_lost_on_the_way(tmp_path, every):
    tags = [f'<row r="{row}"' + (" ht='12'>" if row % every == 0 else ">") for row in range(1, 60)]
    rows = "".join(tag + text_cell(f"A{row}", f"name {row}") + "</row>" for row, tag in enumerate(tags, 1))
    slow = workbook(tmp_path / "slow.xlsx", sheet_xml(rows))
    quick = Path(shutil.copy(slow, tmp_path / "quick.xlsx"))
    edits = {(row, 2): "Sent" for row in (7, 30, 31, 59, 70)}
    put(slow, edits)
    with segmented(tmp_path):
        put(quick, edits)
        put(quick, edits)
    assert members(quick) == members(slow)
    assert independent(members(quick)[SHEET]).items() >= edits.items()


def test_a_later_write_copies_the_segments_it_does_not_touch(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people(60))
    with segmented(tmp_path):
        put(path, {(2, 5): "Sent"})
        first = index(path)
        put(path, {(30, 5): "Delivered"})
        second = index(path)
        changed = [a != b for a, b in zip(first.segments, second.segments, strict=True)]
        assert len(changed) > 5
        assert sum(changed) == 1


def test_an_index_of_another_save_is_void(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people(60))
    with segmented(tmp_path):
        put(path, {(2, 5): "Sent"})
        assert index(path) is not None
        workbook(path, members(path)[SHEET])  # saved by somebody else
        assert index(path) is None
        put(path, {(30, 5): "Delivered"})
    assert independent(members(path)[SHEET])[30, 5] == "Delivered"


def spoilt(stored, at):
    return stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]


@pytest.mark.parametrize("at", [0, 7, 8, 20, -5, -1])
def test_a_spoilt_index_is_none(tmp_path, at):
    path = workbook(tmp_path / "a.xlsx", people(60))
    with segmented(tmp_path):
        put(path, {(2, 5): "Sent"})
        (entry,) = tmp_path.glob("*.segments")
        entry.write_bytes(spoilt(entry.read_bytes(), at % len(entry.read_bytes())))
        assert index(path) is None
        put(path, {(30, 5): "Delivered"})
    assert independent(members(path)[SHEET])[30, 5] == "Delivered"


@pytest.mark.parametrize("at", [0, 3, -1])
def test_an_index_that_does_not_fit_is_forgotten_and_the_whole_written(tmp_path, at):
    path = workbook(tmp_path / "a.xlsx", people(60))
    with segmented(tmp_path):
        put(path, {(2, 5): "Sent"})
        true = index(path)
        wrong = list(true.segments)
        moved = wrong[at]
        wrong[at] = Segment(moved.last, moved.packed + 1, moved.size, moved.crc)
        wrong[at - 1] = Segment(wrong[at - 1].last, wrong[at - 1].packed - 1, wrong[at - 1].size, wrong[at - 1].crc)
        (entry,) = tmp_path.glob("*.segments")
        entry.write_bytes(
            Index(crc=true.crc, size=true.size, packed=true.packed, arrays=(), segments=tuple(wrong)).dump()
        )
        assert index(path).segments == tuple(wrong)
        put(path, {(row, 5): "Delivered" for row in range(2, 60)})
    found = independent(members(path)[SHEET])
    assert {found[row, 5] for row in range(2, 60)} == {"Delivered"}


@pytest.mark.parametrize("by", [-40, -7, -1, 1, 7, 40])
@pytest.mark.parametrize("row", [*range(4, 130, 6), 130, 132])
def test_an_index_that_lies_about_its_rows_puts_no_row_in_the_wrong_place(tmp_path, row, by):
    """Checksums, sizes, everything fits but the numbers of the rows: as made by somebody who means harm."""
    rows = {number: f'<row r="{number}">{text_cell(f"A{number}", "Ana " * 20)}</row>' for number in range(1, 131, 3)}
    path = workbook(tmp_path / "a.xlsx", sheet_xml("".join(rows.values())))
    with segmented(tmp_path):
        put(path, {(1, 5): "Sent"})
        true = index(path)
        assert len(true.segments) > 5
        wrong = tuple(
            replace(segment, last=max(1, segment.last + by)) if segment.last else segment for segment in true.segments
        )
        (entry,) = tmp_path.glob("*.segments")
        entry.write_bytes(replace(true, segments=wrong).dump())
        put(path, {(row, 5): "Delivered"})
        sheet = members(path)[SHEET]
    assert independent(sheet)[row, 5] == "Delivered"
    numbers = [int(number) for number in re.findall(rb'<row r="([0-9]+)"', sheet)]
    assert numbers == sorted({*rows, row})


@pytest.mark.parametrize("which", ["head", "tail"])
def test_an_index_that_takes_rows_for_the_head_or_the_tail_is_forgotten(tmp_path, which):
    path = workbook(tmp_path / "a.xlsx", people(60))
    with segmented(tmp_path):
        put(path, {(2, 5): "Sent"})
        true = index(path)
        at = 0 if which == "head" else len(true.segments) - 2
        one, two = true.segments[at : at + 2]
        both = Segment(0, one.packed + two.packed, one.size + two.size, joined((one, two)))
        (entry,) = tmp_path.glob("*.segments")
        wrong = replace(true, segments=(*true.segments[:at], both, *true.segments[at + 2 :]))
        entry.write_bytes(wrong.dump())
        assert index(path) == wrong
        put(path, {(row, 5): "Delivered" for row in range(2, 62)})
        sheet = members(path)[SHEET]
    assert {independent(sheet)[row, 5] for row in range(2, 62)} == {"Delivered"}
    assert len(re.findall(rb"<row ", sheet)) == 61


@pytest.mark.parametrize("times", [1, 2])
def test_a_new_file_that_went_wrong_on_disk_is_never_put_in_place(tmp_path, times):
    path = workbook(tmp_path / "a.xlsx", people(60))
    with segmented(tmp_path):
        for _ in range(times - 1):
            put(path, {(2, 5): "Sent"})
        before = path.read_bytes()

        def spoil(step):
            if step == "written":
                (draft,) = tmp_path.glob(".~xlsms-*")
                with opened(path) as book:
                    middle = book.sheets[0].member.data + book.sheets[0].member.packed // 2
                draft.write_bytes(spoilt(draft.read_bytes(), middle))

        with pytest.raises(UserError) as caught:
            write(path, {("People", "E3"): "Delivered"}, step=spoil)
        assert caught.value.code == "sheet-not-writable"
        assert path.read_bytes() == before


@pytest.mark.parametrize("wrong", [lambda data: data.replace(b"Person 5", b"Person 6"), lambda data: data + b" "])
def test_rows_that_were_deflated_wrongly_are_never_put_in_place(tmp_path, wrong):
    path = workbook(tmp_path / "a.xlsx", people(60))
    before = path.read_bytes()
    right = deflated_segment

    def deflated(data, *, final):
        return right(wrong(data) if b"Person 5" in data else data, final=final)

    with segmented(tmp_path) as patch:
        patch.setattr("xlsms.ooxml.segment.deflated_segment", deflated)
        with pytest.raises(UserError) as caught:
            write(path, {("People", "E3"): "Delivered"})
        assert caught.value.code == "sheet-not-writable"
        assert path.read_bytes() == before


@pytest.mark.parametrize("nth", [2, 7, -2])
def test_a_segment_that_differs_on_disk_by_a_bit_is_seen_wherever_it_is(tmp_path, nth):
    path = workbook(tmp_path / "a.xlsx", people(60))
    before = path.read_bytes()

    def spoil(step):
        if step == "finished":
            (draft,) = tmp_path.glob(".~xlsms-*")
            with Package.open(draft) as package:
                member = Book(package).sheets[0].member
            stored = draft.read_bytes()
            ends = [match.end() for match in re.finditer(b"\0\0\xff\xff", stored[member.data : member.end])]
            draft.write_bytes(spoilt(stored, member.data + ends[nth] - 1))  # the flush: it is no content

    with segmented(tmp_path):
        with pytest.raises(UserError) as caught:
            write(path, {("People", "E3"): "Delivered"}, step=spoil)
        assert caught.value.code == "sheet-not-writable"
        assert path.read_bytes() == before


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_checksums_and_streams_join(parts):
    found = [Segment(0, 0, len(part), zlib.crc32(part)) for part in parts]
    assert joined(found) == zlib.crc32(b"".join(parts))
    packed = [deflated_segment(part, final=number == len(parts)) for number, part in enumerate(parts, 1)]
    assert zlib.decompress(b"".join(packed), -15) == b"".join(parts)
    for number, (part, data) in enumerate(zip(parts, packed, strict=True), 1):
        assert inflated_segment(data, len(part), final=number == len(parts)) == part
        for wrong in (data[:-1], data + b"\3\0", b""):
            with pytest.raises(DAMAGED):
                inflated_segment(wrong, len(part), final=number == len(parts))


def test_an_index_reads_back():
    segments = tuple(Segment(row, 3, row, zlib.crc32(bytes(row))) for row in (1, 5, 9))
    made = Index(crc=joined(segments), size=15, packed=9, arrays=(Area(1, 2, 3, 4),), segments=segments)
    assert Index.load(made.dump()) == made
    assert Index.load(b"") is None


def test_a_large_sheet_that_a_report_counts_is_written_in_segments_too(tmp_path):
    """First set-up adds a report, so this is how the states of most large workbooks are written."""
    path = workbook(tmp_path / "a.xlsx", people(60))
    set_up(path)
    rows = ClosedWorkbook(path).read().rows

    def sent(row):
        return RowEdit(values={Role.STATUS: "Sent"}, placed=Placed.of(rows[row]))

    with segmented(tmp_path):
        ClosedWorkbook(path).apply([sent(0)])
        first = index(path)
        ClosedWorkbook(path).apply([sent(30)])
        second = index(path)
        changed = [a != b for a, b in zip(first.segments, second.segments, strict=True)]
        assert sum(changed) == 1
        (entry,) = [file for file in tmp_path.glob("*.segments") if b"%d" % second.crc in file.read_bytes()]
        moved = [replace(s, packed=s.packed + by) for s, by in zip(second.segments[:2], (1, -1), strict=True)]
        entry.write_bytes(replace(second, segments=(*moved, *second.segments[2:])).dump())
        ClosedWorkbook(path).apply([sent(1)])  # what was remembered is wrong: the whole is written
    read = ClosedWorkbook(path).read().rows
    assert [number for number, row in enumerate(read) if row.status == "Sent"] == [0, 1, 30]
