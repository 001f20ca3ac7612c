"""Many cells at once are read from the caller as one by one, and cost little memory beside the caller's own."""

import gc
import tracemalloc
from collections import deque

from hypothesis import example, given
from hypothesis import strategies as st

from tests.benchmarks.sheets import generate
from tests.workbooks import members, people, workbook
from xlsms.errors import UserError
from xlsms.ooxml import textfile
from xlsms.workbook import cell as cells_at
from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.cell import _Taken

REFERENCES = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["B", "b", "$B", "AB", "XFD"]), st.integers(1, 30)),
    st.sampled_from(["B1\nB2", "", "B0", "B01", "BB", "B1048577", "XFE1", "B-1", "B٣", "B 1", "1", "B1B2"]),
)


class _Book:
    date1904 = False

    class _Part:
        name = "People"

    sheets = (_Part,)


def taken(cells, *, at_once):
    work = _Taken(_Book())
    try:
        for some in [cells] if at_once else [[cell] for cell in cells]:
            if at_once:
                work.take(some)
            else:
                # one that is no text keeps it from being taken as a column
                work.take([*some, (("People", "ZZ1"), 1)])
    except UserError as error:
        return error.code, error.facts
    found = {}
    for _, batch in work.batches():
        found |= {cell: value for cell, value in batch if cell != (1, 702)}
    return found


@example([(("People", "B1"), ""), (("People", "1"), "")])
@example([(("People", "B1\nB2"), ""), (("People", "B3"), "")])
@given(st.lists(st.tuples(st.tuples(st.just("People"), REFERENCES), st.text(max_size=3)), min_size=1, max_size=6))
def test_a_column_at_once_is_its_cells_one_by_one(cells):
    assert taken(cells, at_once=True) == taken(cells, at_once=False)


def test_pieces_are_joined_and_the_later_value_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(cells_at, "_SOME", 3)
    path = workbook(tmp_path / "a.xlsx", people(9))
    write_cells(
        path,
        {("People", f"E{row}"): f"first {row}" for row in range(9, 1, -1)}
        | {("people", "$E$4"): "later", ("People", "F4"): 5, ("People", "F3"): None},
    )
    sheet = members(path)["xl/worksheets/sheet1.xml"].decode()
    assert ">later<" in sheet
    assert ">first 4<" not in sheet
    assert sheet.count(">first ") == 7


def peak(work):
    """Bytes at most while something is done, beside those that were there."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("XLSMS_CACHE", str(tmp_path))
    monkeypatch.setattr("xlsms.ooxml.book._HELD", 1 << 18)
    monkeypatch.setattr("xlsms.ooxml.patch.SMALL", 1 << 20)
    monkeypatch.setattr("xlsms.workbook.segments.SMALL", 1 << 20)
    monkeypatch.setattr(textfile, "_HELD", 16)
    reading, writing = [], []
    for rows in (18_000, 36_000):  # both are read ahead
        path = tmp_path / f"{rows}.xlsx"
        generate(path, rows, "shared")
        size = path.stat().st_size  # a file that small is held
        reading.append(peak(lambda path=path: deque(read_rows(path), maxlen=0)) - size)
        edits = {("People", f"H{row}"): f"Delivered {row}" for row in range(2, rows + 2)}
        writing.append(peak(lambda path=path, edits=edits: write_cells(path, edits)) - size)
    assert reading[1] - reading[0] < 500_000
    # a row number and a reference for each cell, in lists that grow by an eighth at a time
    assert writing[1] - writing[0] < 20 * 18_000 + 500_000
