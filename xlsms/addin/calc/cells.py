"""Cells of Calc as xlwings' ranges: blocks move in one call, whatever their size."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xlwings import base_classes

from xlsms.addin.calc.font import Font, number_of, rgb
from xlsms.addin.calc.guard import Guard, ProtectedError
from xlsms.addin.calc.link import Uno, enumerated, properties, uno
from xlsms.addin.calc.span import joined, leap
from xlsms.addin.calc.undo import unrecorded
from xlsms.addin.calc.value import ERROR, moment, serial, typed
from xlsms.ooxml.cells import column_letters

if TYPE_CHECKING:
    from xlsms.addin.calc.sheet import Sheet, Table

__all__ = ["Range"]

_VALUE, _DATETIME, _STRING, _FORMULA = 1, 2, 4, 16  # com.sun.star.sheet.CellFlags
_CONTENT = _VALUE | _DATETIME | _STRING | _FORMULA
_ALL = 1023
_ERROR_RESULTS = 4  # com.sun.star.sheet.FormulaResult.ERROR
_TEXT = "@"
_WIDTH = 212.0  # hundredths of a millimetre of one character of Excel's usual font

Block = Sequence[Sequence[Any]]


class Range(base_classes.Range):
    """A rectangle of cells; its corners count from 0."""

    def __init__(self, sheet: "Sheet", top: int, left: int, bottom: int, right: int) -> None:
        self._sheet = sheet
        self._area = top, left, bottom, right
        self._cells: Uno = None

    # where xlwings means a distance in points, which nothing here asks for, these count cells from 0

    @property
    def top(self) -> int:
        """Its first row."""
        return self._area[0]

    @property
    def left(self) -> int:
        """Its first column."""
        return self._area[1]

    @property
    def bottom(self) -> int:
        """Its last row."""
        return self._area[2]

    @property
    def right(self) -> int:
        """Its last column."""
        return self._area[3]

    @property
    def sheet(self) -> "Sheet":
        """The sheet that it is on."""
        return self._sheet

    @property
    def api(self) -> Uno:
        """The cell range."""
        if self._cells is None:
            self._cells = self._sheet.api.getCellRangeByPosition(self.left, self.top, self.right, self.bottom)
        return self._cells

    @property
    def document(self) -> Uno:
        """The document that it is part of."""
        return self._sheet.book.api

    @property
    def guard(self) -> Guard:
        """What counts the calls."""
        return self._sheet.book.app.guard

    @property
    def row(self) -> int:
        """Its first row, from 1."""
        return self.top + 1

    @property
    def column(self) -> int:
        """Its first column, from 1."""
        return self.left + 1

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns."""
        return self.bottom - self.top + 1, self.right - self.left + 1

    @property
    def coords(self) -> tuple["Sheet", int, int, int, int]:
        """All of it in numbers."""
        return (self._sheet, self.row, self.column, *self.shape)

    @property
    def address(self) -> str:
        """Its corners, absolute."""
        return self.get_address(True, True, False)

    def get_address(self, row_absolute: bool, col_absolute: bool, external: bool) -> str:  # noqa: FBT001 - as xlwings calls it
        """Its corners as text."""
        rows, columns = "$" if row_absolute else "", "$" if col_absolute else ""
        cells = [
            f"{columns}{column_letters(column + 1)}{rows}{row + 1}"
            for row, column in ((self.top, self.left), (self.bottom, self.right))
        ]
        text = cells[0] if cells[0] == cells[1] else ":".join(cells)
        return f"'[{self._sheet.book.name}]{self._sheet.name}'!{text}" if external else text

    def __len__(self) -> int:
        height, width = self.shape
        return height * width

    def __call__(self, row: int, column: int | None = None) -> "Range":
        """The cell at a place within it, from 1."""
        if column is None:
            down, across = divmod(row - 1, self.shape[1])
            row, column = down + 1, across + 1
        top, left = self.top + row - 1, self.left + column - 1
        return Range(self._sheet, top, left, top, left)

    @property
    def rows(self) -> list["Range"]:
        """Its rows."""
        return [Range(self._sheet, row, self.left, row, self.right) for row in range(self.top, self.bottom + 1)]

    @property
    def columns(self) -> list["Range"]:
        """Its columns."""
        return [Range(self._sheet, self.top, at, self.bottom, at) for at in range(self.left, self.right + 1)]

    # values

    @property
    def raw_value(self) -> list[list[Any]]:
        """What the cells hold: moments where they show one, errors as such."""
        self.guard.reads += 1
        block = [[_told(cell) for cell in row] for row in self.api.getDataArray()]
        epoch = self._epoch()
        for rows, columns in self._places(self.api.queryContentCells(_DATETIME)):
            for row in rows:
                line = block[row]
                for column in columns:
                    if isinstance(line[column], float):
                        line[column] = moment(line[column], epoch)
        for rows, columns in self._places(self.api.queryFormulaCells(_ERROR_RESULTS)):
            for row in rows:
                for column in columns:
                    block[row][column] = ERROR
        return block

    @raw_value.setter
    @unrecorded
    def raw_value(self, value: Any) -> None:
        """Put values in, texts as if typed, as Excel does: only a cell of the format "@" keeps any text as it is.

        Raises:
            ProtectedError: a cell is locked on a protected sheet.
            QuirkError: where Excel would put them into other rows.
        """
        self.guard.writes += 1
        height, width = self.shape
        one = not isinstance(value, list | tuple)
        block: Block = [[value] * width] * height if one else value
        self._check_writable(several=height > 1 and not one)
        epoch = self._epoch()
        cells = tuple(
            tuple(serial(cell, epoch) if isinstance(cell, dt.datetime) else cell for cell in row) for row in block
        )
        typed_in = list(self._typed_in(block))  # before: Calc makes a cell "@" that is given such a text
        self.api.setDataArray(cells)
        for cell, text in typed_in:
            cell.api.setFormulaArray(((text,),))

    def _typed_in(self, block: Block) -> Iterator[tuple["Range", str]]:
        """The cells that take a text for something else, and the texts."""
        for at, column in enumerate(self.columns):
            risky = [row for row, line in enumerate(block) if typed(line[at])]
            if risky and column.number_format != _TEXT:
                for row in risky:
                    cell = self(row + 1, at + 1)
                    if cell.number_format != _TEXT:
                        yield cell, block[row][at]

    def _check_writable(self, *, several: bool) -> None:
        if self._sheet.protected and self.locked is not False:
            raise ProtectedError(f"{self._sheet.name}!{self.address} is protected")
        if several and self.guard.strict and self.filtered:
            self.guard.refuse(f"{self.address}: Excel puts a block into the wrong rows where a filter hides some")

    def _epoch(self) -> dt.datetime:
        day = self._sheet.book.api.NullDate
        return dt.datetime(day.Year, day.Month, day.Day)  # noqa: DTZ001 - wall-clock time, as a cell holds it

    def _places(self, found: Uno) -> Iterator[tuple[range, range]]:
        """The areas of a query as rows and columns within this range."""
        for area in found.RangeAddresses:
            yield (
                range(area.StartRow - self.top, area.EndRow - self.top + 1),
                range(area.StartColumn - self.left, area.EndColumn - self.left + 1),
            )

    def get_special_cells(self, cell_type: str, value_type: str | None = None) -> list["Range"]:  # noqa: ARG002 - as xlwings calls it
        """The areas that are seen."""
        if cell_type != "visible":
            raise NotImplementedError(cell_type)
        self.guard.reads += 1
        return [self._sheet.area(area) for area in self.api.queryVisibleCells().RangeAddresses]

    @property
    def formula(self) -> Any:
        """What was typed: a text for one cell, rows of texts for more."""
        self.guard.reads += 1
        block = self.api.getFormulaArray()
        return block[0][0] if len(self) == 1 else block

    @formula.setter
    @unrecorded
    def formula(self, value: Any) -> None:
        self.guard.writes += 1
        height, width = self.shape
        self._check_writable(several=height > 1)
        block: Block = value if isinstance(value, list | tuple) else [[value] * width] * height
        self.api.setFormulaArray(tuple(tuple(str(cell) for cell in row) for row in block))

    @property
    def has_array(self) -> bool:
        """Whether it is part of an array formula."""
        return bool(self.api.ArrayFormula) if len(self) == 1 else False

    @property
    def merge_cells(self) -> bool | None:
        """Whether its cells are merged: all, none, or None for some."""
        if len(self) == 1:
            cursor = self._sheet.api.createCursorByRange(self.api)
            cursor.collapseToMergedArea()
            return bool(cursor.Rows.Count > 1 or cursor.Columns.Count > 1)
        # a merge that reaches in from the left begins there
        rows = self._sheet.api.getCellRangeByPosition(0, self.top, self.right, self.bottom)
        return None if rows.getIsMerged() else False

    # looks

    @property
    def number_format(self) -> str | None:
        """The number format that all its cells have; None where they differ."""
        if self.api.getPropertyState("NumberFormat").value == "AMBIGUOUS_VALUE":
            return None
        return self._sheet.book.formats.code(self.api.NumberFormat)

    @number_format.setter
    @unrecorded
    def number_format(self, value: str) -> None:
        self.guard.writes += 1
        self._check_writable(several=False)
        self.api.NumberFormat = self._sheet.book.formats.key(value)

    @property
    def color(self) -> tuple[int, int, int] | None:
        """The background."""
        return rgb(self.api.CellBackColor)

    @color.setter
    @unrecorded
    def color(self, value: tuple[int, int, int] | int | None) -> None:
        self.api.CellBackColor = number_of(value)

    @property
    def row_hidden(self) -> bool | None:
        """Whether its rows are hidden; None where some are."""
        return self._hidden(self.api.Rows)

    @row_hidden.setter
    @unrecorded
    def row_hidden(self, value: bool) -> None:
        self.api.Rows.IsVisible = not value

    @property
    def column_hidden(self) -> bool | None:
        """Whether its columns are hidden; None where some are."""
        return self._hidden(self.api.Columns)

    @column_hidden.setter
    @unrecorded
    def column_hidden(self, value: bool) -> None:
        self.api.Columns.IsVisible = not value

    @staticmethod
    def _hidden(lines: Uno) -> bool | None:
        seen = {not lines.getByIndex(at).IsVisible for at in range(lines.Count)}
        return seen.pop() if len(seen) == 1 else None

    @property
    def column_width(self) -> float | None:
        """In characters; None where columns differ."""
        widths = {self.api.Columns.getByIndex(at).Width for at in range(self.shape[1])}
        return round(widths.pop() / _WIDTH, 2) if len(widths) == 1 else None

    @column_width.setter
    @unrecorded
    def column_width(self, value: float) -> None:
        self.api.Columns.Width = round(value * _WIDTH)

    @property
    def wrap_text(self) -> bool:
        """Whether long texts go on in a next line."""
        return bool(self.api.IsTextWrapped)

    @wrap_text.setter
    @unrecorded
    def wrap_text(self, value: bool) -> None:
        self.api.IsTextWrapped = bool(value)

    @property
    def font(self) -> Font:
        """How its letters look."""
        return Font(self.api, self.document)

    @unrecorded
    def autofit(self, axis: str | None = None) -> None:
        """Fit columns, rows or both to what stands in them."""
        if axis in (None, "columns", "c"):
            self.api.Columns.OptimalWidth = True
        if axis in (None, "rows", "r"):
            self.api.Rows.OptimalHeight = True

    @unrecorded
    def clear_contents(self) -> None:
        """Empty the cells; styles stay."""
        self.guard.writes += 1
        self.api.clearContents(_CONTENT)

    @unrecorded
    def clear(self) -> None:
        """Empty the cells and their styles."""
        self.api.clearContents(_ALL)

    def select(self) -> None:
        """Put the selection here."""
        self._sheet.book.api.CurrentController.select(self.api)

    def end(self, direction: str) -> "Range":
        """Where Ctrl and an arrow would lead."""
        step = {"down": (1, 0), "up": (-1, 0), "right": (0, 1), "left": (0, -1)}[direction]
        region = self._line(vertical=bool(step[0]))
        at = self.top if step[0] else self.left
        to = leap(region, at, forward=sum(step) > 0, last=1_048_575 if step[0] else 16_383)
        row, column = (to, self.left) if step[0] else (self.top, to)
        return Range(self._sheet, row, column, row, column)

    def _line(self, *, vertical: bool) -> list[tuple[int, int]]:
        """The stretches in use of the column or row of the first cell."""
        if vertical:
            line = self._sheet.api.getCellRangeByPosition(self.left, 0, self.left, 1_048_575)
        else:
            line = self._sheet.api.getCellRangeByPosition(0, self.top, 16_383, self.top)
        areas = line.queryContentCells(_CONTENT).RangeAddresses
        spans = ((area.StartRow, area.EndRow) if vertical else (area.StartColumn, area.EndColumn) for area in areas)
        return joined(spans)

    @property
    def current_region(self) -> "Range":
        """The block of cells around it."""
        cursor = self._sheet.api.createCursorByRange(self.api)
        cursor.collapseToCurrentRegion()
        return self._sheet.area(cursor.RangeAddress)

    @property
    def table(self) -> "Table | None":
        """The table that holds its first cell."""
        for table in self._sheet.tables:
            whole = table.range
            if whole.top <= self.top <= whole.bottom and whole.left <= self.left <= whole.right:
                return table
        return None

    # what xlwings has no word for

    @unrecorded
    def offer(self, value: str, title: str, hint: str) -> None:
        """A drop-down with one value, and a hint, where the cells have none yet."""
        there = self.api.Validation
        if there.Type.value != "ANY":
            return
        there.Type = uno().Enum("com.sun.star.sheet.ValidationType", "LIST")
        there.setFormula1(f'"{value}"')
        there.ShowList, there.IgnoreBlankCells, there.ShowErrorMessage = 1, True, False
        there.ShowInputMessage, there.InputTitle, there.InputMessage = True, title, hint
        self.api.Validation = there

    @unrecorded
    def colour_texts(self, colours: Mapping[str, tuple[str, str]]) -> None:
        """Fill and ink for each text, as RRGGBB, where the cells have no conditions of their own."""
        entries = self.api.ConditionalFormat
        if entries.Count:
            return
        equal = uno().Enum("com.sun.star.sheet.ConditionOperator", "EQUAL")
        for text, look in colours.items():
            style = self._sheet.book.style(*look)
            entries.addNew(properties(Operator=equal, Formula1=f'"{text}"', StyleName=style))
        self.api.ConditionalFormat = entries

    @property
    def locked(self) -> bool | None:
        """Whether protection keeps its cells from being written; None where it keeps some."""
        states = {part.CellProtection.IsLocked for part in enumerated(self.api.CellFormatRanges)}
        return states.pop() if len(states) == 1 else None

    @property
    def filtered(self) -> bool:
        """Whether a filter hides some of the rows. Rows of one gap are hidden by the same hand."""
        shown = sorted((rows.start, rows.stop) for rows, _ in self._places(self.api.queryVisibleCells()))
        at, rows = 0, self.api.Rows
        for start, stop in [*shown, (self.shape[0], self.shape[0])]:
            if start > at and any(rows.getByIndex(row).IsFiltered for row in {at, start - 1}):
                return True
            at = max(at, stop)
        return False


def _told(cell: Any) -> Any:
    """A value as the cell holds it: blocks tell a tab in a text of several lines as U+0001 (LibreOffice 7.4)."""
    return cell.replace("\1", "\t") if isinstance(cell, str) and "\1" in cell else cell
