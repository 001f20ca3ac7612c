"""The `Workbook` seam over a workbook that is open in Excel or Calc."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TypeVar

import xlwings as xw

from xlsms.errors import Place, UserError, XlsmsError
from xlsms.model import CellValue, Role, Row
from xlsms.ooxml.cells import TEXT_LIMIT, column_letters
from xlsms.ooxml.patch import TEXT_DATE, Cell
from xlsms.workbook.base import RESULTS, Applied, Refusal, RowEdit, Snapshot, Version
from xlsms.workbook.finding import carrier, still_there
from xlsms.workbook.identity import GUID_PROPERTY
from xlsms.workbook.live.attachment import Attachment
from xlsms.workbook.live.block import runs
from xlsms.workbook.live.edge import right_edge
from xlsms.workbook.live.moved import Written, settle
from xlsms.workbook.live.native import (
    custom_property,
    is_locked,
    is_protected,
    is_read_only,
    selected_rows,
    set_custom_property,
)
from xlsms.workbook.live.page import Page, read_pages, spoken
from xlsms.workbook.live.patience import Patience, quiet
from xlsms.workbook.live.writer import Writer
from xlsms.workbook.reading import id_text, wall_time
from xlsms.workbook.roles import header
from xlsms.workbook.room import check_room

__all__ = ["LiveWorkbook", "check_changeable", "stored"]

Result = TypeVar("Result")


class LiveWorkbook:
    """The `Workbook` seam over an open workbook. Times in the sheet are those of `zone`, or of this computer.

    Nothing of the program is held between two calls, and a program that stays busy is told as `excel-busy`. What is
    written is read back; a program that takes no value is busy too.
    """

    def __init__(
        self,
        attachment: Attachment,
        *,
        zone: tzinfo | None = None,
        patience: Patience | None = None,
        turn: AbstractContextManager[bool | None] | None = None,
    ) -> None:
        """`turn` keeps others of our processes from writing into it meanwhile; it may be entered again inside."""
        self.attachment = attachment
        self.path = Path(attachment.fullname)
        self.zone = zone
        self.patience = patience or Patience()
        self.turn = turn or nullcontext()

    def through(self, work: Callable[[xw.Book], Result]) -> Result:
        """Do something with the workbook, found anew at each try; every error names it."""
        try:
            return self.patience.through(lambda: work(self.attachment.book()))
        except XlsmsError as error:
            at = error.place or Place()
            if at.file is None:
                error.place = Place(file=self.attachment.name, sheet=at.sheet, row=at.row, column=at.column)
            raise

    def writing(self, work: Callable[[xw.Book], Result]) -> Result:
        """The same for what looks and then writes: none of our processes does so beside another."""
        with self.turn:
            return self.through(work)

    def read(self, *, marked_only: bool = False) -> Snapshot:
        """The workbook as it is now; see `Workbook.read`."""
        return self.through(lambda book: self._read(book, marked_only=marked_only))

    def _read(self, book: xw.Book, *, marked_only: bool) -> Snapshot:
        pages = read_pages(book)
        language = spoken(pages)
        rows = (
            page.row(number, language, self.zone)
            for page in pages
            for number in page.numbers
            if not marked_only or page.row_is_marked(number)
        )
        return Snapshot(
            path=self.path,
            version=_version(pages),
            guid=custom_property(book, GUID_PROPERTY),
            language=language,
            sheets=tuple(page.sheet for page in pages),
            rows=tuple(row for row in rows if row is not None),
        )

    def guid(self) -> str | None:
        """The workbook's own id, kept by copies; None before first set-up."""
        return self.through(lambda book: custom_property(book, GUID_PROPERTY))

    def give_guid(self, guid: str) -> str | None:
        """Give it an id, and return what it has now; none where no script may: Excel for Mac, one only to be read."""

        def give(book: xw.Book) -> str | None:
            if not is_read_only(book):
                set_custom_property(book, GUID_PROPERTY, guid)
            return custom_property(book, GUID_PROPERTY)

        return self.through(give)

    def opening(self) -> str:
        """Which opening of the file this is; empty where the program does not tell."""
        return self.through(lambda book: str(getattr(book.impl, "opening", "")))

    def go_to(self, sheet: str, row: int, column: str) -> None:
        """Bring a cell before the user."""

        def go(book: xw.Book) -> None:
            page = next((page for page in book.sheets if page.name == sheet), None)
            if page is not None:
                page.activate()
                page.range(f"{column}{row}").select()

        self.through(go)

    def show_sheet(self, name: str) -> bool:
        """Bring a sheet to the front; whether there is one of that name."""

        def show(book: xw.Book) -> bool:
            found = next((page for page in book.sheets if page.name.casefold() == name.casefold()), None)
            if found is not None:
                found.activate()
            return found is not None

        return self.through(show)

    def selected_rows(self) -> tuple[tuple[int, int], ...]:
        """First and last row of each block of cells that the user has selected; none where scripts cannot know."""
        return self.through(lambda book: selected_rows(book.app))

    def version(self) -> Version:
        """What its sheets hold now; the rows are looked at, as an open workbook has nothing else to tell it by."""
        return self.through(lambda book: _version(read_pages(book)))

    def check_ready(self) -> None:
        """Make sure that it is open and takes values now; see `Workbook.check_ready`."""
        self.through(_check_writable)

    def apply(self, edits: Sequence[RowEdit]) -> Applied:
        """Write all edits at once; see `Workbook.apply`.

        Rows are looked for by id each time it is tried, as a busy program is one in which somebody works.
        """
        unsettled: list[Written] = []
        return self.writing(lambda book: self._apply(book, edits, unsettled))

    def _apply(self, book: xw.Book, edits: Sequence[RowEdit], unsettled: list[Written]) -> Applied:
        """`unsettled` is what tries that broke off had begun to write."""
        while unsettled:
            settle(book, unsettled[-1])
            unsettled.pop()
        pages = read_pages(book)
        before = _version(pages)
        work = _Work(book, pages, self.zone)
        work.find(edits)
        if work.changed:
            check_changeable(book)
            with quiet(book.app, self.patience):
                work.write(unsettled)
            if [settle(book, each) for each in unsettled].count(True):
                pages = read_pages(book)
            unsettled.clear()
        return Applied(
            before=before,
            version=_version(pages),
            done=tuple(edit for edit in work.done if id(edit) not in work.left),
            missing=tuple(work.missing),
            stale=tuple(work.stale),
            ambiguous=tuple(work.ambiguous),
            refused=tuple(work.refused),
            waiting=tuple(edit for edit in work.done if id(edit) in work.left),
            changed=work.written,
        )


