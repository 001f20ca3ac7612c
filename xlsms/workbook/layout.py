"""Which sheets of a workbook take part, and where their columns and rows stand."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from xlsms.errors import Place, UserError
from xlsms.model import Role
from xlsms.ooxml.book import Book, SheetPart, Table
from xlsms.ooxml.cells import MOST_ROWS, column_letters, column_number
from xlsms.ooxml.hits import shared_in
from xlsms.ooxml.scan import Survey, Watcher, survey, top_rows
from xlsms.ooxml.scan import rows as all_rows
from xlsms.ooxml.search import Search
from xlsms.ooxml.value import Decoder
from xlsms.workbook.base import RESULTS, Language, Sheet, SheetSettings
from xlsms.workbook.heading import heading, nothing_to_send
from xlsms.workbook.identity import SOURCE_PROPERTY
from xlsms.workbook.roles import HEADER_ROWS, OWN_SHEETS, columns_of, folded, language_of
from xlsms.workbook.segments import index_of, known_survey, look_through
from xlsms.workbook.setting import read_settings

__all__ = ["Layout", "layouts", "spoken"]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One taking-part sheet."""

    book: Book
    part: SheetPart
    tables: tuple[Table, ...]
    table: Table | None  #: the table that holds the rows, if one does
    header_row: int
    headers: Mapping[str, str]  #: letters -> text
    columns: Mapping[Role, str]
    settings: SheetSettings = field(default_factory=SheetSettings)

    @cached_property
    def found(self) -> Survey:
        """The whole sheet, looked over."""
        return survey(self.book, self.part)

    def look(self, watcher: Watcher) -> bool:
        """Survey the sheet under the eyes of `watcher`; False when that has been done before."""
        if "found" in self.__dict__:
            return False
        self.__dict__["found"] = survey(self.book, self.part, watcher)
        return True

    def look_for(self, search: Search) -> bool:
        """Show `search` what may hold what it looks for, and nothing else; False where a whole look is needed.

        Raises:
            StaleIndexError: what was remembered of the sheet does not fit.
        """
        if "found" in self.__dict__ or index_of(self.part.member) is None:
            return False
        found = self.__dict__["found"] = known_survey(self.book, self.part)
        look_through(self.book, self.part, found, search)
        return True

    @property
    def last(self) -> int:
        """The last row that may hold data."""
        return self.table.last if self.table else MOST_ROWS

    @cached_property
    def repeated(self) -> frozenset[str]:
        """Header texts that stand over more than one column: nobody can say which one is meant."""
        return frozenset(text for text, times in Counter(self.headers.values()).items() if times > 1)

    @cached_property
    def bounded(self) -> bool:
        """Whether a table or a filter holds the rows."""
        phone = (self.header_row, column_number(self.columns[Role.PHONE]))
        return self.table is not None or (self.found.filter is not None and phone in self.found.filter)

    @cached_property
    def missing(self) -> tuple[Role, ...]:
        """The result columns that are not there."""
        return tuple(role for role in RESULTS if role not in self.columns)

    @property
    def sheet(self) -> Sheet:
        """The seam's view of it."""
        return Sheet(
            name=self.part.name,
            header_row=self.header_row,
            columns=self.columns,
            headers=self.headers,
            missing=self.missing,
            bounded=self.bounded,
            settings=self.settings,
            formats=SOURCE_PROPERTY not in self.book.custom_properties,
        )


def layouts(book: Book) -> tuple[Layout, ...]:
    """The sheets of a workbook that take part, in its order.

    Raises:
        UserError: `two-columns`; what is wrong with the sheet of settings; when no sheet takes part `no-phone-column`,
            or `sheet-empty` when all are empty.
    """
    settings = read_settings(book)
    found = []
    looked_at = []
    said: dict[str, set[str]] = {}
    empty = True
    for part in book.sheets:
        if part.name.strip().casefold() in OWN_SHEETS:
            continue
        looked_at.append(part.name)
        tables = book.tables(part)
        rows = dict(_top(book, part))
        empty = empty and not rows and _is_blank(book, part)
        said[part.name] = {folded(text) for row in rows.values() for text in row.values()}
        said[part.name] |= {folded(text) for table in tables for text in table.columns}
        roles = settings.roles(part.name)
        layout = _in_table(book, part, tables, roles) or _in_range(book, part, tables, rows, roles)
        if layout is not None:
            found.append(replace(layout, settings=settings.of(part.name)))
    settings.check(said)
    if not found:
        raise nothing_to_send(looked_at, empty=empty)
    return tuple(found)


def _is_blank(book: Book, part: SheetPart) -> bool:
    """Whether no cell of a sheet holds anything."""
    return not any(any(cell[2:]) for row in all_rows(book, part, survey(book, part)) for cell in row.cells)


def spoken(found: tuple[Layout, ...]) -> Language:
    """The language of the headers of a workbook."""
    return language_of(text for layout in found for text in layout.headers.values())


def _in_table(book: Book, part: SheetPart, tables: tuple[Table, ...], roles: Mapping[str, Role]) -> Layout | None:
    """The sheet's table with a phone column. Two of them are one too many: rows are told by their sheet alone."""
    layout = None
    for table in tables:
        headers = {
            column_letters(table.area.left + offset): text for offset, text in enumerate(table.columns) if text.strip()
        }
        row = table.area.top
        columns = columns_of(headers, sheet=part.name, row=row, mapped=roles) if table.header else {}
        if Role.PHONE not in columns:
            continue
        if layout is not None:
            raise UserError(
                "two-lists",
                place=Place(sheet=part.name, row=row, column=columns[Role.PHONE]),
                first=f"{layout.columns[Role.PHONE]}{layout.header_row}",
                second=f"{columns[Role.PHONE]}{row}",
            )
        layout = Layout(
            book=book, part=part, tables=tables, table=table, header_row=row, headers=headers, columns=columns
        )
    return layout


def _in_range(
    book: Book,
    part: SheetPart,
    tables: tuple[Table, ...],
    rows: dict[int, dict[str, str]],
    roles: Mapping[str, Role],
) -> Layout | None:
    """The row among the first that names the most roles, if a phone column is among them."""
    found = heading(rows, part.name, roles)
    if found is None:
        return None
    return Layout(
        book=book,
        part=part,
        tables=tables,
        table=None,
        header_row=found.row,
        headers=found.headers,
        columns=found.columns,
    )


def _top(book: Book, part: SheetPart) -> Iterator[tuple[int, dict[str, str]]]:
    """The texts of the rows in which headers are looked for."""
    decoder = Decoder(book, b"")
    top = top_rows(book, part, HEADER_ROWS)
    book.want_texts(shared_in(top))
    for row in top:
        texts = {}
        for cell in row.cells:
            value, _ = decoder.value(cell)
            if value is not None:
                texts[cell[0].decode()] = value if isinstance(value, str) else ""
        if texts:
            yield row.number, texts
