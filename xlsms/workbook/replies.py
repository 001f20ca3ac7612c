"""Texts that came in, put below those in the table of the sheet `SMS Replies`, where a workbook has one."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from xlsms.errors import TransientError
from xlsms.files.backup import Backups
from xlsms.files.link import resolved
from xlsms.model import CellValue
from xlsms.ooxml.batch import TEXT_DATE, Calculated, Cell, New
from xlsms.ooxml.book import SHEET_LIMIT, Book, SheetPart, Table
from xlsms.ooxml.cells import MOST_ROWS, TEXT_LIMIT, Area, column_letters, column_number, date_of
from xlsms.ooxml.discard import clear_calculated
from xlsms.ooxml.formula import Targets, moves
from xlsms.ooxml.graft import Graft
from xlsms.ooxml.grammar import RawRow
from xlsms.ooxml.lower import is_last, lowered, may_move
from xlsms.ooxml.mention import mentions
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.scan import rows, survey
from xlsms.ooxml.table import longer
from xlsms.ooxml.transplant import recalculated
from xlsms.ooxml.value import Decoder, Raw, style_of
from xlsms.workbook.base import Version
from xlsms.workbook.change import Change, put_change, reports
from xlsms.workbook.own_sheets import REPLIES, reply_columns
from xlsms.workbook.reading import wall_time
from xlsms.workbook.writing import ATTEMPTS, Step, opened, ready, version_of

__all__ = ["Appended", "Incoming", "Listed", "append_replies", "key_of", "texts_of"]

_MILLISECOND, _SECOND = timedelta(milliseconds=1), timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One text from a phone that answers a row."""

    at: datetime  #: aware
    number: str
    text: str
    sheet: str
    row_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """The file before and after."""

    before: Version
    version: Version


def append_replies(
    path: Path,
    replies: Sequence[Incoming],
    *,
    zone: tzinfo | None = None,
    backups: Backups | None = None,
    step: Step = lambda _: None,
) -> Appended | None:
    """Put texts into the table of replies, those that are not there yet; the table grows, above its totals row if any.

    `backups` keeps the file as its user saved it.

    None, and nothing written, where a workbook has no such table or it cannot grow: something stands below it, or
    something refers to the cells of its totals row.

    Raises:
        UserError: the file cannot be written.
        TransientError: somebody has it open or keeps saving it.
    """
    real = resolved(path)
    made: tuple[Version, Version] | None = None  # what the file was before room was made in it, and after
    for _ in range(ATTEMPTS + 1):
        ready(real)
        with opened(real) as book:
            place = next(_places(book), None)
            if place is None:
                return None
            work = _Growth(book, *place)
            change = work.change(replies, zone)
            before = version_of(book.package)
            if made and made[1] == before:
                before = made[0]
            if change is None:
                room = work.room()
                if room is None:
                    return None
                version = put_change(real, book, room, step, backups=backups)
                made = (before, version) if version else None
                continue
            if change.empty:
                return Appended(before=before, version=before)
            version = put_change(real, book, change, step, backups=backups)
            if version is not None:
                return Appended(before=before, version=version)
    raise TransientError("file-keeps-changing", path=real.name)


def texts_of(reply: Incoming) -> dict[str, str]:
    """The texts of a row; one longer than a cell is cut."""
    wide = reply.text.encode("utf-16-le", "surrogatepass")[: 2 * TEXT_LIMIT]
    text = wide.decode("utf-16-le", "replace")
    return {"phone": reply.number, "text": text, "sheet": reply.sheet, "id": reply.row_id}


def key_of(values: Mapping[str, str], columns: Container[str]) -> tuple[str, ...]:
    """What tells a text from another but for the time, as far as the table has the columns.

    An open workbook ends lines in its own way and takes an apostrophe in front for a sign of its own.
    """
    texts = (values.get(key, "") for key in ("phone", "text", "id") if key in columns)
    return tuple(
        text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip().removeprefix("'") for text in texts
    )


class Listed:
    """The texts that a table lists, each counted off once: what came twice stands there twice, also after a crash."""

    def __init__(self, columns: Container[str]) -> None:
        self._columns = columns
        self._times: defaultdict[tuple[str, ...], list[CellValue]] = defaultdict(list)

    def add(self, values: Mapping[str, CellValue]) -> None:
        """A row of the table."""
        texts = {key: "" if value is None else str(value) for key, value in values.items()}
        self._times[key_of(texts, self._columns)].append(values.get("received"))

    def lacking(self, replies: Iterable[Incoming], zone: tzinfo | None) -> list[Incoming]:
        """Those that do not stand there yet; without a column for their time, equal ones are told apart by number."""
        # open workbooks were once given the times of this computer, closed ones those of the settings
        return [
            each for each in replies if not self._counted_off(each, {wall_time(each.at, at) for at in (zone, None)})
        ]

    def _counted_off(self, reply: Incoming, moments: Iterable[datetime]) -> bool:
        times = self._times[key_of(texts_of(reply), self._columns)]
        for at, time in enumerate(times):
            if "received" not in self._columns or any(_shows(time, moment) for moment in moments):
                del times[at]
                return True
        return False


def _shows(value: CellValue, moment: datetime) -> bool:
    """Whether a cell shows a wall-clock time, whatever its number format is now.

    An open workbook is given whole seconds, and a cell that can show no date a text.
    """
    if isinstance(value, str):
        return value.strip() == moment.strftime(TEXT_DATE)
    if isinstance(value, int | float):
        return any(_shows(date_of(value, date1904=since), moment) for since in (False, True))
    if not isinstance(value, datetime):
        return False
    apart = abs(value - moment)
    from_whole = min(value.microsecond, 1_000_000 - value.microsecond)
    return apart <= _MILLISECOND or (from_whole <= _MILLISECOND.microseconds and apart < _SECOND)