def _version(pages: Sequence[Page]) -> Version:
    """Equal for equal contents under the headers."""
    digest = hashlib.blake2b(digest_size=16)
    size = 0
    for page in pages:
        digest.update(repr((page.name, page.heading.row, page.left)).encode())
        filled = len(page.values)
        while filled > 1 and not any(value is not None for value in page.values[filled - 1]):
            filled -= 1
        for row in page.values[:filled]:
            digest.update(repr(row).encode())
            size += len(row)
    return Version(size=size, mtime_ns=0, inode=0, directory=digest.hexdigest())


def check_changeable(book: xw.Book) -> None:
    """Make sure that the workbook may be changed at all.

    Raises:
        UserError: `workbook-read-only`.
    """
    if is_read_only(book):
        raise UserError("workbook-read-only")


def _check_writable(book: xw.Book) -> None:
    """Make sure that the columns of xlsms can be written; quick where no sheet is protected.

    Raises:
        UserError: `workbook-read-only`, `sheet-locked`.
    """
    check_changeable(book)
    if not any(is_protected(sheet) for sheet in book.sheets):
        return
    for page in read_pages(book):
        sheet = book.sheets[page.name]
        if not page.numbers or not is_protected(sheet):
            continue
        for columns in runs(page.places[role] for role in RESULTS if role in page.places):
            if is_locked(sheet.range((page.numbers[0], columns[0]), (page.last, columns[-1]))):
                raise UserError("sheet-locked", place=Place(sheet=page.name))


