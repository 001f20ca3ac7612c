"""The sheets of an open workbook, read in blocks: where their columns and rows stand, and what the rows say."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property, partial

import xlwings as xw

from xlsms.errors import Place, UserError
from xlsms.model import CellValue, Role, Row, RowId
from xlsms.ooxml.cells import column_letters, column_number
from xlsms.ooxml.patch import Cell
from xlsms.workbook.base import Language, Sheet, SheetSettings
from xlsms.workbook.formats import shown
from xlsms.workbook.grid import ErrorValue
from xlsms.workbook.heading import Heading, heading, nothing_to_send
from xlsms.workbook.live.glance import Codes, Values, end_of, hidden_rows, read_block
from xlsms.workbook.live.native import filter_area
from xlsms.workbook.ours import check_ours, written_columns
from xlsms.workbook.reading import local_time
from xlsms.workbook.roles import HEADER_ROWS, OWN_SHEETS, columns_of, folded, is_mark, language_of
from xlsms.workbook.setting import SETTINGS, Line, Settings, parse_settings

__all__ = ["Page", "read_pages", "spoken"]


@dataclass(frozen=True, kw_only=True)  # no slots: the cached properties live in the instance
class Page:
    """One taking-part sheet as it was at one moment."""

    name: str
    heading: Heading
    last: int  #: the last row in use, or of the table's rows
    left: int  #: the column where `values` begins
    end: tuple[int, int]  #: the last row and column in use, headers or not
    values: Values  #: from the header row to `last`
    hidden: frozenset[int]  #: rows that nobody sees
    unseen: bool  #: the whole sheet is hidden
    bounded: bool  #: a table or a filter holds the rows
    settings: SheetSettings
    code: Callable[[int, int], str]  #: the number format of a cell, asked for when it is needed

    @property
    def sheet(self) -> Sheet:
        """The seam's view of it."""
        return Sheet(
            name=self.name,
            header_row=self.heading.row,
            columns=self.heading.columns,
            headers=self.heading.headers,
            missing=self.heading.missing,
            bounded=self.bounded,
            settings=self.settings,
        )

    @cached_property
    def places(self) -> dict[Role, int]:
        """The columns of the roles, by their numbers."""
        return {role: column_number(letters) for role, letters in self.heading.columns.items()}

    @cached_property
    def roles(self) -> dict[int, Role]:
        """The roles of the columns."""
        return {column: role for role, column in self.places.items()}

    @cached_property
    def headers(self) -> dict[str, int]:
        """The columns by their headers, but for headers that are said twice."""
        times = Counter(self.heading.headers.values())
        return {text: column_number(at) for at, text in self.heading.headers.items() if times[text] == 1}

    @cached_property
    def _repeated(self) -> dict[str, str]:
        return {text: "columns-same-name" for text in self.heading.headers.values() if text not in self.headers}

    @property
    def numbers(self) -> range:
        """The rows below the header."""
        return range(self.heading.row + 1, self.last + 1)

    def value(self, cell: Cell) -> CellValue:
        """What a cell held."""
        row, column = cell[0] - self.heading.row, cell[1] - self.left
        if 0 <= row < len(self.values) and 0 <= column < len(self.values[row]):
            return self.values[row][column]
        return None

    def put(self, cell: Cell, value: CellValue) -> None:
        """Take up what a cell holds now."""
        self.values[cell[0] - self.heading.row][cell[1] - self.left] = value

    def at(self, number: int, role: Role) -> CellValue:
        """What stands in the column of a role; an error as nothing."""
        column = self.places.get(role)
        value = self.value((number, column)) if column else None
        return None if isinstance(value, ErrorValue) else value

    def check_ours(self) -> None:
        """Make sure that a sheet without ids holds nothing of its user's where results are to be written.

        Raises:
            UserError: `column-of-yours`.
        """
        columns = self.heading.columns
        places = [(letters, column_number(letters)) for letters in written_columns(columns)]
        if Role.ID not in columns and places:
            cells = ((number, at, self.value((number, column))) for number in self.numbers for at, column in places)
            check_ours(self.name, columns, self.heading.headers, cells)

    def widen(self, right: int) -> None:
        """Let the values reach to a column on the right."""
        for row in self.values:
            row.extend([None] * (right - self.left + 1 - len(row)))

    def row_is_marked(self, number: int) -> bool:
        """Whether a row is ordered to be sent."""
        return is_mark(_aware(self.at(number, Role.SEND), zone=UTC))

    def row(self, number: int, language: Language, zone: tzinfo | None) -> Row | None:
        """One row; None when nothing stands under its headers."""
        columns = [column_number(letters) for letters in self.heading.headers]
        if number not in self.numbers or all(self.value((number, column)) is None for column in columns):
            return None
        aware = partial(_aware, zone=zone)
        identity = _text(self.at(number, Role.ID))
        fields = {text: self._shown(number, column, language) for text, column in self.headers.items()}
        message = self.at(number, Role.MESSAGE)
        if message is not None and not isinstance(message, str):
            message = fields.get(self.heading.headers[self.heading.columns[Role.MESSAGE]], str(message))
        return Row(
            sheet=self.name,
            number=number,
            phone=aware(self.at(number, Role.PHONE)),
            message=message or None,
            marked=is_mark(aware(self.at(number, Role.SEND))),
            send_at=aware(self.at(number, Role.SEND_AT)),
            sender=_text(self.at(number, Role.SENDER)) or None,
            id=RowId(identity) if identity else None,
            status=_text(self.at(number, Role.STATUS)),
            detail=_text(self.at(number, Role.DETAIL)),
            hidden=self.unseen or number in self.hidden,
            fields=fields,
            values={text: aware(self._value(number, column)) for text, column in self.headers.items()},
            problems=self._problems(number),
        )

    def _value(self, number: int, column: int) -> CellValue:
        value = self.value((number, column))
        return None if isinstance(value, ErrorValue) else value

    def _shown(self, number: int, column: int, language: Language) -> str:
        value = self._value(number, column)
        if value is None or isinstance(value, str):
            return value or ""
        return shown(value, self.code(number, column), language)

    def _problems(self, number: int) -> Mapping[str, str]:
        bad = {
            text: "cell-error"
            for text, column in self.headers.items()
            if isinstance(self.value((number, column)), ErrorValue)
        }
        return {**self._repeated, **bad} if bad else self._repeated


