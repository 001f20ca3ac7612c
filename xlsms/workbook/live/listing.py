"""Texts that came in, put into the table of the sheet `SMS Replies` of an open workbook, where it has one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

import xlwings as xw

from xlsms.model import CellValue
from xlsms.workbook.live.book import LiveWorkbook, stored
from xlsms.workbook.live.glance import hidden_rows, read_block
from xlsms.workbook.live.native import is_locked, is_protected
from xlsms.workbook.live.patience import NotTakenError, quiet
from xlsms.workbook.live.writer import TIME
from xlsms.workbook.own_sheets import REPLIES, reply_columns
from xlsms.workbook.replies import Incoming, Listed, key_of, texts_of

__all__ = ["list_replies"]


def list_replies(workbook: LiveWorkbook, replies: Sequence[Incoming]) -> bool:
    """Put texts below those in the table of replies, those that are not there yet; whether it shows all of them now.

    It does not where there is no such table, where it is locked, or where it cannot grow: something stands below it.
    What an open workbook does not take, its file is given when it is closed.

    Raises:
        TransientError: the program is busy.
    """

    def put(book: xw.Book) -> bool:
        place = _place(book)
        if place is None:
            return False
        new = [_stored(workbook, reply) for reply in place.lacking(replies, workbook.zone)]
        if not new:
            return True
        if not place.can_take(len(new)):
            return False
        with quiet(book.app, workbook.patience):
            place.write(new)
        return True

    return workbook.writing(put)


def _stored(workbook: LiveWorkbook, reply: Incoming) -> dict[str, CellValue]:
    values: dict[str, CellValue] = {**texts_of(reply), "received": reply.at}
    return {key: stored(value, workbook.zone) for key, value in values.items()}


def _place(book: xw.Book) -> "_Place | None":
    for sheet in book.sheets:
        if sheet.name.strip().casefold() != REPLIES.casefold():
            continue
        for table in sheet.tables:
            header = table.header_row_range
            if header is None:
                continue
            (texts,) = header.options(ndim=2).value
            known = reply_columns()
            columns = {
                key: at
                for at, text in enumerate(texts)
                if text is not None and (key := known.get(str(text).strip().casefold())) is not None
            }
            if {"text", "phone"} <= columns.keys():
                return _Place.of(sheet, table, columns)
    return None


@dataclass(slots=True, kw_only=True)
class _Place:
    """The table of replies as it is now; its columns count from 0, the rows of the sheet from 1."""

    sheet: xw.Sheet
    table: "xw.main.Table"
    columns: dict[str, int]
    left: int
    width: int
    top: int  #: the row of the headers
    end: int  #: the last row of the table, without that of its totals
    values: list[list[CellValue]]

    @classmethod
    def of(cls, sheet: xw.Sheet, table: "xw.main.Table", columns: dict[str, int]) -> "_Place":
        """Read it."""
        whole, body = table.range, table.data_body_range
        end = whole.row if body is None else body.row + body.shape[0] - 1
        left, width, top = whole.column, whole.shape[1], whole.row
        values = read_block(sheet, top, left, max(end, top + 1), left + max(width, 2) - 1)
        return cls(
            sheet=sheet,
            table=table,
            columns=columns,
            left=left,
            width=width,
            top=top,
            end=end,
            values=values[1 : end - top + 1],
        )

    @property
    def _filled(self) -> int:
        """The last row with anything in it."""
        used = [at for at, row in enumerate(self.values, self.top + 1) if any(value not in (None, "") for value in row)]
        return max(used, default=self.top)

    def lacking(self, replies: Sequence[Incoming], zone: tzinfo | None) -> list[Incoming]:
        """Those that do not stand there; somebody may well have answered the same twice."""
        listed = Listed(self.columns)
        for row in self.values:
            listed.add({key: row[at] for key, at in self.columns.items()})
        return listed.lacking(replies, zone)

    def _texts(self, row: Sequence[CellValue]) -> dict[str, str]:
        found = {key: row[at] for key, at in self.columns.items()}
        return {key: "" if value is None else str(value) for key, value in found.items()}

    def can_take(self, count: int) -> bool:
        """Whether there is room, and nothing is locked."""
        first, last = self._filled + 1, self._filled + count
        right = self.left + self.width - 1
        if last > self.end:
            whole = self.table.range
            if whole.row + whole.shape[0] - 1 > self.end:
                return False  # a row of totals
            below = read_block(self.sheet, self.end + 1, self.left, max(last, self.end + 2), max(right, self.left + 1))
            if any(value is not None for row in below[: last - self.end] for value in row[: self.width]):
                return False
        return not (is_protected(self.sheet) and is_locked(self.sheet.range((first, self.left), (last, right))))

    def write(self, new: Sequence[dict[str, CellValue]]) -> None:
        """Put them in, a column at a time, and read them back."""
        first = self._filled + 1
        last = first + len(new) - 1
        if last > self.end:
            right = self.left + self.width - 1
            self.table.resize(self.sheet.range((self.top, self.left), (last, right)))
        hidden = hidden_rows(self.sheet, self.left, first, last)
        for key, at in self.columns.items():
            column = self.left + at
            self.sheet.range((first, column), (last, column)).number_format = TIME if key == "received" else "@"
            values = [[row[key]] for row in new]
            if hidden:  # a block would run on over rows that a filter hides
                for number, value in enumerate(values, first):
                    self.sheet.range((number, column)).value = value
            else:
                self.sheet.range((first, column), (last, column)).value = values
        now = read_block(self.sheet, first, self.left, max(last, first + 1), self.left + max(self.width, 2) - 1)
        for row, values_now in zip(new, now, strict=False):
            wanted = {key: str(value or "") for key, value in row.items()}
            if key_of(self._texts(values_now), self.columns) != key_of(wanted, self.columns):
                raise NotTakenError