class _Work:
    """The edits of one `apply`, placed in the workbook as it is now."""

    def __init__(self, book: xw.Book, pages: Sequence[Page], zone: tzinfo | None) -> None:
        self._book, self._pages, self._zone = book, {page.name: page for page in pages}, zone
        self._language = spoken(pages)
        self._cells: dict[str, dict[Cell, CellValue]] = defaultdict(dict)
        self._asked: dict[tuple[str, Cell], list[tuple[RowEdit, Role]]] = defaultdict(list)
        self._extra: dict[str, dict[Role, int]] = defaultdict(dict)
        self.done: list[RowEdit] = []
        self.missing: list[RowEdit] = []
        self.stale: list[RowEdit] = []
        self.ambiguous: list[RowEdit] = []
        self.refused: list[Refusal] = []
        self._barred: set[tuple[str, Cell]] = set()
        self.left: set[int] = set()  #: the edits, by their identity, that wait for the next time

    @property
    def changed(self) -> bool:
        """Whether anything is to be written."""
        return any(self._cells.values())

    @property
    def written(self) -> int:
        """How many edits have changed a cell, of those that do not wait."""
        cells = (asked for cell, asked in self._asked.items() if cell not in self._barred)
        return len({id(edit) for asked in cells for edit, _ in asked} - self.left)

    def find(self, edits: Sequence[RowEdit]) -> None:
        """Place the edits among the rows."""
        ids = {id_text(edit.id) for edit in edits if edit.id is not None}
        carriers: dict[str, list[tuple[Page, int]]] = defaultdict(list)
        for page in self._pages.values():
            if ids and Role.ID in page.places:
                for number in page.numbers:
                    text = id_text(page.at(number, Role.ID))
                    if text in ids:
                        carriers[text].append((page, number))
        for edit in edits:
            if edit.id is not None:
                self._by_id(edit, carriers[id_text(edit.id)])
            else:
                self._by_place(edit)

    def _by_id(self, edit: RowEdit, found: list[tuple[Page, int]]) -> None:
        if len(found) == 1:
            self._take(edit, *found[0])
            return
        rows = [row for page, number in found if (row := self._row(page, number)) is not None]
        meant = carrier(edit, rows)
        if isinstance(meant, Row):
            self._take(edit, self._pages[meant.sheet], meant.number)
        else:
            (self.missing if meant == "missing" else self.ambiguous).append(edit)

    def _by_place(self, edit: RowEdit) -> None:
        page = self._pages.get(edit.placed.sheet) if edit.placed else None
        number = edit.placed.number if edit.placed else 0
        row = self._row(page, number) if page else None
        if page is not None and still_there(edit, row):
            self._take(edit, page, number)
        else:
            self.stale.append(edit)

    def _row(self, page: Page, number: int) -> Row | None:
        return page.row(number, self._language, self._zone)

    def _take(self, edit: RowEdit, page: Page, number: int) -> None:
        """Take up the cells of an edit, but for those that already hold what is to be written."""
        if any(
            role in RESULTS and role not in page.places and value is not None for role, value in edit.values.items()
        ):
            self._need(page)
        cells = self._cells[page.name]
        for role, value in edit.values.items():
            column = page.places.get(role) or self._extra[page.name].get(role)
            if column is None:
                continue
            cell = number, column
            new = stored(value, self._zone)
            if isinstance(new, str) and 2 * len(new) > TEXT_LIMIT and len(new.encode("utf-16-le")) // 2 > TEXT_LIMIT:
                self._refuse(page, cell, edit, role, "cell-text-too-long")
            elif cell in cells or not _same(page.value(cell), new):
                cells[cell] = new
                self._asked[page.name, cell].append((edit, role))
        self.done.append(edit)

    def _refuse(self, page: Page, cell: Cell, edit: RowEdit, role: Role, code: str) -> None:
        place = Place(sheet=page.name, row=cell[0], column=column_letters(cell[1]))
        self.refused.append(Refusal(edit=edit, role=role, error=UserError(code, place=place)))

    def _need(self, page: Page) -> None:
        """Add the result columns that are not there, on the right of everything in or below the header row.

        Raises:
            UserError: `columns-missing` where a table or a filter holds the rows: a sort would leave them behind;
                `column-of-yours`.
        """
        missing = page.sheet.missing
        if self._extra[page.name] or not missing:
            return
        page.check_ours()
        texts = [header(role, self._language) for role in missing]
        if page.bounded:
            place = Place(sheet=page.name, row=page.heading.row)
            raise UserError("columns-missing", place=place, columns=", ".join(texts))
        sheet = self._book.sheets[page.name]
        right = right_edge(sheet, page)
        check_room(page.name, page.heading.row, right, texts)
        self._extra[page.name] = {role: right + nth for nth, role in enumerate(missing, 1)}
        page.widen(right + len(missing))
        for role, column in self._extra[page.name].items():
            self._cells[page.name][page.heading.row, column] = header(role, self._language)

    # writing

    def write(self, unsettled: list[Written]) -> None:
        """Put everything into the cells; what is begun is added to `unsettled`, for the rows may move meanwhile.

        Raises:
            UserError: `sheet-locked`.
        """
        for name, cells in self._cells.items():
            if cells:
                page, extra = self._pages[name], self._extra[name]
                writer = Writer(self._book.sheets[name], page, cells, extra, self._cannot)
                unsettled.append(Written(page, writer, extra))
                writer.write()

    def _cannot(self, page: Page, cell: Cell, code: str | None) -> None:
        """A cell that is not written: for good, for the reason in `code`, or, without one, not this time."""
        self._barred.add((page.name, cell))
        for edit, role in self._asked[page.name, cell]:
            if code is None:
                self.left.add(id(edit))
            else:
                self._refuse(page, cell, edit, role, code)


def stored(value: CellValue, zone: tzinfo | None) -> CellValue:
    """A value as a cell holds it: wall-clock time to the second, lines ended as cells end them."""
    if isinstance(value, datetime):
        return wall_time(value, zone).replace(microsecond=0)
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "") or None
    return value


def _same(current: CellValue, new: CellValue) -> bool:
    """Whether a cell already holds what is to be written."""
    if isinstance(new, datetime):
        if isinstance(current, datetime):
            return abs((current - new).total_seconds()) < 1
        return current == new.strftime(TEXT_DATE)
    if new is None or isinstance(new, str):
        return current == new
    return current == new and type(current) is type(new)
