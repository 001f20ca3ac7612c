"""Single cells of a closed workbook written by sheet and reference."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from xlsms.errors import Place, TransientError, UserError
from xlsms.files.link import resolved
from xlsms.ooxml.batch import Batch
from xlsms.ooxml.block import NotPlainError
from xlsms.ooxml.book import Book, SheetPart
from xlsms.ooxml.cells import MOST_COLUMNS, MOST_ROWS, column_letters, column_number, reference
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.scan import Survey, survey
from xlsms.ooxml.segment import StaleIndexError
from xlsms.workbook.content import Writable, content_of
from xlsms.workbook.segments import forget, known_survey
from xlsms.workbook.writing import ATTEMPTS, Step, opened, put, ready

__all__ = ["write"]

_SOME = 1 << 15  # cells taken up at a time
_LETTERS = re.compile("[A-Z]{1,3}")
_ROWS = re.compile(r"(?:\n[1-9][0-9]{0,6}+)+")

Named = tuple[tuple[str, str], Writable]


def write(path: Path, cells: Mapping[tuple[str, str], Writable], *, step: Step = lambda _: None) -> None:
    """Write single cells of any sheets; see `xlsms.workbook.write_cells`."""
    real = resolved(path)
    if not cells:
        return
    look = known_survey
    for _ in range(ATTEMPTS):
        ready(real)
        with opened(real) as book:
            try:
                if put(real, book, _patches(book, cells, look), step, whole=True) is not None:
                    return
            except StaleIndexError:
                forget(book.package)
            except NotPlainError:  # seen while it was being written
                look = survey
    raise TransientError("file-keeps-changing", path=real.name)


def _patches(
    book: Book, cells: Mapping[tuple[str, str], Writable], look: Callable[[Book, SheetPart], Survey]
) -> list[Patch]:
    taken = _Taken(book)
    for some in _pieces(cells):
        taken.take(some)
    return [Patch(book, part, look(book, part), book.tables(part), batch) for part, batch in taken.batches()]


def _pieces(cells: Mapping[tuple[str, str], Writable]) -> Iterator[list[Named]]:
    items = iter(cells.items())
    while some := list(islice(items, _SOME)):
        yield some


class _Taken:
    """The cells by sheet, as far as they have been taken up."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._parts = {part.name.casefold(): part for part in book.sheets}
        self._batches: dict[str, Batch] = {}

    def batches(self) -> Iterator[tuple[SheetPart, Batch]]:
        """The sheets with something to write."""
        for name, batch in self._batches.items():
            batch.settle()
            yield self._parts[name], batch

    def take(self, cells: Sequence[Named]) -> None:
        """Take up some cells: all at once where they are texts of one column of one sheet, else one by one."""
        keys, values = zip(*cells, strict=True)
        if set(map(type, values)) == {str} and self._take_column(keys, values):
            return
        date1904 = self._book.date1904
        for (name, ref), value in cells:
            batch = self._batch(name)
            try:
                row, number = reference(ref)
            except (ValueError, TypeError) as error:  # no cell, or no text at all
                raise UserError("cell-not-a-reference", place=Place(sheet=name), reference=ref) from error
            column = batch.columns.get(number) or batch.column(number)
            try:
                new = value if type(value) is str else content_of(value, date1904=date1904)
            except TypeError:
                place = Place(sheet=name, row=row, column=column_letters(number))
                raise UserError("value-not-writable", place=place, kind=type(value).__name__) from None
            column.rows.append(row)
            column.values.append(new)

    def _take_column(self, keys: Sequence[tuple[str, str]], values: Sequence[str]) -> bool:
        names, refs = zip(*keys, strict=True)
        if len(set(names)) > 1 or set(map(type, refs)) != {str}:
            return False
        letters = refs[0].rstrip("0123456789")
        # the row numbers, each a line, in one text: what is not made of such lines alone is no column
        named = "\n" + "\n".join(refs)
        lines = named.replace("\n" + letters, "\n")
        rows = lines[1:].split("\n")
        if not _LETTERS.fullmatch(letters) or _ROWS.fullmatch(lines) is None:
            return False
        if not named.count("\n" + letters) == len(rows) == len(refs):  # each has the letters, and is one line
            return False
        numbers, number = list(map(int, rows)), column_number(letters)
        if number > MOST_COLUMNS or max(numbers) > MOST_ROWS:
            return False
        column = self._batch(names[0]).column(number)
        column.rows.extend(numbers)
        column.values.extend(values)
        return True

    def _batch(self, name: str) -> Batch:
        if not isinstance(name, str) or name.casefold() not in self._parts:
            sheets = ", ".join(part.name for part in self._book.sheets)
            raise UserError("sheet-not-found", sheet=name, sheets=sheets)
        return self._batches.setdefault(name.casefold(), Batch())
