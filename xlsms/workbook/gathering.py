"""The new cells of one sheet, gathered row by row, but for those that already hold what is to be written.

Rows whose cells were told apart when they were searched are gathered by column: what a cell holds is decided once for
all cells that lie alike and get the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from xlsms.model import CellValue, Role
from xlsms.ooxml.batch import TEXT_DATE, Batch, New, Styled
from xlsms.ooxml.cells import column_number
from xlsms.ooxml.grammar import RawCell, RawRow
from xlsms.ooxml.value import Raw
from xlsms.workbook.layout import Layout
from xlsms.workbook.reading import RowReader

__all__ = ["Gathering"]

_EMPTY: RawCell = (b"", b"", b"", b"", b"")
_NOTHING = (None, "")


class Gathering:
    """Takes up the cells of rows. `shared` gives the shared strings that cells are compared with."""

    def __init__(self, layout: Layout, reader: RowReader, shared: Callable[[], Mapping[int, str]]) -> None:
        self._layout, self._reader, self._shared = layout, reader, shared
        self._columns: dict[int, dict[int, New]] = {}
        self._ways: dict[tuple[Role, ...], list[tuple[bytes, int]]] = {}
        self.extra: dict[Role, int] = {}  #: the columns that are added

    def add(self, column: int, role: Role, heading: Styled) -> None:
        """Add a column for a role."""
        self.extra[role] = column
        self._columns.setdefault(column, {})[self._layout.header_row] = heading
        self._ways = {}

    def column_of(self, role: Role) -> int:
        """Where a role stands; 0 without a column."""
        letters = self._layout.columns.get(role)
        return self.extra.get(role, 0) if letters is None else column_number(letters)

    def take_all(
        self,
        rows: Sequence[RawRow],
        values: Sequence[Mapping[Role, CellValue]],
        columns: Sequence[bytes],
        moments: Mapping[datetime, datetime],
    ) -> Iterator[tuple[int, Role, int]]:
        """Take up the cells of many rows; of those that are calculated the place in `rows`, role and column are told.

        `columns` are those of the cells that were told apart. Where nothing was, a row may come several times: then
        of two values for a cell the later one counts.
        """
        alike: dict[tuple[Role, ...], list[int]] = {}
        one_by_one: list[int] = []
        for nth, roles in enumerate(map(tuple, values)):
            (one_by_one if rows[nth].ends is None else alike.setdefault(roles, [])).append(nth)
        for roles, places in alike.items():
            some = rows if len(places) == len(rows) else [rows[nth] for nth in places]
            numbers, *_, told = zip(*some, strict=True)
            ends = dict(zip(columns, zip(*told, strict=True), strict=True))
            given = zip(*(values[nth].values() for nth in places), strict=True)
            for role, news in zip(roles, given, strict=True):
                letters, column = self._place(role)
                if column:
                    for at in self._take_column(letters, column, numbers, ends.get(letters, ()), news, moments):
                        yield places[at], role, column
        for nth in one_by_one:
            for role, column in self.take(rows[nth], values[nth], moments):
                yield nth, role, column

    def _take_column(
        self,
        letters: bytes,
        column: int,
        numbers: Sequence[int],
        ends: Sequence[bytes],
        news: Sequence[New],
        moments: Mapping[datetime, datetime],
    ) -> Iterator[int]:
        """Take up the cells of one column; the places of those that are calculated are told."""
        cells = self._columns.setdefault(column, {})
        kinds = list(map(type, news))
        if datetime in kinds:
            news = [moments[value] if isinstance(value, datetime) else value for value in news]
        if not any(ends):
            if None in news or "" in news:
                cells.update(pair for pair in zip(numbers, news, strict=True) if pair[1] not in _NOTHING)
            else:
                cells.update(zip(numbers, news, strict=True))
            return
        lying = list(zip(ends, kinds, news, strict=True))
        known = {each: self._needed(self._reader.cell_by(letters, each[0]), each[2]) for each in set(lying)}
        if all(known.values()):
            cells.update(zip(numbers, news, strict=True))
            return
        for nth, each in enumerate(lying):
            if known[each]:
                cells[numbers[nth]] = news[nth]
            elif known[each] is None:
                yield nth

    def _needed(self, old: RawCell, new: New) -> bool | None:
        """Whether a cell has to be written; None where it is calculated."""
        if not (old[2] or old[3] or old[4]):
            return new not in _NOTHING
        if self._reader.calculated(old):
            return None
        if new in _NOTHING and self._reader.is_shared(old):
            return True  # without looking the string up: it may be an empty one, and then goes as well
        return not same(self._reader.current(old, self._shared), new)

    def take(
        self, raw: RawRow, values: Mapping[Role, CellValue], moments: Mapping[datetime, datetime]
    ) -> list[tuple[Role, int]]:
        """Take up the cells of a row; those that are calculated are told. `moments`: times as the sheet shows them."""
        roles = tuple(values)
        way = self._ways.get(roles)
        if way is None:
            way = self._ways[roles] = [self._place(role) for role in roles]
        there = self._reader.known(raw)
        calculated: list[tuple[Role, int]] = []
        row = raw.number
        for (role, value), (letters, column) in zip(values.items(), way, strict=True):
            if not column:
                continue
            cells = self._columns.setdefault(column, {})
            new: New = moments[value] if isinstance(value, datetime) else value
            needed = self._needed(there.get(letters, _EMPTY), new)
            if needed is None:
                calculated.append((role, column))
            elif needed or row in cells:
                cells[row] = new
        return calculated

    def _place(self, role: Role) -> tuple[bytes, int]:
        """The letters of a role's column as they lie in the sheet, none for one that is added; and its number."""
        return self._layout.columns.get(role, "").encode(), self.column_of(role)

    def batch(self) -> Batch:
        """All cells that are to be written."""
        return Batch.of_columns(self._columns)


def same(current: Raw, new: New) -> bool:
    """Whether a cell already holds what is to be written."""
    if isinstance(new, datetime):
        if isinstance(current, datetime):
            return abs((current - new).total_seconds()) < 1
        return current == new.strftime(TEXT_DATE)
    if new is None or isinstance(new, str):
        return (current or None) == (new or None)
    return current == new and type(current) is type(new)
