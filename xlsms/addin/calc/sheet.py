"""One sheet of Calc, and its tables: database ranges, which is what Excel's tables become there."""

import numbers
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from xlwings import base_classes

from xlsms.addin.calc.cells import Range
from xlsms.addin.calc.link import Uno, uno
from xlsms.addin.calc.undo import unrecorded
from xlsms.ooxml.cells import column_letters, column_number

if TYPE_CHECKING:
    from xlsms.addin.calc.book import Book

__all__ = ["COLUMNS", "ROWS", "Sheet", "Table", "Tables"]

ROWS, COLUMNS = 1_048_576, 16_384
_WHOLE = re.compile(r"([A-Za-z]+):([A-Za-z]+)|(\d+):(\d+)")
_CORNERS = 4
_HIDDEN = 32  # com.sun.star.sheet.NamedRangeFlag.HIDDEN


class Sheet(base_classes.Sheet):
    """A sheet."""

    def __init__(self, book: "Book", sheet: Uno) -> None:
        self._book, self._sheet = book, sheet

    @property
    def api(self) -> Uno:
        """The sheet's own object."""
        return self._sheet

    @property
    def book(self) -> "Book":
        """The document."""
        return self._book

    @property
    def name(self) -> str:
        """What its tab shows."""
        return str(self._sheet.Name)

    @name.setter
    def name(self, value: str) -> None:
        self._sheet.Name = value

    @property
    def document(self) -> Uno:
        """The document that it is part of."""
        return self._book.api

    @unrecorded
    def note(self, name: str, row: int, column: int) -> None:
        """Give a cell a name of this sheet's own, which follows it; out of the user's sight where LibreOffice can."""
        names = self._sheet.NamedRanges
        if not names.hasByName(name):
            cell = self._sheet.getCellByPosition(column - 1, row - 1)
            quoted = self.name.replace("'", "''")
            names.addNewByName(name, f"$'{quoted}'.${column_letters(column)}${row}", cell.CellAddress, _HIDDEN)

    @property
    def index(self) -> int:
        """Its place among the tabs, from 1."""
        return int(self._sheet.RangeAddress.Sheet) + 1

    @property
    def visible(self) -> bool:
        """Whether its tab is shown."""
        return bool(self._sheet.IsVisible)

    @visible.setter
    def visible(self, value: bool) -> None:
        self._sheet.IsVisible = bool(value)

    @property
    def tables(self) -> "Tables":
        """Its tables."""
        return Tables(self)

    @property
    def cells(self) -> Range:
        """All of it."""
        return Range(self, 0, 0, ROWS - 1, COLUMNS - 1)

    @property
    def used_range(self) -> Range:
        """From the first cell to the last in use."""
        cursor = self._sheet.createCursor()
        cursor.gotoEndOfUsedArea(False)
        end = cursor.RangeAddress
        return Range(self, 0, 0, end.EndRow, end.EndColumn)

    def area(self, address: Uno) -> Range:
        """The cells of a UNO address."""
        return Range(self, address.StartRow, address.StartColumn, address.EndRow, address.EndColumn)

    def range(self, first: Any, second: Any = None) -> Range:
        """Cells by address, name, pair of numbers or corners, as xlwings names them."""
        if isinstance(first, tuple) and len(first) == _CORNERS:
            row, column, height, width = first
            return Range(self, row - 1, column - 1, row + height - 2, column + width - 2)
        if isinstance(first, numbers.Integral) and isinstance(second, numbers.Integral):
            first, second = (first, second), None
        one = self._one(first)
        other = self._one(second) if second is not None else one
        top, bottom = min(one.top, other.top), max(one.bottom, other.bottom)
        return Range(self, top, min(one.left, other.left), bottom, max(one.right, other.right))

    def _one(self, place: Any) -> Range:
        if isinstance(place, Range):
            return place
        if isinstance(place, tuple):
            if 0 in place:
                raise IndexError("xlwings/Excel Ranges are 1-based.")
            return Range(self, place[0] - 1, place[1] - 1, place[0] - 1, place[1] - 1)
        text = str(place).replace("$", "")
        whole = _WHOLE.fullmatch(text)
        if whole and whole[1]:
            left, right = (column_number(letters.upper()) - 1 for letters in whole.group(1, 2))
            return Range(self, 0, left, ROWS - 1, right)
        if whole:
            return Range(self, int(whole[3]) - 1, 0, int(whole[4]) - 1, COLUMNS - 1)
        names = self._book.api.NamedRanges
        if names.hasByName(text):
            return self.area(names.getByName(text).ReferredCells.RangeAddress)
        return self.area(self._sheet.getCellRangeByName(text).RangeAddress)

    def activate(self) -> None:
        """Bring it to the front."""
        self._book.api.CurrentController.setActiveSheet(self._sheet)

    select = activate

    def autofit(self, axis: str | None = None) -> None:
        """Fit the columns, the rows or both to what stands in them."""
        self.used_range.autofit(axis)

    def delete(self) -> None:
        """Take it away."""
        self._book.api.Sheets.removeByName(self.name)

    def clear_contents(self) -> None:
        """Empty every cell; styles stay."""
        self.used_range.clear_contents()

    def clear(self) -> None:
        """Empty every cell and its style."""
        self.used_range.clear()

    # what xlwings has no word for

    @property
    def protected(self) -> bool:
        """Whether locked cells refuse to be written."""
        return bool(self._sheet.isProtected())

    @property
    def filtered(self) -> Range | None:
        """What a filter hides rows of; Calc does not tell of one that hides none, nor exactly what it covers."""
        used = self.used_range
        return used if used.filtered else None


