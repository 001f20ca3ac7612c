"""Cells written into a sheet that is not plain, at the offsets that expat tells, in memory."""

from collections.abc import Mapping

from xlsms.ooxml.batch import New
from xlsms.ooxml.encoding import UTF8
from xlsms.ooxml.locate import CellPlace, RowPlace, SheetPlace
from xlsms.ooxml.markup import new_parser, parse
from xlsms.ooxml.rowedit import RowWriter

__all__ = ["spliced"]


def spliced(xml: bytes, place: SheetPlace, head: bytes, new: Mapping[int, Mapping[int, New]], rows: RowWriter) -> bytes:
    """A sheet in UTF-8 with new cells, by row and column, in ascending order; the result is parsed as a whole.

    `head` is what goes before its rows, start tag included.
    """
    opened = place.closed and bool(new)
    out = [head[:-2].rstrip() + b">" if opened else head]
    at = place.start
    there = {row.number: row for row in place.rows}
    numbers = sorted(there)
    following = 0
    for number, cells in new.items():
        row = there.get(number)
        if row is not None:
            out += (xml[at : row.start], rows.edited(xml[row.start : row.end], _from_zero(row), cells))
            at = row.end
            continue
        while following < len(numbers) and numbers[following] < number:
            following += 1
        before = there[numbers[following]].start if following < len(numbers) else place.end
        out += (xml[at:before], rows.new(number, cells))
        at = before
    out += (b"</" + place.prefix + b"sheetData>" if opened else b"", xml[at:])
    patched = b"".join(out)
    parse(new_parser(UTF8), (patched,))
    return patched


def _from_zero(row: RowPlace) -> RowPlace:
    cells = [CellPlace(c.column, c.start - row.start, c.end - row.start, c.style, c.formula) for c in row.cells]
    return RowPlace(row.number, 0, row.opening - row.start, row.end - row.start, cells)
