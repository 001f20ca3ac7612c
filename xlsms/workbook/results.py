"""The results workbook of a file that cannot be written: made once, then brought up to date cell by cell."""

import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from xlsms.errors import UserError
from xlsms.model import CellValue, Role, Row
from xlsms.ooxml.batch import TEXT_DATE
from xlsms.states import LABELS, State
from xlsms.wording import detail
from xlsms.workbook.base import RESULTS, Sheet, Snapshot
from xlsms.workbook.grid import ErrorValue
from xlsms.workbook.identity import GUID_PROPERTY, SOURCE_PROPERTY, new_guid, new_row_id
from xlsms.workbook.reading import wall_time
from xlsms.workbook.roles import header, is_mark, role_of
from xlsms.workbook.source import Source, SourceRow, SourceSheet

__all__ = ["build", "changes", "keys_sent"]

if TYPE_CHECKING:  # openpyxl takes a tenth of a second to import, and only a new file needs it
    from openpyxl.worksheet.worksheet import Worksheet

_LONGEST = 32_767
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # no file can hold them
_FORBIDDEN = re.compile(r"[\\/*?:\[\]]")
_NAME = 31
_LOCAL_DATE = "mm-dd-yy"  # number format 14: shown the way the computer writes dates
_LOCAL_MOMENT = "m/d/yy h:mm"  # number format 22
_LONG = 11  # digits from which General shows a power of ten

Cells = dict[tuple[str, str], CellValue]
Key = tuple[str, ...]


def titles(sheets: Iterable[SourceSheet]) -> list[str]:
    """The sheets' names as .xlsx allows them, all different."""
    made: list[str] = []
    for sheet in sheets:
        title = base = _FORBIDDEN.sub("_", _ILLEGAL.sub("", sheet.name))[:_NAME].strip("'") or "Sheet"
        nth = 1
        while title.casefold() in (other.casefold() for other in made):
            nth += 1
            title = f"{base[: _NAME - 4]} {nth}"
        made.append(title)
    return made


def build(source: Source, name: str) -> bytes:
    """A new results workbook with every row of the source."""
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.packaging.custom import StringProperty  # noqa: PLC0415

    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet, title in zip(source.sheets, titles(source.sheets), strict=True):
        _fill(book.create_sheet(title), sheet, source)
    properties = book.custom_doc_props  # type: ignore[attr-defined]  # the stubs lack it
    properties.append(StringProperty(name=GUID_PROPERTY, value=new_guid()))
    properties.append(StringProperty(name=SOURCE_PROPERTY, value=name))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(page: "Worksheet", sheet: SourceSheet, source: Source) -> None:
    from openpyxl.styles import Font  # noqa: PLC0415

    lacking = [header(role, source.language) for role in RESULTS if role not in sheet.columns]
    for column, text in enumerate((*sheet.headers, *lacking), 1):
        _set(page, 1, column, text)
        page.cell(1, column).font = Font(bold=True)
    taken = {sheet.columns[role] for role in RESULTS if role in sheet.columns}
    for number, row in enumerate(sheet.rows, 2):
        for column, text in enumerate(sheet.headers, 1):
            if text not in taken:
                _set(page, number, column, row.values[text])
        if row.hidden:
            page.row_dimensions[number].hidden = True
    page.freeze_panes = "A2"


def _set(page: "Worksheet", row: int, column: int, value: CellValue) -> None:
    """Put a value into a cell; text is text, whatever it begins with, and an error an error."""
    cell = page.cell(row, column)
    if isinstance(value, ErrorValue):
        cell.value, cell.data_type = str(value), "e"
    elif isinstance(value, datetime):
        cell.value = value
        cell.number_format = _LOCAL_MOMENT if value.hour or value.minute else _LOCAL_DATE
    elif isinstance(value, str):
        cell.value = _cut(value)
        cell.data_type = "s"
    elif value is not None:
        cell.value = value
        if isinstance(value, int) and abs(value) >= 10**_LONG:
            cell.number_format = "0"


def _cut(text: str) -> str:
    """As much of a text as a cell can hold."""
    return _ILLEGAL.sub("", text)[:_LONGEST]


def changes(source: Source, snapshot: Snapshot, zone: tzinfo | None) -> Cells:
    """The cells to write so that the results follow the source.

    Raises:
        UserError: `results-outdated` when a sheet or a column is not there.
    """
    cells: Cells = {}
    pages = {sheet.name.casefold(): sheet for sheet in snapshot.sheets}
    for sheet, title in zip(source.sheets, titles(source.sheets), strict=True):
        page = pages.get(title.casefold())
        lacking = [text for text in _own(sheet) if page and text not in page.headers.values()]
        if page is None or lacking:
            raise UserError("results-outdated", results=snapshot.path.name, what=lacking[0] if lacking else title)
        rows = [row for row in snapshot.rows if row.sheet == page.name]
        cells |= _Merge(sheet, page, rows, snapshot, zone).cells
    return cells


