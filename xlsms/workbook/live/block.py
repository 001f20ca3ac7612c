"""Scattered cells made into few blocks: each block is one call, and calls are what costs. Pure.

A block may take in cells that do not change and lie between some that do; they are written with what they hold. It
never takes in a row that is hidden (Excel puts a block into the wrong rows where a filter hides some) nor a cell that
would not come out of it the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from xlsms.model import CellValue, Role
from xlsms.ooxml.patch import Cell

__all__ = ["Block", "Kind", "blocks", "kind_of", "runs"]

_BRIDGED = 64  # rows between two changes that are always written along
_MOST = 3  # blocks of one stretch of columns that are made for the sake of longer gaps


class Kind(Enum):
    """How the cells of a column are written."""

    TEXT = "text"  #: as texts, in cells of the format "@"
    TIME = "time"  #: as moments, in cells that show one
    PLAIN = "plain"  #: as they come; the looks are the user's


_KINDS = {
    Role.STATUS: Kind.TEXT,
    Role.DETAIL: Kind.TEXT,
    Role.REPLY: Kind.TEXT,
    Role.ID: Kind.TEXT,
    Role.STATUS_TIME: Kind.TIME,
    Role.REPLY_TIME: Kind.TIME,
}


def kind_of(role: Role | None) -> Kind:
    """How the column of a role is written."""
    return _KINDS.get(role, Kind.PLAIN) if role is not None else Kind.PLAIN


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of cells from one corner on."""

    top: int
    left: int
    rows: tuple[tuple[CellValue, ...], ...]

    @property
    def bottom(self) -> int:
        """Its last row."""
        return self.top + len(self.rows) - 1

    @property
    def right(self) -> int:
        """Its last column."""
        return self.left + len(self.rows[0]) - 1


def runs(numbers: Iterable[int]) -> Iterator[range]:
    """Numbers as stretches without a gap."""
    start = last = None
    for number in sorted(set(numbers)):
        if start is None or last is None:
            start = number
        elif number != last + 1:
            yield range(start, last + 1)
            start = number
        last = number
    if start is not None and last is not None:
        yield range(start, last + 1)


def blocks(
    cells: Mapping[Cell, CellValue],
    current: Callable[[Cell], CellValue],
    *,
    fixed: Callable[[Cell], bool],
    hidden: frozenset[int],
) -> Iterator[Block]:
    """The blocks that put `cells` in. `fixed` tells the cells that must not be written along."""
    for columns in runs(column for _, column in cells):
        rows = sorted({row for row, column in cells if column in columns})

        def fits(row: int, columns: range = columns) -> bool:
            """Whether a row can be part of a block as it is."""
            return row not in hidden and not any(
                (row, column) not in cells and fixed((row, column)) for column in columns
            )

        for stretch in _stretches(rows, fits):
            if len(stretch) == 1 and not fits(stretch[0]):
                row = stretch[0]
                for some in runs(column for column in columns if (row, column) in cells):
                    yield _block(stretch, some, cells, current)
            else:
                yield _block(stretch, columns, cells, current)


def _stretches(rows: list[int], fits: Callable[[int], bool]) -> Iterator[range]:
    """Rows that change, gathered: across short gaps always, across long ones when there are too many of those."""
    long = sorted((row - after, row) for row, after in pairwise(rows) if after - row > _BRIDGED)
    apart = {row for _, row in long[: _MOST - 1]}  # the rows before the longest gaps
    first = rows[0]
    for row, after in pairwise(rows):
        if row in apart or not all(map(fits, range(row, after + 1))):
            yield range(first, row + 1)
            first = after
    yield range(first, rows[-1] + 1)


def _block(rows: range, columns: range, cells: Mapping[Cell, CellValue], current: Callable[[Cell], CellValue]) -> Block:
    def value(cell: Cell) -> CellValue:
        return cells[cell] if cell in cells else current(cell)

    return Block(rows[0], columns[0], tuple(tuple(value((row, column)) for column in columns) for row in rows))
