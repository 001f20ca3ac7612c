"""New cells put behind the last ones of many rows at once, as when a list gets its first states."""

import re
from datetime import datetime

from xlsms.ooxml.batch import New, Styled
from xlsms.ooxml.cells import column_number
from xlsms.ooxml.grammar import Grammar
from xlsms.ooxml.rowedit import RowWriter

__all__ = ["Behind", "Left", "by_row", "parted"]

Left = dict[int, tuple[list[int], list[New]]]
"""By column what is left to be written into a block: rows, top to bottom, and beside them the values."""

_SIMPLE = frozenset({str, int, float, bool, datetime, type(None), Styled})
_EACH = 4  # what splitting at start tags gives of a row: its tag, number, other attributes and all that follows


class Behind:
    """Writes into the rows of one plain sheet. What is unusual in any way is left to a closer look."""

    def __init__(self, grammar: Grammar, rows: RowWriter) -> None:
        self._grammar, self._rows = grammar, rows
        prefix = re.escape(grammar.prefix)
        self._row = re.compile(rb'(<%brow r="([1-9][0-9]{0,6})"([^<>/\']*)>)' % prefix)
        self._letters = re.compile(re.escape(grammar.cell_open) + b"([A-Z]{1,3})")
        self._styles: dict[tuple[bytes, int], int | None] = {}  # by the attributes of a row, and column
        self._openings: dict[tuple[bytes, int, int], bytes] = {}  # by them, and the first and last new column

    def write(self, data: bytes, left: Left) -> tuple[int, int, bytes] | None:
        """Start and end of the rows in a block, and their XML with the cells; None when they need a closer look."""
        stretch = self._stretch(data, left)
        if stretch is None:
            return None
        start, end = stretch
        xml = data[start:end]
        there = max((column_number(letters.decode()) for letters in set(self._letters.findall(xml))), default=0)
        if there >= min(left) or not self._grammar.is_exact(xml):
            return None
        pieces = self._row.split(xml)
        row_end = self._grammar.row_end
        if pieces[0] or not all(body.endswith(row_end) for body in pieces[4::_EACH]):
            return None  # rows without cells, or blanks between rows
        place = {int(number): at for at, number in enumerate(pieces[2::_EACH])}
        if not all(row in place for rows, _ in left.values() for row in rows):
            return None
        self._put(pieces, place, left)
        return start, end, b"".join(pieces)

    def _stretch(self, data: bytes, left: Left) -> tuple[int, int] | None:
        """Where the first of the rows starts, and the last one ends."""
        first = min(rows[0] for rows, _ in left.values())
        last = max(rows[-1] for rows, _ in left.values())
        opening = self._grammar.row_open
        start = data.find(b'%b r="%d"' % (opening, first))
        at = data.find(b'%b r="%d"' % (opening, last), start) if start >= 0 else -1
        end = data.find(self._grammar.row_end, at) if at >= 0 else -1
        return (start, end + len(self._grammar.row_end)) if end >= 0 else None

    def _put(self, pieces: list[bytes], place: dict[int, int], left: Left) -> None:
        """Put the cells into the pieces of the rows, which leaves of each its tag and what follows."""
        attributes = pieces[3::_EACH]
        cells: dict[int, bytes] = {}
        ends: dict[int, tuple[int, int]] = {}
        for number, (rows, values) in sorted(left.items()):
            places = [place[row] for row in rows]
            styles = [self._style(attributes[at], number) for at in places]
            for at, cell in zip(places, self._rows.cells.cells(number, rows, styles, values), strict=True):
                if at in cells:
                    cells[at] += cell
                    ends[at] = ends[at][0], number
                else:
                    cells[at], ends[at] = cell, (number, number)
        closing = len(self._grammar.row_end)
        for at, cell in cells.items():
            nth = _EACH * at
            pieces[nth + 1] = self._opening(pieces[nth + 1], pieces[nth + 3], *ends[at])
            body = pieces[nth + 4]
            pieces[nth + 4] = b"%b%b%b" % (body[:-closing], cell, self._grammar.row_end)
        del pieces[2::_EACH]
        del pieces[2::3]

    def _style(self, attributes: bytes, column: int) -> int | None:
        """The format of a new cell in a row with some attributes."""
        known = (attributes, column)
        if known not in self._styles:
            self._styles[known] = self._rows.default_style(b"<row" + attributes + b">", column)
        return self._styles[known]

    def _opening(self, tag: bytes, attributes: bytes, first: int, last: int) -> bytes:
        """The start tag of a row with new cells in some columns."""
        known = (attributes, first, last)
        end = self._openings.get(known)
        if end is None:
            edited = self._rows.opening(tag, (first, last))
            end = self._openings[known] = edited[len(tag) - len(attributes) - 1 :]
        return tag[: len(tag) - len(attributes) - 1] + end


def parted(left: Left) -> tuple[Left, dict[int, dict[int, New]]]:
    """What can be written into many rows at once, and the rows that hold anything else, as a whole."""
    odd = {
        row
        for rows, values in left.values()
        if not _SIMPLE.issuperset(map(type, values))
        for row, value in zip(rows, values, strict=True)
        if type(value) not in _SIMPLE
    }
    if not odd:
        return left, {}
    simple: Left = {}
    for number, (rows, values) in left.items():
        pairs = [(row, value) for row, value in zip(rows, values, strict=True) if row not in odd]
        if pairs:
            simple[number] = [row for row, _ in pairs], [value for _, value in pairs]
    new = by_row(left)
    return simple, {row: new[row] for row in odd}


def by_row(left: Left) -> dict[int, dict[int, New]]:
    """The cells by row and column."""
    new: dict[int, dict[int, New]] = {}
    for number, (rows, values) in left.items():
        for row, value in zip(rows, values, strict=True):
            new.setdefault(row, {})[number] = value
    return new
