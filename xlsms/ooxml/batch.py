"""What is to be written into the cells of one sheet, column by column.

A caller may bring a million cells at once. Beside the values, which are the caller's, a cell takes its row number and
a reference here, twelve bytes.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import lt

from xlsms.ooxml.cells import MOST_ROWS, Area, Content, column_letters

__all__ = ["TEXT_DATE", "Batch", "Calculated", "Cell", "Column", "New", "Slices", "Styled", "Timed", "Waiting"]

Cell = tuple[int, int]  #: row and column, both from 1
TEXT_DATE = "%Y-%m-%d %H:%M"  #: a time where no cell format shows one


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
Slices = dict[int, tuple[int, int]]  #: by column the places of some of its cells: the first, and that after the last


class Column:
    """The new cells of one column: row numbers, and beside them the values."""

    __slots__ = ("letters", "rows", "values")

    def __init__(self, letters: str) -> None:
        self.letters = letters
        self.rows = array("I")
        self.values: list[New] = []

    def settle(self) -> None:
        """From top to bottom, each row once; of two values for a row the later one."""
        if all(map(lt, self.rows, islice(self.rows, 1, None))):
            return
        latest = dict(zip(self.rows, self.values, strict=True))
        self.rows = array("I", sorted(latest))
        self.values = [latest[row] for row in self.rows]

    def place(self, row: int) -> int | None:
        """Where the cell of a row is; None when it has none."""
        place = bisect_left(self.rows, row)
        return place if place < len(self.rows) and self.rows[place] == row else None


class Batch:
    """The new cells of one sheet. Once they are written each value is what stands in the file."""

    def __init__(self) -> None:
        self.columns: dict[int, Column] = {}

    @classmethod
    def of(cls, cells: Mapping[Cell, New]) -> "Batch":
        """Cells that are there one by one."""
        batch = cls()
        for (row, number), value in cells.items():
            column = batch.columns.get(number) or batch.column(number)
            column.rows.append(row)
            column.values.append(value)
        batch.settle()
        return batch

    @classmethod
    def of_columns(cls, columns: Mapping[int, Mapping[int, New]]) -> "Batch":
        """Cells by column and row."""
        batch = cls()
        for number, cells in columns.items():
            column = batch.column(number)
            column.rows.extend(cells)
            column.values.extend(cells.values())
        batch.settle()
        return batch

    def column(self, number: int) -> Column:
        """A column to put cells into; `settle` has to follow."""
        return self.columns.setdefault(number, Column(column_letters(number)))

    def settle(self) -> None:
        """Bring the cells into order, after the last one was put in."""
        for column in self.columns.values():
            column.settle()
        self.columns = {number: self.columns[number] for number in sorted(self.columns) if self.columns[number].rows}

    def __iter__(self) -> Iterator[tuple[Cell, New]]:
        for number, column in self.columns.items():
            for row, value in zip(column.rows, column.values, strict=True):
                yield (row, number), value

    def holds(self, cell: Cell) -> bool:
        """Whether a cell is among them."""
        column = self.columns.get(cell[1])
        return column is not None and column.place(cell[0]) is not None

    def drop(self, cells: Iterable[Cell]) -> None:
        """Take cells out."""
        gone: dict[int, set[int]] = {}
        for row, number in cells:
            gone.setdefault(number, set()).add(row)
        for number, rows in gone.items():
            column = self.columns[number]
            kept = [place for place, row in enumerate(column.rows) if row not in rows]
            column.rows = array("I", [column.rows[place] for place in kept])
            column.values = [column.values[place] for place in kept]
        self.settle()

    @property
    def area(self) -> Area | None:
        """The smallest one that holds all cells."""
        if not self.columns:
            return None
        tops, bottoms = zip(*((column.rows[0], column.rows[-1]) for column in self.columns.values()), strict=True)
        return Area(min(tops), min(self.columns), max(bottoms), max(self.columns))

    def rows(self, slices: Slices) -> dict[int, dict[int, New]]:
        """The cells in some slices by row, top to bottom, and column."""
        found: dict[int, dict[int, New]] = {}
        for number, (start, end) in slices.items():
            column = self.columns[number]
            for place in range(start, end):
                found.setdefault(column.rows[place], {})[number] = column.values[place]
        return dict(sorted(found.items()))

    def all_rows(self) -> dict[int, dict[int, New]]:
        """All cells by row and column."""
        return self.rows({number: (0, len(column.rows)) for number, column in self.columns.items()})

    def settled_as(self, row: int, number: int, content: Content) -> None:
        """Note what was written for a value."""
        column = self.columns[number]
        place = column.place(row)
        if place is not None:
            column.values[place] = content

    def settled_at(self, number: int, rows: Sequence[int], contents: Sequence[Content]) -> None:
        """The same of many cells of a column, top to bottom."""
        column = self.columns[number]
        first = column.place(rows[0])
        if first is not None and column.rows[first : first + len(rows)].tolist() == list(rows):
            column.values[first : first + len(rows)] = contents
            return
        for row, content in zip(rows, contents, strict=True):
            self.settled_as(row, number, content)


class Waiting:
    """Goes through a batch from top to bottom."""

    def __init__(self, batch: Batch) -> None:
        self._columns = batch.columns
        self._at = dict.fromkeys(batch.columns, 0)
        self.next = MOST_ROWS + 1  #: the row of the first cell that waits; below every sheet when none does
        self._look()

    def __bool__(self) -> bool:
        return self.next <= MOST_ROWS

    def _look(self) -> None:
        rows = (self._columns[number].rows[at : at + 1] for number, at in self._at.items())
        self.next = min((row[0] for row in rows if row), default=MOST_ROWS + 1)

    def peek(self, last: int) -> Slices:
        """The cells up to and with a row."""
        found: Slices = {}
        for number, start in self._at.items() if last >= self.next else ():
            end = bisect_right(self._columns[number].rows, last, start)
            if end > start:
                found[number] = (start, end)
        return found

    def take(self, last: int) -> Slices:
        """The cells up to and with a row, which then wait no longer."""
        taken = self.peek(last)
        if taken:
            self._at.update({number: end for number, (_, end) in taken.items()})
            self._look()
        return taken
