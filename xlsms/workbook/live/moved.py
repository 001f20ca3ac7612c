"""Rows that move while cells of theirs are written: the user sorts, or puts a row in, in that very instant.

Cells are written by their places, and after a sort a place is somebody else's. Nobody is kept from his own sheet for
that: a program that is told to take no input stays so when we crash. Instead all that was written is compared with the
rows as they stand afterwards, and what lies beside the wrong one is put right, bridged cells too.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Mapping, Sequence

import xlwings as xw

from xlsms.model import CellValue, Role
from xlsms.ooxml.patch import Cell
from xlsms.workbook.live.glance import Values, read_block
from xlsms.workbook.live.page import Page, read_pages
from xlsms.workbook.live.patience import NotTakenError
from xlsms.workbook.live.writer import Writer, taken
from xlsms.workbook.reading import id_text

__all__ = ["Written", "settle"]

_ROUNDS = 20  # of putting right, while somebody goes on sorting
_FEW = 4  # values of a column that may differ for what the user types meanwhile


class Written:
    """What was written into one sheet, and the sheet as it was before: to be made when nothing has been written yet."""

    def __init__(self, page: Page, writer: Writer, extra: Mapping[Role, int]) -> None:
        self.page = page
        self._writer = writer
        self._before = [tuple(row) for row in page.values]
        self._roles = page.roles | {column: role for role, column in extra.items()}
        self._columns = tuple(sorted({column for _, column in writer.cells}))

    @property
    def area(self) -> tuple[int, int, int, int]:
        """The rectangle of the rows and their headers, of two rows and columns at least."""
        top, left = self.page.heading.row, self.page.left
        height, width = len(self._before), len(self._before[0])
        return top, left, max(top + height - 1, top + 1), max(left + width - 1, left + 1)

    def _expected(self, row: int, column: int) -> CellValue:
        """What is to stand in a column of a row of then."""
        cell = self.page.heading.row + row, column
        if cell in self._writer.cells:
            return self._writer.cells[cell]
        return self._before[row][column - self.page.left]

    def stands(self, now: Values) -> bool:
        """Whether every row is where it was, and holds what it should."""
        left, columns = self.page.left, frozenset(self._columns)
        for row, (old, new) in enumerate(zip(self._before[1:], now[1:], strict=False), 1):
            for at, (before, after) in enumerate(zip(old, new, strict=False)):
                if left + at in columns:
                    if not taken(self._expected(row, left + at), after):
                        return False
                elif before != after:
                    return False
        return True

    def wrong(self, page: Page) -> dict[Cell, CellValue]:
        """The cells of the sheet as it is now that hold somebody else's, and what they should."""
        places = {column: page.places.get(role) for column, role in self._roles.items()}
        found: dict[Cell, CellValue] = {}
        pairs = self._pairs(page)
        for now in range(1, len(page.values)):
            then = pairs.get(now)
            for column in self._columns:
                place = places.get(column)
                if place is None:
                    continue
                cell = page.heading.row + now, place
                held = page.value(cell)
                if then is None:  # a new row: what was meant for the one that stood there is taken out
                    if held is not None and now < len(self._before) and taken(self._expected(now, column), held):
                        found[cell] = None
                elif not taken(value := self._expected(then, column), held):
                    found[cell] = value
        return found

    def _pairs(self, page: Page) -> dict[int, int]:
        """Which row of now is which of then; both count from 1 below the headers."""
        old, new = self._keys(page)
        left: dict[Hashable, deque[int]] = defaultdict(deque)
        for then, key in enumerate(old, 1):
            left[key].append(then)
        pairs: dict[int, int] = {}
        for now, key in enumerate(new, 1):  # equal rows in their order: they are the same to everybody
            if left.get(key):
                pairs[now] = left[key].popleft()
        over = {then for thens in left.values() for then in thens}
        for now in range(1, len(new) + 1):
            if now not in pairs and now in over:  # its cells were changed where it stands
                pairs[now] = now
        return pairs

    def _keys(self, page: Page) -> tuple[list[Hashable], list[Hashable]]:
        """What tells the rows apart, then and now: the id, or all columns that nobody has changed."""
        written = {self._roles.get(column) for column in self._columns}
        names = [
            (column, page.headers[text])
            for text, column in self.page.headers.items()
            if text in page.headers and self.page.roles.get(column) not in (written - {None}) | {Role.ID}
        ]
        then = {column: [row[column - self.page.left] for row in self._before[1:]] for column, _ in names}
        now = {column: [row[place - page.left] for row in page.values[1:]] for column, place in names}
        stable = [column for column, _ in names if _alike(then[column], now[column])]
        ids: tuple[Sequence[CellValue], Sequence[CellValue]] = ((), ())
        if Role.ID not in written and Role.ID in self.page.places and Role.ID in page.places:
            at, place = self.page.places[Role.ID] - self.page.left, page.places[Role.ID] - page.left
            ids = [row[at] for row in self._before[1:]], [row[place] for row in page.values[1:]]
        return (
            _told([then[column] for column in stable], ids[0], len(self._before) - 1),
            _told([now[column] for column in stable], ids[1], len(page.values) - 1),
        )


def _told(columns: Sequence[Sequence[CellValue]], ids: Sequence[CellValue], count: int) -> list[Hashable]:
    """A key for each of so many rows."""
    rows: list[Hashable] = list(zip(*columns, strict=True)) if columns else [()] * count
    return [id_text(own) if own else row for own, row in zip(ids or [None] * count, rows, strict=True)]


def _alike(then: Sequence[CellValue], now: Sequence[CellValue]) -> bool:
    """Whether a column holds the same, in whatever order, but for what somebody types and the rows that come and go."""
    before, after = Counter(then), Counter(now)
    apart = (before - after).total() + (after - before).total()
    return apart <= max(_FEW, len(then) // 10) + abs(len(then) - len(now))


def settle(book: xw.Book, written: Written) -> bool:
    """Make sure that everything stands beside the row that it is for; whether rows had moved.

    Raises:
        NotTakenError: something else stands there than was written, and stays.
    """
    sheet = book.sheets[written.page.name]
    now = read_block(sheet, *written.area)
    if written.stands(now):
        for row, values in zip(written.page.values, now, strict=False):
            row[:] = values[: len(row)]
        return False
    before: dict[Cell, CellValue] = {}
    for _ in range(_ROUNDS):
        page = next((page for page in read_pages(book) if page.name == written.page.name), None)
        wrong = written.wrong(page) if page is not None else None
        if page is None or (wrong and wrong == before):
            raise NotTakenError
        if not wrong:
            return True
        writer = Writer(sheet, page, wrong, {}, lambda *_: None)
        writer.write()
        if not writer.cells:  # formulas and merged cells, which nobody writes
            return True
        before = wrong
    raise NotTakenError
