"""Rows of a sheet as the rest of xlsms knows them. Merge fields are decoded only when they are asked for."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from functools import cached_property, partial
from typing import Any

from xlsms.model import CellValue, Role, Row
from xlsms.ooxml.cells import Area, column_number
from xlsms.ooxml.grammar import Grammar, RawCell, RawRow
from xlsms.ooxml.hits import Hits
from xlsms.ooxml.scan import row_blocks, rows
from xlsms.ooxml.value import Decoder, Raw, type_of
from xlsms.workbook.base import Language
from xlsms.workbook.formats import shown
from xlsms.workbook.layout import Layout
from xlsms.workbook.record import CALCULATION, notes
from xlsms.workbook.roles import is_mark

__all__ = ["UNKNOWN", "RowReader", "id_text", "local_time", "wall_time"]

UNKNOWN = "\0"  #: a text that no cell can hold

#: What a `Row` tells at once, in its order.
_ASKED = (Role.PHONE, Role.MESSAGE, Role.SEND, Role.SEND_AT, Role.SENDER, Role.ID, Role.STATUS, Role.DETAIL)
_NEVER_ZERO = frozenset({Role.PHONE, Role.MESSAGE})  # what nobody means by 0
_MOST_ALIKE = 1_000  # cells whose values are remembered
_EMPTY: RawCell = (b"", b"", b"", b"", b"")


def local_time(moment: datetime, zone: tzinfo | None) -> datetime:
    """A cell's wall-clock time as an aware one, in `zone` or in the computer's own."""
    if zone is not None:
        return moment.replace(tzinfo=zone)
    try:
        return moment.astimezone()
    except (OSError, OverflowError, ValueError):  # years that the system's clock does not know
        return moment.replace(tzinfo=UTC)


def wall_time(moment: datetime, zone: tzinfo | None) -> datetime:
    """An aware time as the wall clock shows it in `zone` or on this computer; a naive one is taken as it is."""
    if moment.tzinfo is not None:
        with suppress(OSError, OverflowError, ValueError):  # years that the clock does not know stay as they are
            moment = moment.astimezone(zone)
    return moment.replace(tzinfo=None)


class _Cells(Mapping[str, Any]):
    """The cells of one row by header, read by `read` when one is asked for; pickled as a plain dict.

    `letters` tells of each header the letters of its column, and how its cells begin.
    """

    __slots__ = ("_cells", "_letters", "_raw", "_read")

    def __init__(
        self, letters: Mapping[str, tuple[bytes, bytes]], raw: RawRow, read: Callable[[RawCell], object]
    ) -> None:
        self._letters, self._raw, self._read = letters, raw, read
        self._cells: dict[bytes, RawCell] | None = None

    def __getitem__(self, header: str) -> Any:
        letters, opening = self._letters[header]
        raw = self._raw
        at = raw.body.rfind(b'%b%d"' % (opening, raw.number)) if self._cells is None else -1
        found = raw.pattern.match(raw.body, at) if at >= 0 else None
        if found is not None:  # as programs write them; else all are looked at
            return self._read(found.groups(b""))  # type: ignore[arg-type]  # five groups, as RawCell has
        if self._cells is None:
            self._cells = {cell[0]: cell for cell in raw.cells}
        return self._read(self._cells.get(letters, _EMPTY))

    def __contains__(self, header: object) -> bool:
        return header in self._letters

    def __iter__(self) -> Iterator[str]:
        return iter(self._letters)

    def __len__(self) -> int:
        return len(self._letters)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def __repr__(self) -> str:
        return repr(dict(self))


class _Remembered(dict[bytes, Any]):
    """What pieces of XML say: many are alike, and are read once by `read`."""

    def __init__(self, read: Callable[[bytes], object]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, xml: bytes) -> Any:
        said = self._read(xml)
        if len(self) < _MOST_ALIKE:
            self[xml] = said
        return said


class RowReader:
    """Reads the rows of one sheet."""

    def __init__(self, layout: Layout, language: Language, zone: tzinfo | None) -> None:
        self._layout, self._language, self._zone = layout, language, zone
        self._headers = {letters.encode(): text for letters, text in layout.headers.items()}
        self._roles = {letters.encode(): role for role, letters in layout.columns.items() if role in _ASKED}
        self._repeated = dict.fromkeys(layout.repeated, "columns-same-name")
        self._hidden = layout.part.hidden
        self._hides = _Remembered(lambda tag: b'hidden="1"' in tag or b'hidden="true"' in tag)
        self._as_is = _Remembered(self._is_as_is)
        self._ends = {letters: _Remembered(partial(self._told, letters)) for letters in self._roles}

    # what follows needs the sheet's prefix, which is known when it has been surveyed

    @cached_property
    def _grammar(self) -> Grammar:
        return Grammar(self._layout.found.prefix)

    @cached_property
    def _letters(self) -> Mapping[str, tuple[bytes, bytes]]:
        layout, opening = self._layout, self._grammar.cell_open
        return {
            text: (letters.encode(), opening + letters.encode())
            for letters, text in layout.headers.items()
            if text not in layout.repeated
        }

    @cached_property
    def _decoder(self) -> Decoder:
        return Decoder(self._layout.book, self._layout.found.prefix)

    @cached_property
    def _asked(self) -> re.Pattern[bytes]:
        return self._grammar.cells_of(b"|".join(self._roles))

    @cached_property
    def _known(self) -> re.Pattern[bytes]:
        return self._grammar.cells_of("|".join(self._layout.columns.values()).encode())

    @cached_property
    def _formula(self) -> bytes:
        return b"<" + self._grammar.prefix + b"f"

    def rows(self, *, marked_only: bool = False) -> Iterator[Row]:
        """The data rows, top to bottom; rows without anything under a header are left out."""
        layout = self._layout
        if marked_only:
            read: Iterator[tuple[RawRow, Row | None]] = ((raw, self.row(raw)) for raw in self._marked())
        else:
            layout.book.load_texts()
            read = self._all()
        for raw, row in read:
            if raw.number > layout.last:
                return
            if row is not None and raw.number > layout.header_row and (row.marked or not marked_only):
                yield row

    def _all(self) -> Iterator[tuple[RawRow, Row | None]]:
        """All rows as they lie, and as they are read."""
        grammar = self._grammar
        asked = sorted(self._roles, key=lambda letters: column_number(letters.decode()))
        for block in row_blocks(self._layout.book, self._layout.part, self._layout.found):
            told = None if self._merges else grammar.apart(block, tuple(asked))
            if told is None:
                yield from ((raw, self.row(raw)) for raw in grammar.rows(block))
            else:
                yield from self._told_apart(told, asked)

    def _told_apart(
        self, told: Iterable[tuple[bytes, ...]], asked: Sequence[bytes]
    ) -> Iterator[tuple[RawRow, Row | None]]:
        """Rows of which the cells asked for stand behind the number, the attributes and all inside."""
        columns = {self._roles[letters]: (at, self._ends[letters]) for at, letters in enumerate(asked, 3)}
        # Whatever stands there, a column that is not there tells nothing.
        cells = [columns.get(role) or (1, _Remembered(partial(self._nothing, role))) for role in _ASKED]
        for row in told:
            raw = RawRow(int(row[0]), self._hides[row[1]], row[2], self._grammar.cell)
            found = [values[row[at]] for at, values in cells]
            yield raw, self._row(raw, found) if any(found) else self.row(raw)

    def _told(self, letters: bytes, end: bytes) -> CellValue:
        """What a cell tells of its row, by what stands behind its reference."""
        return self._tells(self._roles[letters], self._grammar.cell_by(letters, end))

    def _nothing(self, role: Role, _: bytes) -> CellValue:
        return self._tells(role, _EMPTY)

    def _tells(self, role: Role, cell: RawCell) -> CellValue:
        """What a cell tells of its row."""
        value = self._decoder.value(cell)[0] if any(cell[2:]) else None
        match role:
            case Role.PHONE | Role.SEND_AT:
                return self._aware(value)
            case Role.SEND:
                return is_mark(self._aware(value))
            case Role.MESSAGE:
                return self._message(value, cell)
            case Role.STATUS | Role.DETAIL:
                return _text(value)
            case _:
                return _text(value) or None

    def ids(self) -> Iterator[str]:
        """What stands in the cells of the id column, top to bottom, without a look at the others."""
        layout = self._layout
        if Role.ID not in layout.columns:
            return
        layout.book.load_texts()
        cells = self._grammar.cells_of(layout.columns[Role.ID].encode())
        value = self._decoder.value
        for block in row_blocks(layout.book, layout.part, layout.found):
            for match in cells.finditer(block):
                text = _text(value(match.groups(b""))[0])  # type: ignore[arg-type]  # five groups, as RawCell has
                if text:
                    yield text

    def _marked(self) -> Iterator[RawRow]:
        """The marked rows: few as a rule, and then found in the one pass that every sheet needs."""
        layout = self._layout
        if Role.SEND not in layout.columns:
            return
        column = column_number(layout.columns[Role.SEND])
        hits = Hits(layout.book, column, self._mark_test)
        if layout.look(hits) and hits.complete:
            yield from hits.rows()
        else:
            yield from rows(
                layout.book, layout.part, layout.found, column=column, test=self._mark_test(layout.found.prefix)
            )

    def row(self, raw: RawRow) -> Row | None:
        """One row; None when nothing stands under its headers."""
        cells: list[RawCell] = self._asked.findall(raw.body)
        if self._merges:
            cells = [cell for cell in cells if not self._is_covered(raw.number, cell[0])]
        others = (cell for cell in raw.cells if cell[0] in self._headers)
        if not any(any(cell[2:]) for cell in cells) and not any(any(cell[2:]) for cell in others):
            return None
        at = {self._roles[cell[0]]: cell for cell in cells}
        return self._row(raw, [self._tells(role, at.get(role, _EMPTY)) for role in _ASKED])

    def _row(self, raw: RawRow, found: Sequence[Any]) -> Row:
        """One row by what its cells tell, in the order of `_ASKED`."""
        problems = self._repeated
        if b'"e"' in raw.body or self._formula in raw.body:
            problems = {**problems, **self._problems(raw)}
        phone, message, marked, send_at, sender, identity, status, detail = found
        return Row(
            self._layout.part.name,
            raw.number,
            phone,
            message,
            marked,
            send_at,
            sender,
            identity,
            status,
            detail,
            raw.hidden or self._hidden,
            _Cells(self._letters, raw, self._shown),
            _Cells(self._letters, raw, self._value),
            problems,
            (self.means, raw.body),
        )

    @cached_property
    def _merges(self) -> list[Area]:
        """The merged cells below the header that take in a cell that a row is told by."""
        columns = [column_number(letters.decode()) for letters in self._roles]
        return [
            area
            for area in self._layout.found.merges
            if area.bottom > self._layout.header_row and any(area.left <= at <= area.right for at in columns)
        ]

    def _is_covered(self, row: int, letters: bytes) -> bool:
        """Whether nobody sees a cell, as a merged one lies over it: what it holds is nobody's order."""
        cell = (row, column_number(letters.decode()))
        return any(cell in area and cell != (area.top, area.left) for area in self._merges)

    def known(self, raw: RawRow) -> dict[bytes, RawCell]:
        """The cells in the columns with a role, by their letters. The row is whole."""
        return {cell[0]: cell for cell in self._known.findall(raw.body)}

    def cell_by(self, letters: bytes, end: bytes) -> RawCell:
        """A cell of which what stands behind its reference is known."""
        return self._grammar.cell_by(letters, end)

    @cached_property
    def means(self) -> object:
        """What makes of a row as it lies a row as it is read: strings, formats, columns, merged cells and language."""
        columns = tuple(self._layout.columns.items())
        return self._layout.book.means, columns, tuple(self._merges), self._language, self._zone

    def calculated(self, cell: RawCell) -> bool:
        """Whether a cell is a formula."""
        return self._decoder.has_formula(cell)

    @staticmethod
    def is_shared(cell: RawCell) -> bool:
        """Whether a cell holds a shared string."""
        return type_of(cell[1]) == b"s"

    def current(self, cell: RawCell, shared: Callable[[], Mapping[int, str]]) -> Raw:
        """What a cell holds; `UNKNOWN` for a shared string that is none of `shared`."""
        if type_of(cell[1]) == b"s" and cell[2].isdigit():
            return shared().get(int(cell[2]), UNKNOWN)
        return self._decoder.value(cell)[0]

    def want_texts(self, raws: Iterable[RawRow]) -> None:
        """Look up the shared strings that `row` needs of some rows."""
        cells = (cell for raw in raws for cell in self._asked.findall(raw.body))
        numbers = {int(cell[2]) for cell in cells if type_of(cell[1]) == b"s" and cell[2].isdigit()}
        self._layout.book.want_texts(numbers)

    def _mark_test(self, prefix: bytes) -> Callable[[RawCell], bool]:
        value = Decoder(self._layout.book, prefix).value
        return lambda cell: is_mark(self._aware(value(cell)[0]))

    def _aware(self, value: Raw) -> CellValue:
        return local_time(value, self._zone) if isinstance(value, datetime) else value

    def _value(self, cell: RawCell) -> CellValue:
        value = self._decoder.value(cell)[0]
        return local_time(value, self._zone) if isinstance(value, datetime) else value

    def _shown(self, cell: RawCell) -> str:
        if self._as_is[cell[1]] and cell[2].isdigit():
            return self._layout.book.text(int(cell[2]))
        return shown(self._decoder.value(cell)[0], self._decoder.code(cell), self._language)

    def _is_as_is(self, attributes: bytes) -> bool:
        """Whether cells with these attributes hold shared strings, and show them as they are."""
        said = shown("said", self._decoder.code((b"", attributes, b"", b"", b"")), self._language)
        return type_of(attributes) == b"s" and said == "said"

    def _problems(self, raw: RawRow) -> dict[str, str]:
        """The cells under a header that hold an error or were never calculated."""
        return {
            self._headers[cell[0]]: code
            for cell in raw.cells
            if cell[0] in self._headers and (code := self._problem(cell)) is not None
        }

    def _problem(self, cell: RawCell) -> str | None:
        value, code = self._decoder.value(cell)
        if value == 0 and not isinstance(value, bool) and self._decoder.has_formula(cell):
            role = self._roles.get(cell[0])
            return "formula-not-calculated" if role in _NEVER_ZERO or self._zeros else None
        return code

    @cached_property
    def _zeros(self) -> bool:
        """Whether 0 stands for what was never calculated; not where the workbook is to be calculated for our report."""
        book = self._layout.book
        return book.uncalculated and not any(
            note.key == CALCULATION and note.text not in ("1", "true") for note in notes(book)
        )

    def _message(self, value: Raw, cell: RawCell) -> str | None:
        """A message is text; a number in its place is what the user sees. An empty cell is no message."""
        return value or None if value is None or isinstance(value, str) else self._shown(cell)


def id_text(value: Raw) -> str:
    """The text of a cell in the id column, as ids are compared."""
    if isinstance(value, str):
        return value.strip().upper()
    return _text(value).upper()


def _text(value: Raw) -> str:
    """Text or a number as text, without outer blanks."""
    return "" if value is None or isinstance(value, datetime) else str(value).strip()
