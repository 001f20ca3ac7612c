"""The columns that an open workbook lacks, put in beside the others."""

from collections.abc import Iterable, Sequence

import xlwings as xw

from xlsms.errors import Place, UserError
from xlsms.model import Role
from xlsms.ooxml.cells import column_letters
from xlsms.states import LABELS
from xlsms.workbook.base import Language
from xlsms.workbook.live.block import Kind, kind_of
from xlsms.workbook.live.book import LiveWorkbook, check_changeable
from xlsms.workbook.live.edge import right_edge
from xlsms.workbook.live.glance import read_block
from xlsms.workbook.live.native import colour_texts, is_protected, note, offer
from xlsms.workbook.live.page import Page, read_pages, spoken
from xlsms.workbook.live.patience import Patience, quiet
from xlsms.workbook.live.writer import TIME, dress
from xlsms.workbook.palette import COLOURS, MARK_HINTS, REACH, WIDTHS
from xlsms.workbook.record import CHOICE, name_of, role_key
from xlsms.workbook.record import COLOURS as NOTED_COLOURS
from xlsms.workbook.roles import header
from xlsms.workbook.room import check_room

__all__ = ["insert_columns"]


def insert_columns(workbook: LiveWorkbook, roles: Iterable[Role]) -> dict[str, tuple[str, ...]]:
    """Add the columns of `roles` that the taking-part sheets lack; returns their headers by sheet.

    A table grows to take them in.

    Raises:
        UserError: `columns-missing` where a filter without a table holds the rows; `columns-no-room` where something
            stands beside a table; `column-of-yours`; `sheet-locked`; `workbook-read-only`.
    """
    wanted = tuple(roles)

    def add(book: xw.Book, patience: Patience) -> dict[str, tuple[str, ...]]:
        pages = read_pages(book)
        places = [_Place(book.sheets[page.name], page, wanted, spoken(pages)) for page in pages]
        lacking = [place for place in places if place.roles]
        if lacking:
            check_changeable(book)
        for place in lacking:
            place.check()
        with quiet(book.app, patience):
            for place in lacking:
                place.put()
        return {place.page.name: tuple(place.texts) for place in lacking}

    return workbook.writing(lambda book: add(book, workbook.patience))


class _Place:
    """What one sheet lacks, and where it goes."""

    def __init__(self, sheet: xw.Sheet, page: Page, wanted: Sequence[Role], language: Language) -> None:
        self.page, self._sheet = page, sheet
        self._language = language
        self.roles = [role for role in wanted if role not in page.places]
        self.texts = [header(role, language) for role in self.roles]
        self._table = next((table for table in sheet.tables if self._holds(table)), None)

    def _holds(self, table: "xw.main.Table") -> bool:
        top = table.header_row_range
        phone = self.page.places[Role.PHONE]
        return top is not None and top.row == self.page.heading.row and top.column <= phone < top.column + top.shape[1]

    def check(self) -> None:
        """Make sure that there is room, before anything is written."""
        self.page.check_ours()
        place = Place(sheet=self.page.name, row=self.page.heading.row)
        if is_protected(self._sheet):
            raise UserError("sheet-locked", place=place)
        if self._table is None and self.page.bounded:
            raise UserError("columns-missing", place=place, columns=", ".join(self.texts))
        if self._table is None:
            check_room(self.page.name, self.page.heading.row, right_edge(self._sheet, self.page), self.texts)
        else:
            whole = self._table.range
            left = whole.column + whole.shape[1]
            right, bottom = left + len(self.roles) - 1, whole.row + whole.shape[0] - 1
            check_room(self.page.name, self.page.heading.row, left - 1, self.texts)
            beside = read_block(self._sheet, whole.row, left, max(bottom, whole.row + 1), max(right, left + 1))
            width = len(self.roles)
            if any(value is not None for row in beside[: whole.shape[0]] for value in row[:width]):
                area = f"{column_letters(left)}{whole.row}:{column_letters(right)}{bottom}"
                raise UserError("columns-no-room", place=place, columns=", ".join(self.texts), area=area)

    def put(self) -> None:
        """Write the headers, and prepare the columns below them."""
        row = self.page.heading.row
        if self._table is not None:
            whole = self._table.range
            edge = whole.column + whole.shape[1] - 1
        else:
            edge = right_edge(self._sheet, self.page)
        first, last = edge + 1, edge + len(self.roles)
        target = self._sheet.range((row, first), (row, last))
        dress(target, self._sheet.range((row, edge)))
        target.value = [self.texts]
        if self._table is not None:
            whole = self._table.range  # Excel may have taken the headers in by itself
            bottom = whole.row + whole.shape[0] - 1
            self._table.resize(self._sheet.range((whole.row, whole.column), (bottom, last)))
        for column, role in enumerate(self.roles, first):
            cells = self._sheet.range((row + 1, column), (max(self.page.last, row + 1), column))
            if kind_of(role) is not Kind.PLAIN:
                cells.number_format = "@" if kind_of(role) is Kind.TEXT else TIME
            self._sheet.range((row, column)).column_width = WIDTHS.get(role, 13.0)
            self._dress(role, column)
            self._note(role, row, column)
            if role is Role.ID:
                self._sheet.range((row, column)).columns.hidden = True

    def _note(self, role: Role, row: int, column: int) -> None:
        """Note what was added, as set-up of a closed file does, so that it can be taken away again."""
        extras = {Role.SEND: (CHOICE,), Role.STATUS: (NOTED_COLOURS,)}
        for key in (role_key(role), *extras.get(role, ())):
            note(self._sheet, name_of(key), row, column)

    def _dress(self, role: Role, column: int) -> None:
        """A drop-down for the mark and colours for the states, also in rows to come."""
        first = self.page.heading.row + 1
        last = self.page.last if self._table is not None else max(self.page.last, REACH)
        cells = self._sheet.range((first, column), (max(last, first), column))
        if role is Role.SEND:
            offer(cells, "x", *MARK_HINTS[self._language])
        elif role is Role.STATUS:
            texts = {labels[state]: look for labels in LABELS.values() for state, look in COLOURS.items()}
            colour_texts(cells, texts)
