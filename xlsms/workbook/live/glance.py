"""Cells of an open workbook, asked in blocks: what they hold, which are seen, and how they look.

Each question is a call into another program, which takes as long for one cell as for many.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import xlwings as xw

from xlsms.model import CellValue
from xlsms.ooxml.style import LOCAL_DATE
from xlsms.workbook.grid import ERROR
from xlsms.workbook.live.patience import BusyError

__all__ = ["Codes", "Values", "areas_where", "end_of", "hidden_rows", "read_block"]

_ERRORS = frozenset(
    {"#N/A", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!"}
)
_EXACT = 10**15  # below, the program knows every digit of a whole number
_SYSTEM_DATE = "m/d/yyyy"  # how Excel tells the system's own date format, whatever that is
_MOST_LOOKS = 64  # stretches of one column that may differ in their number formats

Values = list[list[CellValue]]


def read_block(sheet: xw.Sheet, top: int, left: int, bottom: int, right: int) -> Values:
    """What some cells hold, in one call.

    Raises:
        BusyError: less came back than was asked for, as from a program that is busy.
    """
    cells = sheet.range((top, left), (bottom, right))
    try:
        block = cells.options(ndim=2, err_to_str=True).value
    except TypeError as error:  # xlwings on an answer of None
        raise BusyError from error
    if block is None or len(block) != bottom - top + 1 or any(len(row) != right - left + 1 for row in block):
        raise BusyError
    return [[_plain(value) for value in row] for row in block]


def _plain(value: Any) -> CellValue:
    """A value as the closed workbook reads it: whole numbers as such, errors told apart, no text as nothing."""
    if isinstance(value, str):
        return ERROR if value in _ERRORS else value or None
    if isinstance(value, bool | None):
        return value
    if isinstance(value, float | int | Decimal):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < _EXACT else number
    return value.replace(tzinfo=None) if isinstance(value, datetime) else str(value)


def end_of(sheet: xw.Sheet) -> tuple[int, int]:
    """The last row and column in use, as the program counts; cells that only have looks count too."""
    used = sheet.used_range
    height, width = used.shape
    return used.row + height - 1, used.column + width - 1


def hidden_rows(sheet: xw.Sheet, column: int, first: int, last: int) -> frozenset[int]:
    """The rows that nobody sees, hidden by hand or by a filter."""
    rows = set(range(first, last + 1))
    areas = sheet.range((first, column), (last, column)).get_special_cells("visible")
    for area in cast("list[xw.Range]", areas):  # only xlwings Lite has it awaited
        rows.difference_update(range(area.row, area.row + area.shape[0]))
    return frozenset(rows)


def areas_where(
    sheet: xw.Sheet, area: tuple[int, int, int, int], ask: Callable[[xw.Range], Any], most: int = _MOST_LOOKS
) -> Iterator[tuple[tuple[int, int, int, int], Any]]:
    """Parts of an area in which all cells give one answer; None from `ask` means that they differ.

    A part is halved until its cells agree, `most` times at the most: what is left then answers with None.
    """
    waiting = [area]
    asked = 0
    while waiting:
        top, left, bottom, right = part = waiting.pop()
        answer = ask(sheet.range((top, left), (bottom, right)))
        asked += 1
        if answer is not None or (top == bottom and left == right) or asked > most:
            yield part, answer
        elif bottom - top >= right - left:
            middle = (top + bottom) // 2
            waiting += [(middle + 1, left, bottom, right), (top, left, middle, right)]
        else:
            middle = (left + right) // 2
            waiting += [(top, middle + 1, bottom, right), (top, left, bottom, middle)]


class Codes:
    """The number formats of a sheet's rows, a column at a time, when one is asked for."""

    def __init__(self, sheet: xw.Sheet, first: int, last: int) -> None:
        self._sheet, self._first, self._last = sheet, first, last
        self._known: dict[int, list[tuple[range, str]]] = {}

    def code(self, row: int, column: int) -> str:
        """That of a cell; `General` where its neighbours differ too much."""
        if column not in self._known:
            area = self._first, column, max(self._last, self._first), column
            found = areas_where(self._sheet, area, lambda cells: cells.number_format)
            self._known[column] = [(range(top, bottom + 1), _english(answer)) for (top, _, bottom, _), answer in found]
        return next((code for rows, code in self._known[column] if row in rows), "General")


def _english(code: str | None) -> str:
    """A number format as the file would tell it."""
    if code is None:
        return "General"
    if code.lower().startswith(_SYSTEM_DATE):
        return LOCAL_DATE + code[len(_SYSTEM_DATE) :]
    return code
