"""What stands in a .xls, .xlsb or .ods, read by calamine in a child process that may neither grow nor hang."""

import json
import zipfile
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from xlsms.errors import Place, UserError
from xlsms.model import CellValue
from xlsms.workbook.limited import USUAL, Limits, run

__all__ = ["ERROR", "ErrorValue", "Grid", "check_declared", "read_grids"]

_DIMENSION = 0x94  # BrtWsDim, [MS-XLSB] 2.4.868: first and last row, first and last column, 32 bits each
_HEAD = 4096


class ErrorValue(str):
    """What a cell shows that holds an error. It is no text, though it is read like one."""

    __slots__ = ()


ERROR = ErrorValue("#N/A")  #: stands for any of them


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one sheet, row by row; moments are naive, empty cells None."""

    name: str
    rows: list[list[CellValue]]
    #: first and last rows that nobody sees, in order, from 0
    hidden: list[tuple[int, int]] = field(default_factory=list)

    def is_hidden(self, row: int) -> bool:
        """Whether a row, counted from 0, is hidden or filtered out."""
        at = bisect_right(self.hidden, row, key=lambda rows: rows[0])
        return at > 0 and row <= self.hidden[at - 1][1]


def read_grids(path: Path, limits: Limits = USUAL) -> list[Grid]:
    """Every visible worksheet.

    Raises:
        UserError: `file-too-costly` beyond a limit, `file-suspicious` for a file that says so itself, `file-encrypted`,
            `file-damaged`.
    """
    check_declared(path, limits)
    with run("grid_child", [str(path)], limits) as answer:
        return list(_grids(answer))


def _grids(answer: IO[bytes]) -> Iterator[Grid]:
    grid: Grid | None = None
    for line in answer:
        told = json.loads(line)
        if isinstance(told, dict):
            if grid is not None:
                yield grid
            grid = Grid(str(told["sheet"]), [], [(int(first), int(last)) for first, last in told["hidden"]])
        elif grid is not None:
            grid.rows.append([_value(cell) if isinstance(cell, dict) else cell for cell in told])
    if grid is not None:
        yield grid


def _value(told: dict[str, str]) -> CellValue:
    """A cell that JSON has no type for."""
    return datetime.fromisoformat(told["at"]) if "at" in told else ERROR


def check_declared(path: Path, limits: Limits = USUAL) -> None:
    """Refuse a zip that says itself that it would grow beyond the limits; an .xls is left to the child.

    Raises:
        UserError: `file-suspicious`, `file-damaged`.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as package:
            infos = package.infolist()
            if sum(info.file_size for info in infos) > limits.inflated:
                raise UserError("file-suspicious")
            for info in infos:
                if info.filename.lower().endswith(".bin") and "worksheets/" in info.filename.lower():
                    with package.open(info) as part:
                        cells = _declared(part.read(_HEAD))
                    if cells > limits.cells:
                        raise UserError("file-suspicious", place=Place(file=path.name))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise UserError("file-damaged", reason=str(error)) from error


def _declared(head: bytes) -> int:
    """The cells in the rectangle that a sheet of a .xlsb says it has; 0 when it does not say."""
    at = 0
    while at < len(head):
        kind, at = _number(head, at, 2)
        size, at = _number(head, at, 4)
        if kind == _DIMENSION and at + 16 <= len(head):
            first, last, left, right = (int.from_bytes(head[at + 4 * n : at + 4 * n + 4], "little") for n in range(4))
            return max(0, last - first + 1) * max(0, right - left + 1)
        at += size
    return 0


def _number(head: bytes, at: int, most: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first ([MS-XLSB] 2.1.4), and where the next thing begins."""
    number = 0
    for nth in range(most):
        byte = head[at + nth] if at + nth < len(head) else 0
        number |= (byte & 0x7F) << (7 * nth)
        if byte < 0x80:  # noqa: PLR2004 - the last group
            return number, at + nth + 1
    return number, at + most
