"""The few rows of a sheet that matter, found while the sheet is surveyed, so that it is inflated once.

Whether a cell matters may hang on a shared string. Those are looked up afterwards, only the ones that are needed, so
neither the sheet nor its strings are ever held whole.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from xlsms.ooxml.block import NotPlainError
from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import column_letters
from xlsms.ooxml.grammar import Grammar, RawCell, RawRow
from xlsms.ooxml.needle import holds
from xlsms.ooxml.value import type_of

__all__ = ["Hits", "shared_in"]

_MOST = 8 << 20  # bytes of rows to hold
_SHARED = re.compile(rb' t="s"[^<>]*><(?:[A-Za-z_][\w.-]*:)?v>([0-9]+)<')


def shared_in(rows: Iterable[RawRow]) -> set[int]:
    """The numbers of the shared strings in some rows."""
    return {int(number) for row in rows for number in _SHARED.findall(row.body)}


class Hits:
    """Collects the rows whose cell in a column passes a test; a `Watcher` of a survey."""

    def __init__(self, book: Book, column: int, test: Callable[[bytes], Callable[[RawCell], bool]]) -> None:
        """`test` makes the test for a sheet with a prefix."""
        self._book, self._column, self._make = book, column, test
        self._held: list[tuple[RawCell, RawRow]] = []
        self._size = 0
        self.complete = True  #: False when there were too many to hold: they are to be read in a pass of their own

    def start(self, grammar: Grammar) -> None:
        """Forget what was found, and look for cells of this form from now on."""
        letters = column_letters(self._column).encode()
        self._grammar = grammar
        self._test = self._make(grammar.prefix)
        self._cell = grammar.cells_of(letters)
        # its last letter is searched for, which is rarer than what begins every cell
        self._start = grammar.cell_open + letters
        self._opening = re.compile(b"%b(?<=%b)(?![A-Z])" % (letters[-1:], re.escape(self._start)))
        self._before = len(self._start)
        self._held, self._size, self.complete = [], 0, True

    def block(self, data: bytes) -> None:
        """Take up the rows of a block."""
        if not self.complete or not holds(data, self._start):
            return
        for opening in self._opening.finditer(data):
            match = self._cell.match(data, opening.end() - self._before)
            if match is None:
                raise NotPlainError
            cell: RawCell = match.groups(b"")  # type: ignore[assignment]  # five groups, as RawCell has
            if (cell[2] or cell[3] or cell[4]) and (type_of(cell[1]) == b"s" or self._test(cell)):
                row = self._grammar.row_around(data, match.start())
                self._held.append((cell, row))
                self._size += len(row.body)
        if self._size > _MOST:
            self.complete = False
            self._held = []

    def rows(self) -> Iterator[RawRow]:
        """The rows found, top to bottom; what strings they need are looked up together."""
        self._book.want_texts(shared_in(row for _, row in self._held))
        if any(row.body.count(b' t="s"') != len(_SHARED.findall(row.body)) for _, row in self._held):
            self._book.load_texts()  # a string that is the result of a formula, or the like
        for cell, row in self._held:
            if self._test(cell):
                yield row