def _places(book: Book) -> Iterator[tuple[SheetPart, Table, dict[str, int]]]:
    """The table of replies, and its columns by what they are for."""
    for sheet in book.sheets:
        if sheet.name.strip().casefold() != REPLIES.casefold():
            continue
        for table in book.tables(sheet):
            columns = {
                key: table.area.left + offset
                for offset, text in enumerate(table.columns)
                if (key := reply_columns().get(text.strip().casefold())) is not None
            }
            if {"text", "phone"} <= set(columns) and table.header and not table.external:
                yield sheet, table, columns


class _Growth:
    """A table of replies and what is to be written below it."""

    def __init__(self, book: Book, sheet: SheetPart, table: Table, columns: dict[str, int]) -> None:
        self._book, self._sheet, self._table, self._columns = book, sheet, table, columns
        self._found = survey(book, sheet)
        self._decoder = Decoder(book, self._found.prefix)
        self._looks: dict[int, int] = {}  # cell formats of the last row, by column
        self._there: set[Cell] = set()  # the cells of the rows that are there
        self._totals: RawRow | None = None
        self._short = 0  # rows that a table with totals lacks
        self._letters = {column_letters(column).encode(): key for key, column in columns.items()}

    def change(self, replies: Sequence[Incoming], zone: tzinfo | None) -> Change | None:
        """What to write; None where the table cannot grow."""
        listed = Listed(self._columns)
        last, below = self._table.area.top, False
        for row in rows(self._book, self._sheet, self._found):
            if self._table.first <= row.number <= self._table.last:
                self._there |= self._calculated(row)
                values = self._values(row)
                listed.add(values)
                last = max(last, row.number) if any(value not in (None, "") for value in values.values()) else last
                if row.number == self._table.last:
                    self._looks = {column_number(cell[0].decode()): style_of(cell[1]) for cell in row.cells}
            elif row.number > self._table.area.bottom:
                below = below or any(any(cell[2:]) for cell in row.cells)
            elif row.number > self._table.last:
                self._totals = row
        new = listed.lacking(replies, zone)
        more = max(0, last + len(new) - self._table.last)
        self._short = more if self._table.totals and not below else 0
        if more and (below or self._table.totals or self._table.last + more > MOST_ROWS):
            return None
        return self._written(new, last + 1, more, zone)

    def _written(self, new: Sequence[Incoming], first: int, more: int, zone: tzinfo | None) -> Change:
        if not new:
            return Change()
        cells: dict[Cell, New] = {}
        for number, reply in enumerate(new, first):
            values = texts_of(reply)
            for key, column in self._columns.items():
                cells[number, column] = wall_time(reply.at, zone) if key == "received" else values[key]
        cells |= self._formulas(range(first, first + len(new)))
        patch = Patch(self._book, self._sheet, self._found, self._book.tables(self._sheet), cells)
        graft = Graft(self._book)
        if more and self._table.member:
            graft.put(self._table.member, longer(graft.content(self._table.member), more))
        if reports(self._book) or any(isinstance(cell, Calculated) for cell in cells.values()):
            recalculated(graft.edits(self._book.main))
        return Change(patches=[patch], replaced={self._sheet.member: patch.chunks(), **graft.replaced()})

    def _calculated(self, row: RawRow) -> set[Cell]:
        """The cells of a row in columns with a formula for all rows."""
        if not any(self._table.formulas):
            return set()
        return {(row.number, column_number(cell[0].decode())) for cell in row.cells}

    def room(self) -> Change | None:
        """The totals row moved down to make room above it; None where that would harm something."""
        table, totals = self._table, self._totals
        if not self._short or totals is None or not self._found.plain or not table.member or not may_move(totals):
            return None
        row = Area(table.area.bottom, table.area.left, table.area.bottom, table.area.right)
        if any(row.meets(area) for area in (*self._found.merges, *self._found.arrays)):
            return None
        if next(mentions(self._book, Targets(areas={self._sheet.name.lower(): (row,)}), without=()), None):
            return None
        chunks = self._book.package.chunks
        if not is_last(chunks(self._sheet.member, SHEET_LIMIT), self._found.prefix, row.bottom):
            return None
        graft = Graft(self._book)
        graft.put(table.member, longer(graft.content(table.member), self._short))
        clear_calculated(self._book, graft, [self._sheet.name], row.bottom)
        recalculated(graft.edits(self._book.main))
        moved = lowered(chunks(self._sheet.member, SHEET_LIMIT), self._found.prefix, row.bottom, self._short)
        return Change(replaced={self._sheet.member: moved, **graft.replaced()})

    def _formulas(self, numbers: Iterable[int]) -> dict[Cell, New]:
        """The formulas of calculated columns for new rows."""
        found: dict[Cell, New] = {}
        for column, formula in enumerate(self._table.formulas, self._table.area.left):
            if formula and column not in self._columns.values() and not moves(formula):
                new = [(number, column) for number in numbers if (number, column) not in self._there]
                found |= dict.fromkeys(new, Calculated(formula, self._looks.get(column)))
        return found

    def _values(self, row: RawRow) -> dict[str, Raw]:
        """What stands in a row."""
        return {self._letters[cell[0]]: self._decoder.value(cell)[0] for cell in row.cells if cell[0] in self._letters}