def _aware(value: CellValue, *, zone: tzinfo | None) -> CellValue:
    return local_time(value, zone) if isinstance(value, datetime) else value


def _text(value: CellValue) -> str:
    return "" if value is None or isinstance(value, datetime) else str(value).strip()


def spoken(pages: Sequence[Page]) -> Language:
    """The language of the headers of a workbook."""
    return language_of(text for page in pages for text in page.heading.headers.values())


def read_pages(book: xw.Book) -> list[Page]:
    """The sheets that take part.

    Raises:
        UserError: what is wrong with the headers or the sheet of settings; `no-phone-column`, `sheet-empty`.
    """
    sheets = {sheet.name: sheet for sheet in book.sheets}
    settings = _settings(sheets)
    pages, looked_at, empty = [], [], True
    said: dict[str, set[str]] = {}
    for name, sheet in sheets.items():
        if name.strip().casefold() in OWN_SHEETS:
            continue
        looked_at.append(name)
        last, right = end_of(sheet)
        top = read_block(sheet, 1, 1, min(last, HEADER_ROWS), max(right, 2))
        empty = empty and not any(value is not None for row in top for value in row)
        tops = {
            number: {column_letters(at): value if isinstance(value, str) else "" for at, value in enumerate(row, 1)}
            for number, row in enumerate(top, 1)
        }
        said[name] = {folded(text) for row in tops.values() for text in row.values()}
        page = _page(sheet, tops, (last, right), settings)
        if page is not None:
            said[name] |= {folded(text) for text in page.heading.headers.values()}
            pages.append(page)
    settings.check(said)
    if not pages:
        raise nothing_to_send(looked_at, empty=empty)
    return pages


def _settings(sheets: Mapping[str, xw.Sheet]) -> Settings:
    for name, sheet in sheets.items():
        if name.strip().casefold() == SETTINGS.casefold():
            last, right = end_of(sheet)
            block = read_block(sheet, 1, 1, max(last, 2), right)
            return parse_settings(_lines(block), name, sheets)
    return Settings()


def _lines(block: Values) -> Iterator[Line]:
    for number, row in enumerate(block, 1):
        cells = {column_letters(at): value for at, value in enumerate(row, 1) if value is not None}
        if cells:
            bad = {letters: "cell-error" for letters, value in cells.items() if isinstance(value, ErrorValue)}
            texts = {letters: shown(value, "General", "en") for letters, value in cells.items() if letters not in bad}
            yield Line(number=number, texts=texts | dict.fromkeys(bad, ""), problems=bad)


def _page(
    sheet: xw.Sheet, tops: Mapping[int, Mapping[str, str]], end: tuple[int, int], settings: Settings
) -> Page | None:
    name = sheet.name
    mapped = settings.roles(name)
    found, last = _in_table(sheet, mapped)
    bounded = found is not None
    if found is None:
        found = heading(tops, name, mapped)
    if found is None:
        return None
    last = min(last, end[0]) if bounded else end[0]
    columns = [column_number(letters) for letters in found.headers]
    left, right = min(columns), max(columns)
    values = read_block(sheet, found.row, left, max(last, found.row + 1), max(right, left + 1))
    while len(values) > 1 and not any(value is not None for value in values[-1]):
        values.pop()
    last = found.row + len(values) - 1
    phone = column_number(found.columns[Role.PHONE])
    if not bounded:
        area = filter_area(sheet)
        bounded = area is not None and (found.row, phone) in area
    return Page(
        name=name,
        heading=found,
        last=last,
        left=left,
        end=end,
        values=values,
        hidden=hidden_rows(sheet, phone, found.row, last) if last > found.row else frozenset(),
        unseen=not sheet.visible,
        bounded=bounded,
        settings=settings.of(name),
        code=Codes(sheet, found.row + 1, last).code,
    )


def _in_table(sheet: xw.Sheet, mapped: Mapping[str, Role]) -> tuple[Heading | None, int]:
    """The heading of the sheet's table with a phone column, and the table's last row."""
    found: Heading | None = None
    last = 0
    for table in sheet.tables:
        header = table.header_row_range
        if header is None:
            continue
        row, left, width = header.row, header.column, header.shape[1]
        (texts,) = header.options(ndim=2).value
        headers = {
            column_letters(left + at): str(text) for at, text in enumerate(texts[:width]) if text and str(text).strip()
        }
        columns = columns_of(headers, sheet=sheet.name, row=row, mapped=mapped)
        if Role.PHONE not in columns:
            continue
        if found is not None:
            first, second = found.columns[Role.PHONE], columns[Role.PHONE]
            raise UserError(
                "two-columns",
                place=Place(sheet=sheet.name, row=row, column=second),
                first=f"{first}{found.row}",
                first_header=found.headers[first],
                second=f"{second}{row}",
                second_header=headers[second],
            )
        found = Heading(row=row, headers=headers, columns=columns)
        body = table.data_body_range
        last = row if body is None else body.row + body.shape[0] - 1
    return found, last
