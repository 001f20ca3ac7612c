"""Cells barred by merges and array formulas, however many of these a sheet has."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.workbooks import people, workbook
from xlsms.ooxml.batch import Cell
from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import Area
from xlsms.ooxml.package import Package
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.scan import survey

EDGE = 6
CELLS = [(row, column) for row in range(1, EDGE + 1) for column in range(1, EDGE + 1)]


class Counted(list[Area]):
    """Areas that count how often all of them are looked through."""

    looks = 0

    def __iter__(self) -> Iterator[Area]:
        self.looks += 1
        return super().__iter__()


def refused(merges: list[Area], arrays: list[Area], cells: list[Cell]) -> dict[Cell, str]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Package.open(workbook(Path(folder) / "a.xlsx", people(1))) as package,
    ):
        book = Book(package)
        found = survey(book, book.sheets[0])
        found.merges, found.arrays = merges, arrays
        return Patch(book, book.sheets[0], found, (), dict.fromkeys(cells, "x")).refused


@st.composite
def areas(draw: st.DrawFn) -> Area:
    top, bottom = sorted(draw(st.tuples(st.integers(1, EDGE), st.integers(1, EDGE))))
    left, right = sorted(draw(st.tuples(st.integers(1, EDGE), st.integers(1, EDGE))))
    return Area(top, left, bottom, right)


@given(st.lists(areas(), max_size=6), st.lists(areas(), max_size=2))
def test_cell_is_barred_by_an_array_and_by_a_merge_that_it_does_not_begin(merges: list[Area], arrays: list[Area]):
    expected = {
        cell: "cell-merged" for cell in CELLS for area in merges if cell in area and cell != (area.top, area.left)
    }
    expected |= {cell: "cell-in-array" for cell in CELLS for area in arrays if cell in area}
    assert refused(merges, arrays, CELLS) == expected


def test_areas_are_looked_through_once_a_column_and_not_for_every_cell():
    merges = Counted(Area(row, 13, row, 14) for row in range(1, 500))
    arrays = Counted(Area(row, 16, row, 17) for row in range(1, 500))
    cells = [(row, column) for row in range(1, 500) for column in (5, 14, 17)]
    codes = refused(merges, arrays, cells)
    assert codes == {(row, 14): "cell-merged" for row in range(1, 500)} | {
        (row, 17): "cell-in-array" for row in range(1, 500)
    }
    assert max(merges.looks, arrays.looks) <= 4
