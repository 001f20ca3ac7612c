"""Cells written into blocks of whole rows of a plain sheet, by literal search."""

import re
from collections.abc import Iterator, Mapping, Sequence

from xlsms.errors import UserError
from xlsms.ooxml.batch import Batch, New, Slices
from xlsms.ooxml.behind import Behind, Left, by_row, parted
from xlsms.ooxml.cells import column_letters, column_number
from xlsms.ooxml.deflate import crc32
from xlsms.ooxml.grammar import Grammar
from xlsms.ooxml.locate import CellPlace, RowPlace
from xlsms.ooxml.markup import feed, new_parser
from xlsms.ooxml.rowedit import RowWriter
from xlsms.ooxml.scan import root_tag
from xlsms.ooxml.value import style_of
from xlsms.ooxml.weave import Weaver

__all__ = ["BlockWriter", "around", "last_row"]

_DENSE = 64  # cells to write in a block of about a megabyte, from which on it is searched once for all of a column


class BlockWriter:
    """Writes into one plain sheet; the rows that are taken apart are checked to be well-formed where they stand."""

    def __init__(self, grammar: Grammar, head: bytes, batch: Batch, rows: RowWriter) -> None:
        self._grammar, self._batch, self._rows = grammar, batch, rows
        self._parser = new_parser()
        feed(self._parser, root_tag(head))
        self._behind = Behind(grammar, rows)
        self._weaver = Weaver(grammar, batch, rows)
        self._literals: dict[int, bytes] = {}
        self._simple: dict[int, re.Pattern[bytes]] = {}
        self.rest: int | None = None  #: checksum of the last block around its new cells, where it is known

    def expect(self, slices: Slices) -> None:
        """Have the next block told as it will be needed, while it is checked."""
        self._weaver.expect(slices if _is_dense(slices) else {})

    def write(self, data: bytes, slices: Slices) -> bytes:
        """A block with all cells of some slices written, in rows that are there and in new ones."""
        self.rest = None
        if _is_dense(slices):
            woven = self._weaver.write(data, slices) if len(slices) > 1 else None
            if woven is not None:
                return woven
            data, left = self._columns(data, slices)
            simple, new = parted(left)
            behind = self._behind.write(data, simple) if simple else None
            if behind is not None:
                start, end, xml = behind
                feed(self._parser, xml)
                data = b"".join((data[:start], xml, data[end:]))
            else:
                new = by_row(left)
        else:
            new = self._batch.rows(slices)
        if not new:
            return data
        at = 0
        out: list[bytes] = []
        for start, end, row in self._targets(data, sorted(new, reverse=True)):
            xml = self._rows.new(row, new[row]) if start == end else self._row(data[start:end], row, new[row])
            out += (data[at:start], xml)
            at = end
        feed(self._parser, b"".join(out[1::2]))
        out.append(data[at:])
        return b"".join(out)

    def rows_after(self, slices: Slices) -> bytes:
        """New rows, below all that are there."""
        xml = b"".join(self._rows.new(row, cells) for row, cells in self._batch.rows(slices).items())
        feed(self._parser, xml)
        return xml

    def _columns(self, data: bytes, slices: Slices) -> tuple[bytes, Left]:
        """A block with the simple cells of many rows written in one go, and the cells that are left.

        Whole elements that match the pattern of a cell to the last byte take the place of such elements.
        """
        left: Left = {}
        for number, (start, end) in slices.items():
            column = self._batch.columns[number]
            rows, values = column.rows[start:end].tolist(), column.values[start:end]
            # what stands between the cells, the cells, and of each its row and style
            pieces = self._pattern(number).split(data)
            there = list(map(int, pieces[2::4]))
            styles = [None if style is None else int(style) for style in pieces[3::4]]
            if not there:
                left[number] = rows, values
                continue
            if there == rows:
                pieces[1::4] = self._rows.cells.cells(number, rows, styles, values)
            else:
                place = dict(zip(rows, range(len(rows)), strict=True))
                hits = [(nth, place[row]) for nth, row in enumerate(there) if row in place]
                new = self._rows.cells.cells(
                    number,
                    [rows[at] for _, at in hits],
                    [styles[nth] for nth, _ in hits],
                    [values[at] for _, at in hits],
                )
                for (nth, at), xml in zip(hits, new, strict=True):
                    pieces[1 + 4 * nth] = xml
                    del place[rows[at]]
                if place:
                    left[number] = list(place), [values[at] for at in place.values()]
            if len(slices) == 1 and there == rows:
                self.rest = around(pieces[0::4])
            del pieces[2::4]
            del pieces[2::3]
            data = b"".join(pieces)
        return data, left

    def _pattern(self, number: int) -> re.Pattern[bytes]:
        pattern = self._simple.get(number)
        if pattern is None:
            pattern = self._simple[number] = self._grammar.simple_cells_of(column_letters(number).encode())
        return pattern

    def _targets(self, data: bytes, waiting: list[int]) -> Iterator[tuple[int, int, int]]:
        """Start, end and number of the waiting rows in a block; start and end are equal where a row is to be put.

        Rows are searched for as programs write them; from the first that is not found on, each is looked at.
        """
        grammar = self._grammar
        at = 0
        while waiting and (place := data.find(b'%b r="%d"' % (grammar.row_open, waiting[-1]), at)) >= 0:
            match = grammar.row.match(data, place)
            if match is None:
                break
            at = self._row_end(data, match)
            yield place, at, waiting.pop()
        for match in grammar.row.finditer(data, at) if waiting else ():
            number = int(match[1])
            while waiting and waiting[-1] < number:
                yield match.start(), match.start(), waiting.pop()
            if not waiting:
                return
            if waiting[-1] == number:
                yield match.start(), self._row_end(data, match), waiting.pop()

    def _row_end(self, block: bytes, row: re.Match[bytes]) -> int:
        end = self._grammar.row_end
        return row.end() if row[2] else block.index(end, row.end()) + len(end)

    def _row(self, xml: bytes, number: int, new: Mapping[int, New]) -> bytes:
        """A row of a plain sheet; where all cells are there already, nothing else of the row is looked at."""
        out: list[bytes] = []
        done = 0
        for column in sorted(new) if len(new) > 1 else new:
            at = xml.find(b'%b%d"' % (self._literal(column), number))
            if at < done:  # not there, or out of order: all cells of the row are needed
                cells = self._cells(xml, number, new)
                return self._rows.edited(xml, RowPlace(number, 0, xml.index(b">") + 1, len(xml), cells), new)
            cell = self._cell(xml, at, column)
            if cell.formula:
                self._rows.refused[number, column] = "cell-formula"
                continue
            out += (xml[done:at], self._rows.cells.cell(number, column, cell.style, new[column]))
            done = cell.end
        out.append(xml[done:])
        return b"".join(out)

    def _cells(self, xml: bytes, number: int, new: Mapping[int, New]) -> list[CellPlace]:
        """The cells of a row; only the last one where all that is to be written comes behind it."""
        grammar = self._grammar
        at = xml.rfind(grammar.cell_open)
        last = self._cell(xml, at) if at >= 0 else None
        if last and last.column < min(new):
            literals = (b'%b%d"' % (self._literal(column), number) for column in new)
            if grammar.exact or not any(literal in xml for literal in literals):  # cells may be out of order
                return [last]
        return [self._cell(xml, match.start()) for match in grammar.cell.finditer(xml)]

    def _literal(self, column: int) -> bytes:
        """How a cell of a column starts, up to the row number."""
        known = self._literals.get(column)
        if known is None:
            known = self._literals[column] = self._grammar.cell_open + column_letters(column).encode()
        return known

    def _cell(self, xml: bytes, at: int, column: int = 0) -> CellPlace:
        grammar = self._grammar
        tag = xml.index(b">", at) + 1
        end = tag if xml[tag - 2 : tag] == b"/>" else xml.find(grammar.cell_end, tag) + len(grammar.cell_end)
        if end < tag:
            raise UserError("file-damaged", reason="a cell without an end")
        head = xml[at:tag]
        if not column:
            letters = head[len(grammar.cell_open) : head.index(b'"', len(grammar.cell_open))].rstrip(b"0123456789")
            column = column_number(letters.decode())
        style = style_of(head) if b' s="' in head else None
        formula = xml.find(grammar.formula_open, tag, end) >= 0 and grammar.formula.search(xml, tag, end) is not None
        return CellPlace(column, at, end, style, formula)


def _is_dense(slices: Slices) -> bool:
    return sum(end - start for start, end in slices.values()) > _DENSE


def around(pieces: Sequence[bytes]) -> int:
    """A checksum of what stands between cells, and of where it is cut."""
    return crc32(b"\0".join(pieces))


def last_row(grammar: Grammar, block: bytes) -> int:
    """The number of the last row in a block of whole rows; 0 when it has none."""
    match = grammar.row.match(block, block.rfind(grammar.row_open))
    return int(match[1]) if match else 0