def keys_sent(snapshot: Snapshot, source: Source, zone: tzinfo | None) -> bool:
    """Whether one of the source's rows was accepted in this results workbook."""
    for sheet in source.sheets:
        own = _own(sheet)
        known = {_key(row.values, own, zone) for row in snapshot.rows if row.id and set(own) <= set(row.values)}
        if any(_key(row.values, own, zone) in known for row in sheet.rows):
            return True
    return False


def _own(sheet: SourceSheet) -> tuple[str, ...]:
    """The headers whose cells say which row this is: all but the mark and the results."""
    return tuple(text for text in sheet.headers if role_of(text) not in (Role.SEND, *RESULTS))


def _key(values: Mapping[str, CellValue], headers: Iterable[str], zone: tzinfo | None) -> Key:
    return tuple(_plain(values.get(text), zone) for text in headers)


def _plain(value: CellValue, zone: tzinfo | None) -> str:
    """A value as text that is the same however it was stored."""
    if isinstance(value, datetime):
        return wall_time(value, zone).strftime(TEXT_DATE).removesuffix(" 00:00")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, ErrorValue):  # which the results do not read as a value either
        value = None
    return "" if value is None else _cut(str(value)).replace("\r\n", "\n").strip()


class _Merge:
    """One sheet of the source against its rows in the results."""

    def __init__(
        self, sheet: SourceSheet, page: Sheet, rows: list[Row], snapshot: Snapshot, zone: tzinfo | None
    ) -> None:
        self._sheet, self._page, self._zone, self._snapshot = sheet, page, zone, snapshot
        self._own = _own(sheet)
        self._letters = {text: letters for letters, text in page.headers.items()}
        self._next = max((row.number for row in rows), default=page.header_row) + 1
        self.cells: Cells = {}
        self._match(rows)

    def _match(self, rows: list[Row]) -> None:
        known: dict[Key, list[Row]] = defaultdict(list)
        for row in rows:
            known[_key(row.values, self._own, self._zone)].append(row)
        left: list[SourceRow] = []
        for source in self._sheet.rows:
            alike = known.get(_key(source.values, self._own, self._zone))
            if alike:
                self._follow(source, alike.pop(0))
            else:
                left.append(source)
        over = [row for alike in known.values() for row in alike]
        phone = self._sheet.columns[Role.PHONE]
        self._pair(left, over, (phone,), tuple(text for text in self._own if text != phone))

    def _pair(self, left: list[SourceRow], over: list[Row], *ways: tuple[str, ...]) -> None:
        """Edited and never accepted: the row is brought up to date. Edited and accepted: what went, went."""
        found = [(headers, defaultdict[Key, list[Row]](list)) for headers in ways]
        for row in over:
            for headers, rows in found:
                rows[_key(row.values, headers, self._zone)].append(row)
        used: set[int] = set()
        for source in left:
            current = None
            for headers, rows in found:
                key = _key(source.values, headers, self._zone)
                free = rows[key] if any(key) else []
                while free and free[0].number in used:
                    free.pop(0)
                current = current or (free.pop(0) if free else None)
            if current is not None:
                used.add(current.number)
            if current is not None and current.id is None:
                self._put(source, current.number, marked=not source.waits)
            else:
                self._append(source, changed=current is not None)

    def _follow(self, source: SourceRow, row: Row) -> None:
        """A row that was not accepted yet is marked as in the source."""
        send = self._sheet.columns.get(Role.SEND)
        if send is None or row.id is not None or row.status or source.waits or send not in self._letters:
            return
        if is_mark(source.values[send]) != row.marked:
            self.cells[self._page.name, f"{self._letters[send]}{row.number}"] = source.values[send]

    def _append(self, source: SourceRow, *, changed: bool) -> None:
        if source.waits:
            return  # it is taken over when it is shown and mended: what is added cannot be hidden, nor hold an error
        self._put(source, self._next, marked=not changed)
        if changed:
            language = self._snapshot.language
            self._result(Role.STATUS, LABELS[language][State.HELD])
            self._result(Role.DETAIL, detail("row-changed-in-source", language))
            # An id that nobody knows: the row is not sent even where every row is, until someone takes the id out.
            self._result(Role.ID, new_row_id())
        self._next += 1

    def _result(self, role: Role, text: str) -> None:
        if role in self._page.columns:
            self.cells[self._page.name, f"{self._page.columns[role]}{self._next}"] = text

    def _put(self, source: SourceRow, number: int, *, marked: bool) -> None:
        send = self._sheet.columns.get(Role.SEND)
        for text in (*self._own, *((send,) if send in self._letters else ())):
            if text is None:
                continue
            value = source.values[text] if text != send or marked else None
            if isinstance(value, datetime):
                value = _plain(value, self._zone)  # a new cell has no format that would show a moment
            elif isinstance(value, ErrorValue):
                value = None
            elif isinstance(value, str):
                value = _cut(value)
            self.cells[self._page.name, f"{self._letters[text]}{number}"] = value
