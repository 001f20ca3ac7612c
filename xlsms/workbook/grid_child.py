"""Runs in a process of its own: reads one .xls, .xlsb or .ods with calamine and prints its cells, a row a line (JSON).

It holds itself to a limit of memory and of processor time before it touches the file, because the cells of such a
file say how large a rectangle is built in memory, and a few bytes can say 17 billion.
"""

import json
import re
import sys
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import TYPE_CHECKING, BinaryIO

from xlsms.workbook.bounds import ENCRYPTED, TOO_COSTLY, UNREADABLE, limit
from xlsms.workbook.content import hours
from xlsms.workbook.paring import pared
from xlsms.workbook.untold import EncryptedError, untold

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_MOST_COLUMNS = 16_384
#: A day or more in a .ods, as calamine has it.
_LONG = re.compile(r"PT([0-9]{2,7})H([0-9]{2})M([0-9]{2})(?:[.,][0-9]+)?S")


def plain(value: object) -> object:
    """A cell as JSON has it: a moment is an object, a time of day or a duration the text that it shows."""
    if isinstance(value, str):
        long = _LONG.fullmatch(value)
        value = timedelta(hours=int(long[1]), minutes=int(long[2]), seconds=int(long[3])) if long else value
    if isinstance(value, datetime):
        return {"at": value.replace(tzinfo=None).isoformat()}
    if isinstance(value, date):
        return {"at": f"{value.isoformat()}T00:00:00"}
    if isinstance(value, time):
        return f"{value:%H:%M}" if not value.second else f"{value:%H:%M:%S}"
    if isinstance(value, timedelta):
        return hours(value)
    if isinstance(value, float):
        if not isfinite(value):  # as some programs write what could not be calculated
            value = {"error": True}
        elif value.is_integer() and abs(value) < 10**15:
            value = int(value)
    return None if value == "" else value


def tell(path: str) -> None:
    """Print every worksheet that is not hidden: a line with its name and its hidden rows, then its rows."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415 - after the limits

    out = sys.stdout
    with open(path, "rb") as file:  # noqa: PTH123 - no path is needed
        more = untold(file)
    with open(path, "rb") as file, _book(file) as book:  # noqa: PTH123 - as above
        for sheet, also in zip(book.sheets_metadata, more, strict=True):
            if sheet.typ is not SheetTypeEnum.WorkSheet or sheet.visible is not SheetVisibleEnum.Visible:
                continue
            page = book.get_sheet_by_name(sheet.name)
            if page.width > _MOST_COLUMNS:
                sys.exit(TOO_COSTLY)
            # rows are told from the first of the sheet, columns from the first in use
            left = page.start[1] if page.start else 0
            json.dump({"sheet": sheet.name, "hidden": also.hidden}, out)
            out.write("\n")
            for number, row in enumerate(page.iter_rows()):
                cells = [plain(value) for value in row]
                for column in also.errors.get(number, ()):
                    place = column - left  # outside where nothing else stands, as calamine takes some for empty
                    cells += [None] * (place + 1 - len(cells))
                    if place >= 0:
                        cells[place] = {"error": True}
                while cells and cells[-1] is None:
                    cells.pop()
                json.dump(cells, out, allow_nan=False)
                out.write("\n")


def _book(file: BinaryIO) -> "CalamineWorkbook":
    """An open file, for by a path calamine would trust the name."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - after the limits

    try:
        return CalamineWorkbook.from_filelike(file)
    except CalamineError:
        cells = pared(file)
        if cells is None:
            raise
        return CalamineWorkbook.from_filelike(cells)


def main(arguments: Sequence[str]) -> int:
    """`memory seconds path`."""
    memory, seconds, path = arguments
    limit(int(memory), int(seconds))
    sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="\n")  # type: ignore[union-attr]  # a text file
    try:
        tell(path)
    except MemoryError:
        return TOO_COSTLY
    except BaseException as error:  # noqa: BLE001 - a panic of calamine is no Exception
        if isinstance(error, EncryptedError) or type(error).__name__ == "PasswordError":
            return ENCRYPTED
        sys.stderr.write(f"{type(error).__name__}: {error}"[:200])
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
