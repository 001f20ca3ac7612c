"""Cells put into one sheet of an open workbook: formats first, then values in blocks."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import xlwings as xw

from xlsms.errors import Place, UserError
from xlsms.model import CellValue, Role
from xlsms.ooxml.patch import Cell
from xlsms.ooxml.style import is_date
from xlsms.workbook.live.block import Block, Kind, blocks, kind_of, runs
from xlsms.workbook.live.glance import areas_where
from xlsms.workbook.live.native import is_locked, is_protected
from xlsms.workbook.live.page import Page
from xlsms.workbook.live.patience import BusyError

__all__ = ["TIME", "Writer", "dress", "taken"]

TIME = "yyyy-mm-dd hh:mm"  #: how a moment shows where the column shows none
_HIDDEN_ROWS = 500  # written in one go, a call each; the others wait for the next

Cannot = Callable[[Page, Cell, str | None], None]


class Writer:
    """What is to be written into one sheet. `cannot` is told of cells that are not, and why."""

    def __init__(
        self,
        sheet: xw.Sheet,
        page: Page,
        cells: Mapping[Cell, CellValue],
        extra: Mapping[Role, int],
        cannot: Cannot,
    ) -> None:
        self._sheet, self._page, self._cannot = sheet, page, cannot
        top = page.heading.row
        self._headers = {cell: value for cell, value in cells.items() if cell[0] == top}
        #: Those below the headers, but for what turned out not to be written.
        self.cells = {cell: value for cell, value in cells.items() if cell[0] != top}
        self._kinds = {column: kind_of(role) for role, column in (*page.places.items(), *extra.items())}

    def write(self) -> None:
        """Write them.

        Raises:
            UserError: `sheet-locked`, and nothing was written.
        """
        self._check_locks()
        if self._headers:
            self._write_headers()
        fixed = self._fixed() if self.cells else frozenset()
        if not self.cells:
            return
        made = list(
            blocks(
                self.cells,
                self._page.value,
                fixed=lambda cell: cell in fixed or not self._keeps(cell),
                hidden=self._page.hidden,
            )
        )
        made = list(self._not_too_many(made))
        if not made:
            return
        self._format(made)
        for block in made:
            self._range(block.top, block.left, block.bottom, block.right).value = [list(row) for row in block.rows]

    def _range(self, top: int, left: int, bottom: int, right: int) -> xw.Range:
        return self._sheet.range((top, left), (bottom, right))

    def _area(self) -> tuple[int, int, int, int]:
        """The rectangle around all cells."""
        rows, columns = {row for row, _ in self.cells}, {column for _, column in self.cells}
        return min(rows), min(columns), max(rows), max(columns)

    def _check_locks(self) -> None:
        if not is_protected(self._sheet):
            return
        every = [*self._headers, *self.cells]
        for columns in runs(column for _, column in every):
            rows = [row for row, column in every if column in columns]
            if is_locked(self._range(min(rows), columns[0], max(rows), columns[-1])):
                raise UserError("sheet-locked", place=Place(sheet=self._page.name))

    def _write_headers(self) -> None:
        """Put in the headers of new columns, in the looks of the one before them."""
        row = self._page.heading.row
        for columns in runs(column for _, column in self._headers):
            target = self._range(row, columns[0], row, columns[-1])
            last = self._page.sheet.headers
            beside = self._sheet.range(f"{list(last)[-1]}{row}")
            dress(target, beside)
            target.value = [[self._headers[row, column] for column in columns]]
            for column in columns:
                self._page.put((row, column), self._headers[row, column])

    def _fixed(self) -> frozenset[Cell]:
        """The cells that nobody may write: formulas and merges. Those that were to be written are told of."""
        top, left, bottom, right = self._area()
        formulas = self._formulas(top, left, bottom, right)
        calculated = {
            (row, column)
            for row, line in enumerate(formulas, top)
            for column, text in enumerate(line, left)
            if isinstance(text, str) and text.startswith("=") and self._page.value((row, column)) != text
        }
        merged = self._merged(top, left, bottom, right)
        for cells, code in ((calculated, "cell-formula"), (merged - calculated, "cell-merged")):
            for cell in cells & self.cells.keys():
                self._cannot(self._page, cell, code)
                del self.cells[cell]
        return frozenset(calculated | merged)

    def _formulas(self, top: int, left: int, bottom: int, right: int) -> tuple[tuple[object, ...], ...]:
        found = self._range(top, left, bottom, right).formula
        if found is None:
            raise BusyError
        if not isinstance(found, list | tuple):
            return ((found,),)
        lines = found if isinstance(found[0], list | tuple) else (found,)
        return tuple(tuple(line) for line in lines)

    def _merged(self, top: int, left: int, bottom: int, right: int) -> set[Cell]:
        found: set[Cell] = set()
        for (first, start, last, end), answer in areas_where(
            self._sheet, (top, left, bottom, right), lambda cells: cells.merge_cells
        ):
            if answer is not False:
                found |= {(row, column) for row in range(first, last + 1) for column in range(start, end + 1)}
        return found

    def _keeps(self, cell: Cell) -> bool:
        """Whether a cell that does not change comes out the same when it is written along."""
        value = self._page.value(cell)
        kind = self._kinds.get(cell[1])
        if value is None:
            return True
        if kind is Kind.TEXT:
            return isinstance(value, str)
        if kind is Kind.TIME:
            return isinstance(value, datetime)
        return kind is Kind.PLAIN and isinstance(value, str) and value.isalpha() and value.lower() != "true"

    def _not_too_many(self, made: list[Block]) -> Iterator[Block]:
        """The blocks but for those in the last of very many hidden rows, which are written a call each."""
        hidden = sorted({block.top for block in made if block.top in self._page.hidden})
        later = set(hidden[_HIDDEN_ROWS:])
        for block in made:
            if block.top in later:
                for column in range(block.left, block.right + 1):
                    self._cannot(self._page, (block.top, column), None)
                    self.cells.pop((block.top, column), None)
            else:
                yield block

    def _format(self, made: list[Block]) -> None:
        """Make texts texts before they come, and let moments show as such."""
        whole = not self._page.hidden
        areas = [self._area()] if whole else [(block.top, block.left, block.bottom, block.right) for block in made]
        for top, left, bottom, right in areas:
            written = {column for _, column in self.cells if left <= column <= right}
            for columns in runs(column for column in written if self._kinds.get(column) is Kind.TEXT):
                self._range(top, columns[0], bottom, columns[-1]).number_format = "@"
            for column in sorted(column for column in written if self._kinds.get(column) is Kind.TIME):
                for part, code in areas_where(
                    self._sheet, (top, column, bottom, column), lambda cells: cells.number_format
                ):
                    if code is None or not is_date(code):
                        self._range(*part).number_format = TIME


def dress(target: xw.Range, like: xw.Range) -> None:
    """Give headers the looks of another one."""
    target.font.bold = bool(like.font.bold)
    ink, background = like.font.color, like.color
    if ink is not None:
        target.font.color = ink
    if background is not None:
        target.color = background
    target.wrap_text = bool(like.wrap_text)


def taken(new: CellValue, now: CellValue) -> bool:
    """Whether a cell holds what was written; Excel takes an apostrophe in front for a sign of its own."""
    if isinstance(new, datetime):
        return isinstance(now, datetime) and abs((now - new).total_seconds()) < 1
    if isinstance(new, str):
        return now == new or (new.startswith("'") and now == (new[1:] or None))
    return now == new