class Tables(base_classes.Tables):
    """The tables of a sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet, self._ranges = sheet, sheet.book.api.DatabaseRanges

    @property
    def api(self) -> Uno:
        """The document's container of them."""
        return self._ranges

    def _names(self) -> list[str]:
        at = self._sheet.index - 1
        return [name for name in self._ranges.ElementNames if self._ranges.getByName(name).DataArea.Sheet == at]

    def __call__(self, key: object) -> "Table":
        """The one of a number, from 1, or of a name."""
        names = self._names()
        name = names[int(key) - 1] if isinstance(key, numbers.Integral) else key
        if name not in names:
            raise KeyError(key)
        return Table(self._sheet, self._ranges.getByName(name))

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator["Table"]:
        return (self(name) for name in self._names())

    def __contains__(self, key: object) -> bool:
        return key in self._names()

    def add(
        self,
        source_type: object = None,
        source: Any = None,
        link_source: object = None,
        has_headers: object = None,
        destination: object = None,
        table_style_name: object = None,
        name: str | None = None,
    ) -> "Table":
        """A table over the area `source`; looks are left to the office."""
        del source_type, link_source, has_headers, destination, table_style_name
        cells: Range = source.impl
        called = name or f"Table{self._ranges.Count + 1}"
        area = uno().createUnoStruct("com.sun.star.table.CellRangeAddress")
        area.Sheet, area.StartRow, area.StartColumn = self._sheet.index - 1, cells.top, cells.left
        area.EndRow, area.EndColumn = cells.bottom, cells.right
        self._ranges.addNewByName(called, area)
        return self(called)


class Table(base_classes.Table):
    """One table."""

    def __init__(self, sheet: Sheet, found: Uno) -> None:
        self._sheet, self._range = sheet, found

    @property
    def api(self) -> Uno:
        """The database range."""
        return self._range

    @property
    def parent(self) -> Sheet:
        """Its sheet."""
        return self._sheet

    @property
    def name(self) -> str:
        """What formulas call it."""
        return str(self._range.Name)

    @name.setter
    def name(self, value: str) -> None:
        self._range.setName(value)

    @property
    def range(self) -> Range:
        """All of it."""
        return self._sheet.area(self._range.DataArea)

    @property
    def header_row_range(self) -> Range | None:
        """Its header; None without one."""
        if not self._range.ContainsHeader:
            return None
        whole = self.range
        return Range(self._sheet, whole.top, whole.left, whole.top, whole.right)

    @property
    def data_body_range(self) -> Range | None:
        """Its rows; None when it has none."""
        whole = self.range
        first = whole.top + bool(self._range.ContainsHeader)
        last = whole.bottom - bool(self._range.TotalsRow)
        return Range(self._sheet, first, whole.left, last, whole.right) if first <= last else None

    @property
    def show_headers(self) -> bool:
        """Whether it has a header."""
        return bool(self._range.ContainsHeader)

    @show_headers.setter
    def show_headers(self, value: bool) -> None:
        self._range.ContainsHeader = bool(value)

    @property
    def show_totals(self) -> bool:
        """Whether its last row counts the others together."""
        return bool(self._range.TotalsRow)

    @show_totals.setter
    def show_totals(self, value: bool) -> None:
        self._range.TotalsRow = bool(value)

    @property
    def document(self) -> Uno:
        """The document that it is part of."""
        return self._sheet.document

    @unrecorded
    def resize(self, range: Any) -> None:  # noqa: A002 - as xlwings calls it
        """Let it end elsewhere."""
        cells: Range = getattr(range, "impl", range)
        area = self._range.DataArea
        area.EndRow, area.EndColumn = cells.bottom, cells.right
        self._range.DataArea = area
