"""What a sheet means: column roles, row identity, reading, and writing back without touching anything else."""

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path

from xlsms.model import Row
from xlsms.workbook.cell import write
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.content import Writable
from xlsms.workbook.csvbook import CsvWorkbook, about
from xlsms.workbook.opening import open_workbook

__all__ = ["open_workbook", "read_rows", "write_cells"]


def read_rows(path: str | PathLike[str]) -> Iterator[Row]:
    """All data rows of all sheets with a phone column, in order, of any file that can be sent from.

    An .xlsx is let go when the last row is read. Of it, and of a text file, no more than a few rows are held; those of
    other formats (.xls, .xlsb, .ods, and those with a password) are held all at once.

    Raises:
        UserError: the file or its columns cannot be used as they are.
    """
    workbook = open_workbook(Path(path))
    if isinstance(workbook, ClosedWorkbook):
        with about(workbook.path):
            for reader in workbook.readers():
                yield from reader.rows()
    elif isinstance(workbook, CsvWorkbook):
        with workbook.reading() as reading:
            yield from reading.rows()
    else:
        yield from workbook.read().rows


def write_cells(path: str | PathLike[str], cells: Mapping[tuple[str, str], Writable]) -> None:
    """Write cells, named by sheet and reference, and nothing else: all of them or, with an error, none.

    Files: .xlsx and .xlsm. The rest of the file stays byte for byte as it is. None empties a cell; styles stay. Text is
    never a formula.
    A date, time or duration is one where the cell shows it as such, and text in any other.

    Raises:
        UserError: the file cannot be written, or one of the cells: the place says which.
        TransientError: somebody has the file open or keeps saving it.
    """
    write(Path(path), cells)
