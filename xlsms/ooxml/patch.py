"""Cells of a sheet written in place: the rest of its XML stays byte for byte as it was.

A plain sheet is patched as it streams by. Any other legal sheet is located by expat first, in memory, and spliced at
the offsets found. What cannot be written safely is refused cell by cell: formulas, cells inside an array, covered
cells of a merge, and header and totals cells of a table.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, zip_longest
from xml.parsers import expat

from xlsms.errors import UserError
from xlsms.ooxml.bar import Bars
from xlsms.ooxml.book import SHEET_LIMIT, Book, SheetPart, Table
from xlsms.ooxml.cells import Area, Content, cell_xml, column_letters, column_number, escape, serial_of
from xlsms.ooxml.deflate import SMALL
from xlsms.ooxml.locate import CellPlace, RowPlace, locate
from xlsms.ooxml.markup import feed, new_parser, parse
from xlsms.ooxml.scan import Grammar, NotPlainError, Survey, blocks, root_tag, surveyed
from xlsms.ooxml.segment import SIZE, Index, Piece, Segment, Segments, StaleIndexError, Stretch, stretches
from xlsms.ooxml.style import is_date, is_duration
from xlsms.ooxml.value import style_of

__all__ = ["TEXT_DATE", "Calculated", "Cell", "New", "Patch", "Styled", "Timed"]

Cell = tuple[int, int]  #: row and column, both from 1
_MEMORY = 256 << 20  # inflated bytes of an unusual sheet, which has to be held at once
_SPANS = re.compile(rb"\sspans=[\"']([0-9]+):([0-9]+)[\"']")
_DIMENSION = rb"<%bdimension\s+ref=[\"']([A-Z0-9:]+)[\"']"
TEXT_DATE = "%Y-%m-%d %H:%M"  #: a time where no cell format shows one
_DIGITS = 15
_DENSE = 64  # rows to write in a block of about a megabyte, from which on it is searched once for all of them


@dataclass(frozen=True, slots=True)
class Styled:
    """A value with the cell format it is to have."""

    value: Content
    style: int


@dataclass(frozen=True, slots=True)
class Calculated:
    """A formula of a table's column, in a row that has just come; nobody has calculated it yet."""

    formula: str
    style: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A date, time or duration: its serial in a cell whose own format shows one, and text in any other."""

    serial: float | None  #: None where no workbook counts so far
    text: str
    moment: bool = False  #: another cell format of the same looks may stand in
    duration: bool = False  #: a format of elapsed time, such as `[h]:mm`, shows it as well


New = Content | datetime | Styled | Calculated | Timed  #: a date is naive wall-clock time


class Patch:
    """What is to be written into one sheet, and after `chunks` has run to its end, what was.

    `written` holds each cell with its value as it stands in the file; `refused` the code of the reason for the others.
    With a survey that has not seen the rows they are looked at on the way: then a cell may be in both, and the patch
    is of use only if none is refused, and not at all after a `NotPlainError`.
    """

    def __init__(
        self,
        book: Book,
        sheet: SheetPart,
        found: Survey,
        tables: Sequence[Table],
        cells: Mapping[Cell, New],
    ) -> None:
        self.sheet = sheet
        self.written: dict[Cell, Content] = {}
        self.refused: dict[Cell, str] = {}
        self._book, self._found = book, found
        self._rows: dict[int, dict[int, New]] = {}
        self._tables = tables
        bars = Bars(found.arrays, found.merges, tables)
        for cell, value in cells.items():
            code = bars.place(cell) or bars.value(value.value if isinstance(value, Styled) else value)
            if code is not None:
                self.refused[cell] = code
                continue
            row, column = cell
            if row in self._rows:
                self._rows[row][column] = value
            else:
                self._rows[row] = {column: value}
        self._prefix = found.prefix.decode()
        self._literals: dict[int, bytes] = {}
        self.found = found
        self.segments: Segments | None = None  #: what `content` gave, when it is written in segments

    def content(self, index: Index | None = None) -> "Iterable[bytes] | Segments":
        """The sheet with the cells written, to be put into the package. Runs once.

        A large plain sheet is written in segments; with the `index` of its segments the untouched ones are copied.
        """
        member, package = self.sheet.member, self._book.package
        if not self._found.plain or member.size < SMALL:
            return self.chunks()
        if index is None:
            source: Iterator[Stretch] = (
                Stretch(kind, data) for kind, data in blocks(package.chunks(member, SHEET_LIMIT), SIZE)
            )
        else:
            source = stretches(package, member, index)
        self.segments = Segments(self._pieces(source), package.raw)
        return self.segments

    def chunks(self) -> Iterator[bytes]:
        """The sheet's XML with the cells written. Runs once."""
        source = self._book.package.chunks(self.sheet.member, SHEET_LIMIT)
        if not self._found.plain:
            return self._spliced(source)
        return (piece.data for piece in self._pieces(_whole(source)))

    def _pieces(self, source: Iterable[Stretch]) -> Iterator[Piece]:
        """A plain sheet, stretch by stretch; each edited row is checked to be well-formed where it stands."""
        grammar = Grammar(self._found.prefix)
        waiting = sorted(self._rows, reverse=True)
        edited = new_parser()
        feed(edited, root_tag(self._found.head))
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
                rest = b"".join(self._new_row(row) for row in reversed(waiting))
                feed(edited, rest)
                if rest:
                    yield Piece(rest, waiting[0], edited=True)
                if not self._found.rows_seen:
                    self._settle(stretch.content, arrays)
                yield Piece(
                    (b"</" + self._found.prefix + b"sheetData>" if closed else b"") + stretch.content, final=True
                )
            elif segment is not None and (not waiting or segment.last < waiting[-1]):
                copied, last = stretch, segment.last
                yield Piece(b"", last, kept=segment, at=stretch.at)
            else:
                data = stretch.content
                before, last = last, self._last_row(grammar, data)
                if segment is not None:
                    self._belongs(grammar, data, segment, copied, waiting)
                copied = None
                here = bool(waiting) and last >= waiting[-1]
                self._look(grammar, data, before, edited=here)
                if not self._found.rows_seen:
                    arrays.extend(grammar.arrays(data))
                yield Piece(self._block(grammar, data, waiting, edited) if here else data, last, edited=here)

    def _look(self, grammar: Grammar, data: bytes, last: int, *, edited: bool) -> None:
        """Look at what the survey has not seen of a block; `NotPlainError` when it is not plain."""
        if edited and not self._found.cells_seen:
            grammar.check(data, last)
        elif not self._found.rows_seen:
            grammar.check_rows(data, last)

    def _settle(self, tail: bytes, arrays: list[Area]) -> None:
        """The survey made whole, now that all rows have been seen, and what it forbids."""
        if b"<!" in tail:
            raise NotPlainError
        self.found = surveyed(self._found.head, tail, arrays, plain=True)
        bars = Bars(arrays, self.found.merges, self._tables)
        self.refused.update({cell: code for cell in self.written if (code := bars.place(cell))})

    def _belongs(
        self, grammar: Grammar, data: bytes, segment: Segment, before: Stretch | None, waiting: list[int]
    ) -> None:
        """Make sure that the next row to write is one of a segment, or stands right before it.

        Raises:
            StaleIndexError: the index has told another last row of this segment or of the one before.
        """
        if self._last_row(grammar, data) != segment.last:
            raise StaleIndexError
        first = grammar.row.search(data)
        if first is None or waiting[-1] < int(first[1]):
            self._follows(grammar, before, waiting)

    def _follows(self, grammar: Grammar, before: Stretch | None, waiting: list[int]) -> None:
        """Make sure that the next row to write stands after a segment that was copied."""
        if before is not None and waiting and self._last_row(grammar, before.content) >= waiting[-1]:
            raise StaleIndexError

    def _block(self, grammar: Grammar, data: bytes, waiting: list[int], edited: expat.XMLParserType) -> bytes:
        """A block of rows with what waits for them written; the new rows go through the parser `edited` as well."""
        last = self._last_row(grammar, data)
        here = bisect_left(waiting, -last, key=int.__neg__)
        if len(waiting) - here > _DENSE:
            data, left = self._dense(grammar, data, waiting[here:], edited)
            waiting[here:] = left
        if len(waiting) == here:
            return data
        at = 0
        out: list[bytes] = []
        for start, end, row in self._targets(grammar, data, waiting):
            new = self._new_row(row) if start == end else self._plain_row(grammar, data[start:end], row)
            out += (data[at:start], new)
            at = end
        feed(edited, b"".join(out[1::2]))
        out.append(data[at:])
        return b"".join(out)

    def _dense(
        self, grammar: Grammar, data: bytes, rows: list[int], edited: expat.XMLParserType
    ) -> tuple[bytes, list[int]]:
        """A block with the simple cells of many rows written in one go, and the rows that have others or none.

        Whole elements take the place of whole elements, so only the new ones go through the parser.
        """
        numbers = {column for row in rows for column in self._rows[row]}
        columns = {column_letters(column).encode(): column for column in numbers}
        wanted = {row: self._rows[row] for row in rows}
        left = {row: len(wanted[row]) for row in rows}
        # what stands between the cells, the cells, and of each its letters, row and style
        pieces = grammar.simple_cells_of(b"|".join(columns)).split(data)
        cells = pieces[1::5]
        new: list[bytes] = []
        for place, (letters, number, style) in enumerate(zip(pieces[2::5], pieces[3::5], pieces[4::5], strict=True)):
            row, column = int(number), columns[letters]
            if column in wanted.get(row, ()):
                left[row] -= 1
                cells[place] = cell = self._cell(row, column, int(style) if style else None)
                new.append(cell)
        feed(edited, b"".join(new))
        out = b"".join(chain.from_iterable(zip_longest(pieces[0::5], cells, fillvalue=b"")))
        return out, [row for row in rows if left[row]]

    @staticmethod
    def _last_row(grammar: Grammar, block: bytes) -> int:
        match = grammar.row.match(block, block.rfind(grammar.row_open))
        return int(match[1]) if match else 0

    @staticmethod
    def _targets(grammar: Grammar, block: bytes, waiting: list[int]) -> Iterator[tuple[int, int, int]]:
        """Start, end and number of the waiting rows in a block; start and end are equal where a row is to be put.

        Rows are searched for as programs write them; from the first that is not found on, each is looked at.
        """
        at = 0
        while waiting and (place := block.find(b'%b r="%d"' % (grammar.row_open, waiting[-1]), at)) >= 0:
            match = grammar.row.match(block, place)
            if match is None:
                break
            at = _row_end(grammar, block, match)
            yield place, at, waiting.pop()
        for match in grammar.row.finditer(block, at) if waiting else ():
            number = int(match[1])
            while waiting and waiting[-1] < number:
                yield match.start(), match.start(), waiting.pop()
            if not waiting:
                return
            if waiting[-1] == number:
                yield match.start(), _row_end(grammar, block, match), waiting.pop()

    def _plain_row(self, grammar: Grammar, xml: bytes, number: int) -> bytes:
        """A row of a plain sheet; where all cells are there already, nothing else of the row is looked at."""
        out: list[bytes] = []
        done = 0
        columns = self._rows[number]
        for column in sorted(columns) if len(columns) > 1 else columns:
            at = xml.find(b'%b%d"' % (self._literal(grammar, column), number))
            if at < done:  # not there, or out of order: all cells of the row are needed
                cells = self._plain_cells(grammar, xml, number)
                return self._edited(xml, RowPlace(number, 0, xml.index(b">") + 1, len(xml), cells))
            cell = self._plain_cell(grammar, xml, at, column)
            if cell.formula:
                self.refused[number, column] = "cell-formula"
                continue
            out += (xml[done:at], self._cell(number, column, cell.style))
            done = cell.end
        out.append(xml[done:])
        return b"".join(out)

    def _plain_cells(self, grammar: Grammar, xml: bytes, number: int) -> list[CellPlace]:
        """The cells of a row; only the last one where all that is to be written comes behind it."""
        columns = self._rows[number]
        at = xml.rfind(grammar.cell_open)
        last = self._plain_cell(grammar, xml, at) if at >= 0 else None
        if last and last.column < min(columns):
            literals = (b'%b%d"' % (self._literal(grammar, column), number) for column in columns)
            if not any(literal in xml for literal in literals):  # cells may be out of order
                return [last]
        return [self._plain_cell(grammar, xml, match.start()) for match in grammar.cell.finditer(xml)]

    def _literal(self, grammar: Grammar, column: int) -> bytes:
        """How a cell of a column starts, up to the row number."""
        known = self._literals.get(column)
        if known is None:
            known = self._literals[column] = grammar.cell_open + column_letters(column).encode()
        return known

    @staticmethod
    def _plain_cell(grammar: Grammar, xml: bytes, at: int, column: int = 0) -> CellPlace:
        tag = xml.index(b">", at) + 1
        end = tag if xml[tag - 2 : tag] == b"/>" else xml.index(grammar.cell_end, tag) + len(grammar.cell_end)
        head = xml[at:tag]
        if not column:
            letters = head[len(grammar.cell_open) : head.index(b'"', len(grammar.cell_open))].rstrip(b"0123456789")
            column = column_number(letters.decode())
        style = style_of(head) if b' s="' in head else None
        formula = xml.find(grammar.formula_open, tag, end) >= 0 and grammar.formula.search(xml, tag, end) is not None
        return CellPlace(column, at, end, style, formula)

    def _spliced(self, source: Iterable[bytes]) -> Iterator[bytes]:
        """A sheet that is not plain, at the offsets that expat tells; the result is parsed as a whole."""
        if self.sheet.member.size > _MEMORY:
            raise UserError("file-too-large", part=self.sheet.member.key)
        xml = b"".join(source)
        place = locate(xml, frozenset(self._rows))
        self._prefix = place.prefix.decode()
        opened = place.closed and bool(self._rows)
        head = self._widened(xml[: place.start])
        out = [head[:-2].rstrip() + b">" if opened else head]
        at = place.start
        rows = {row.number: row for row in place.rows}
        numbers = sorted(rows)
        following = 0
        for number in sorted(self._rows):
            row = rows.get(number)
            if row is not None:
                out += (xml[at : row.start], self._edited(xml[row.start : row.end], _from_zero(row)))
                at = row.end
                continue
            while following < len(numbers) and numbers[following] < number:
                following += 1
            before = rows[numbers[following]].start if following < len(numbers) else place.end
            out += (xml[at:before], self._new_row(number))
            at = before
        out += (b"</" + place.prefix + b"sheetData>" if opened else b"", xml[at:])
        patched = b"".join(out)
        parse(new_parser(), (patched,))
        yield patched

    def _edited(self, xml: bytes, row: RowPlace) -> bytes:
        """A row with its cells written; offsets are within `xml`."""
        opening, at = self._opening(xml, row), row.opening
        cells = sorted(row.cells, key=lambda cell: cell.start)
        known = {cell.column: cell for cell in cells}
        out = [opening]
        places: list[tuple[int, int, int, int | None]] = []
        for column in self._rows[row.number]:
            cell = known.get(column)
            if cell is None:
                after = [other for other in cells if other.column > column]
                start = after[0].start if after else cells[-1].end if cells else row.opening
                places.append((start, column, start, None))
            elif cell.formula:
                self.refused[row.number, column] = "cell-formula"
            else:
                places.append((cell.start, column, cell.end, cell.style))
        for start, column, end, style in sorted(places, key=lambda place: place[:2]):
            given = column in known or isinstance(self._rows[row.number][column], Styled)
            look = style if given else self._default_style(xml, column)
            out += (xml[at:start], self._cell(row.number, column, look))
            at = end
        out.append(xml[at:])
        if xml[row.opening - 2 : row.opening] == b"/>":
            out.append(f"</{self._prefix}row>".encode())
        return b"".join(out)

    def _opening(self, xml: bytes, row: RowPlace) -> bytes:
        """The start tag of an edited row, not self-closing, and without `spans` that no longer hold."""
        tag = xml[: row.opening]
        if tag.endswith(b"/>"):
            tag = tag[:-2].rstrip() + b">"
        spans = _SPANS.search(tag)
        columns = self._rows[row.number]
        if spans and not int(spans[1]) <= min(columns) <= max(columns) <= int(spans[2]):
            tag = tag[: spans.start()] + tag[spans.end() :]
        return tag

    def _default_style(self, xml: bytes, column: int) -> int | None:
        """The format of a cell that was not there: the row's, else the column's."""
        tag = xml[: xml.index(b">") + 1]
        if b'customFormat="1"' in tag or b'customFormat="true"' in tag:
            return style_of(tag)
        return self._found.column_style(column)

    def _new_row(self, number: int) -> bytes:
        cells = b"".join(
            self._cell(number, column, self._found.column_style(column)) for column in sorted(self._rows[number])
        )
        return f'<{self._prefix}row r="{number}">'.encode() + cells + f"</{self._prefix}row>".encode()

    def _cell(self, row: int, column: int, style: int | None) -> bytes:
        value = self._rows[row][column]
        if isinstance(value, str):
            self.written[row, column] = value
            return cell_xml(self._prefix, f"{column_letters(column)}{row}", style, value)
        if isinstance(value, Calculated):
            self.written[row, column] = None
            empty = cell_xml(self._prefix, f"{column_letters(column)}{row}", value.style, None)
            p = self._prefix
            return empty[:-2] + f"><{p}f>{escape(value.formula)}</{p}f></{p}c>".encode()
        content: Content
        if isinstance(value, Styled):
            content, style = value.value, value.style
        elif isinstance(value, datetime):
            dated = self._book.styles.date_like(style or 0)
            if dated is None:
                content = value.strftime(TEXT_DATE)
            else:
                content, style = serial_of(value, date1904=self._book.date1904), dated
        elif isinstance(value, Timed):
            content, style = self._timed(value, style)
        else:
            content = value
        if isinstance(content, int) and not isinstance(content, bool) and abs(content) >= 10**_DIGITS:
            content = str(content)
        self.written[row, column] = content
        return cell_xml(self._prefix, f"{column_letters(column)}{row}", style, content)

    def _timed(self, value: Timed, style: int | None) -> tuple[Content, int | None]:
        code = self._book.styles.code(style or 0)
        if value.serial is None:
            return value.text, style
        if is_date(code) or (value.duration and is_duration(code)):
            return value.serial, style
        dated = self._book.styles.date_like(style or 0) if value.moment else None
        return (value.text, style) if dated is None else (value.serial, dated)

    def _widened(self, head: bytes) -> bytes:
        """The head with a `dimension` that takes in the new cells; left alone where it is absent."""
        found = re.search(_DIMENSION % re.escape(self._prefix.encode()), head)
        area = Area.of(found[1].decode()) if found else None
        if found is None or area is None or not self._rows:
            return head
        columns = [column for cells in self._rows.values() for column in cells]
        top, bottom = min(area.top, *self._rows), max(area.bottom, *self._rows)
        left, right = min(area.left, *columns), max(area.right, *columns)
        if Area(top, left, bottom, right) == area:
            return head
        ref = f"{column_letters(left)}{top}:{column_letters(right)}{bottom}".encode()
        return head[: found.start(1)] + ref + head[found.end(1) :]


def _whole(chunks: Iterable[bytes]) -> Iterator[Stretch]:
    return (Stretch(kind, data) for kind, data in blocks(chunks))


def _row_end(grammar: Grammar, block: bytes, row: re.Match[bytes]) -> int:
    return row.end() if row[2] else block.index(grammar.row_end, row.end()) + len(grammar.row_end)


def _from_zero(row: RowPlace) -> RowPlace:
    cells = [CellPlace(c.column, c.start - row.start, c.end - row.start, c.style, c.formula) for c in row.cells]
    return RowPlace(row.number, 0, row.opening - row.start, row.end - row.start, cells)
