"""The new cells of one sheet, gathered row by row, but for those that already hold what is to be written."""

from collections.abc import Callable, Mapping
from datetime import datetime

from xlsms.model import CellValue, Role
from xlsms.ooxml.batch import TEXT_DATE, Batch, New, Styled
from xlsms.ooxml.cells import column_number
from xlsms.ooxml.scan import RawRow
from xlsms.ooxml.value import Raw
from xlsms.workbook.layout import Layout
from xlsms.workbook.reading import RowReader

__all__ = ["Gathering"]


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
            old = there.get(letters)
            if old is None or not (old[2] or old[3] or old[4]):
                if (new is not None and new != "") or row in cells:
                    cells[row] = new
            elif self._reader.calculated(old):
                calculated.append((role, column))
            elif row in cells or not same(self._reader.current(old, self._shared), new):
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
