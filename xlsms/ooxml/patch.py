"""Cells of a sheet written in place: the rest of its XML stays byte for byte as it was.

A plain sheet is patched as it streams by. Any other legal sheet is located by expat first, in memory, and spliced at
the offsets found. What cannot be written safely is refused cell by cell: formulas, cells inside an array, covered
cells of a merge, and header and totals cells of a table.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from xlsms.errors import UserError
from xlsms.ooxml.bar import Bars
from xlsms.ooxml.batch import TEXT_DATE, Batch, Cell, New, Styled, Waiting
from xlsms.ooxml.block import NotPlainError, blocks, cut
from xlsms.ooxml.book import SHEET_LIMIT, Book, SheetPart, Table
from xlsms.ooxml.cells import MOST_ROWS, Area, Content, column_letters
from xlsms.ooxml.compose import CellWriter
from xlsms.ooxml.deflate import SMALL
from xlsms.ooxml.encoding import encoding_of, from_utf8, in_utf8
from xlsms.ooxml.grammar import Grammar
from xlsms.ooxml.locate import locate
from xlsms.ooxml.plainedit import BlockWriter, last_row
from xlsms.ooxml.rowedit import RowWriter
from xlsms.ooxml.scan import Survey, surveyed
from xlsms.ooxml.segment import Index, Piece, Segment, Segments, StaleIndexError, Stretch, size_of, stretches
from xlsms.ooxml.splice import spliced

__all__ = ["TEXT_DATE", "Cell", "Patch"]

_MEMORY = 256 << 20  # inflated bytes of an unusual sheet, which has to be held at once
_DECLARATION = 1024  # bytes in which an XML declaration ends
_DIMENSION = rb"<%bdimension\s+ref=[\"']([A-Z0-9:]+)[\"']"
_ROWS = 4096  # new rows that are made at a time


class Patch:
    """What is to be written into one sheet, and after `chunks` has run to its end, what was.

    Then `batch` holds each cell with its value as it stands in the file, but for those in `refused`, which holds the
    code of the reason. With a survey that has not seen the rows they are looked at on the way: then the patch is of
    use only if no cell is refused, and not at all after a `NotPlainError`.
    """

    def __init__(
        self,
        book: Book,
        sheet: SheetPart,
        found: Survey,
        tables: Sequence[Table],
        cells: Mapping[Cell, New] | Batch,
    ) -> None:
        self.sheet = sheet
        self.batch = cells if isinstance(cells, Batch) else Batch.of(cells)
        self.refused: dict[Cell, str] = {}
        self._book, self._tables = book, tables
        self._refuse(Bars(found.arrays, found.merges, tables))
        self.found = found
        self._prefix = found.prefix
        self._rows = RowWriter(CellWriter(book, found.prefix.decode(), self.batch), found, self.refused)
        self.segments: Segments | None = None  #: what `content` gave, when it is written in segments

    @property
    def written(self) -> dict[Cell, Content]:
        """The cells that were written, and the values that stand in them."""
        return {cell: value for cell, value in self.batch if cell not in self.refused}  # type: ignore[misc]

    def _refuse(self, bars: Bars) -> None:
        """Leave out what is known not to be writable."""
        for number, column in self.batch.columns.items():
            if bars.none and bars.fit(column.values):
                continue
            for row, value in zip(column.rows, column.values, strict=True):
                cell = (row, number)
                code = bars.place(cell) or bars.value(value.value if isinstance(value, Styled) else value)
                if code is not None:
                    self.refused[cell] = code
        if self.refused:
            self.batch.drop(self.refused)

    def content(self, index: Index | None = None) -> "Iterable[bytes] | Segments":
        """The sheet with the cells written, to be put into the package. Runs once.

        A large plain sheet is written in segments; with the `index` of its segments the untouched ones are copied.
        """
        member, package = self.sheet.member, self._book.package
        if not self.found.plain or member.size < SMALL:
            return self.chunks()
        if index is None:
            size = size_of(member)
            source: Iterator[Stretch] = (
                Stretch(kind, part)
                for kind, data in blocks(package.chunks(member, SHEET_LIMIT), size)
                for part in (cut(data, self._prefix, size) if kind == "rows" else (data,))
            )
        else:
            source = stretches(package, member, index)
        self.segments = Segments(self._pieces(source), package.raw)
        return self.segments

    def chunks(self) -> Iterator[bytes]:
        """The sheet's XML with the cells written. Runs once."""
        source = self._book.package.chunks(self.sheet.member, SHEET_LIMIT)
        if not self.found.plain:
            return self._spliced(source)
        return (piece.data for piece in self._pieces(_whole(source)))

    def _pieces(self, source: Iterable[Stretch]) -> Iterator[Piece]:
        """A plain sheet, stretch by stretch."""
        grammar = Grammar(self._prefix, self.found.shapes)
        waiting = Waiting(self.batch)
        writer = BlockWriter(grammar, self.found.head, self.batch, self._rows)
        closed = False
        copied: Stretch | None = None  # the segment before, of which only its index tells the last row
        last = 0
        arrays: list[Area] = []
        for stretch in source:
            segment = stretch.segment
            if stretch.kind == "head":
                data = stretch.content
                head = self._widened(data)
                closed = head.endswith(b"/>") and bool(waiting)
                yield Piece(head[:-2].rstrip() + b">" if closed else head, edited=head != data)
            elif stretch.kind == "tail":
                self._follows(grammar, copied, waiting)
                while waiting:
                    last = min(waiting.next + _ROWS, MOST_ROWS)
                    yield Piece(writer.rows_after(waiting.take(last)), last, edited=True)
                if not self.found.rows_seen:
                    self._settle(stretch.content, arrays)
                yield Piece((b"</" + self._prefix + b"sheetData>" if closed else b"") + stretch.content, final=True)
            elif segment is not None and segment.last < waiting.next:
                copied, last = stretch, segment.last
                yield Piece(b"", last, kept=segment, at=stretch.at)
            else:
                data = stretch.content
                before, last = last, last_row(grammar, data)
                if segment is not None:
                    self._belongs(grammar, data, segment, copied, waiting)
                copied = None
                slices = waiting.take(last)
                writer.expect(slices)
                self._look(grammar, data, (before, last), edited=bool(slices))
                if not self.found.rows_seen:
                    arrays.extend(grammar.arrays(data))
                if slices:
                    data = writer.write(data, slices)
                yield Piece(data, last, edited=bool(slices), rest=writer.rest if slices else None)

    def _look(self, grammar: Grammar, data: bytes, rows: tuple[int, int], *, edited: bool) -> None:
        """Look at what the survey has not seen of a block, with the last rows before it and in it.

        Raises:
            NotPlainError: it is not plain, or its last row is another one.
        """
        before, last = rows
        if edited and not self.found.cells_seen:
            seen = grammar.check(data, before)
        elif not self.found.rows_seen:
            seen = grammar.check_rows(data, before)
        else:
            return
        if seen != max(before, last):
            raise NotPlainError

    def _settle(self, tail: bytes, arrays: list[Area]) -> None:
        """The survey made whole, now that all rows have been seen, and what it forbids."""
        if b"<!" in tail:
            raise NotPlainError
        self.found = replace(surveyed(self.found.head, tail, arrays, plain=True), shapes=self.found.shapes)
        bars = Bars(arrays, self.found.merges, self._tables)
        if not bars.none:
            self.refused.update({cell: code for cell, _ in self.batch if (code := bars.place(cell))})

    def _belongs(
        self, grammar: Grammar, data: bytes, segment: Segment, before: Stretch | None, waiting: Waiting
    ) -> None:
        """Make sure that the next row to write is one of a segment, or stands right before it.

        Raises:
            StaleIndexError: the index has told another last row of this segment or of the one before.
        """
        if last_row(grammar, data) != segment.last:
            raise StaleIndexError
        first = grammar.row.search(data)
        if first is None or waiting.next < int(first[1]):
            self._follows(grammar, before, waiting)

    @staticmethod
    def _follows(grammar: Grammar, before: Stretch | None, waiting: Waiting) -> None:
        """Make sure that the next row to write stands after a segment that was copied."""
        if before is not None and waiting and last_row(grammar, before.content) >= waiting.next:
            raise StaleIndexError

    def _spliced(self, source: Iterable[bytes]) -> Iterator[bytes]:
        """A sheet that is not plain; one in another encoding than UTF-8 goes back into its own."""
        if self.sheet.member.size > _MEMORY:
            raise UserError("file-too-large", part=self.sheet.member.key)
        raw = b"".join(source)
        encoding = encoding_of(raw[:_DECLARATION])
        xml = in_utf8(raw, encoding)
        new = self.batch.all_rows()
        place = locate(xml, frozenset(new))
        self._prefix = place.prefix
        self._rows.use(place.prefix.decode())
        yield from_utf8(spliced(xml, place, self._widened(xml[: place.start]), new, self._rows), encoding)

    def _widened(self, head: bytes) -> bytes:
        """The head with a `dimension` that takes in the new cells; left alone where it is absent."""
        found = re.search(_DIMENSION % re.escape(self._prefix), head)
        area = Area.of(found[1].decode()) if found else None
        new = self.batch.area
        if found is None or area is None or new is None:
            return head
        top, bottom = min(area.top, new.top), max(area.bottom, new.bottom)
        left, right = min(area.left, new.left), max(area.right, new.right)
        if Area(top, left, bottom, right) == area:
            return head
        ref = f"{column_letters(left)}{top}:{column_letters(right)}{bottom}".encode()
        return head[: found.start(1)] + ref + head[found.end(1) :]


def _whole(chunks: Iterable[bytes]) -> Iterator[Stretch]:
    return (Stretch(kind, data) for kind, data in blocks(chunks))
