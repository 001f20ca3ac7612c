"""A workbook that nobody has open: read from the file, and written into the file."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime, tzinfo
from itertools import chain
from pathlib import Path

from xlsms.errors import Place, TransientError, UserError
from xlsms.files.backup import Backups
from xlsms.files.link import resolved
from xlsms.model import Role
from xlsms.ooxml.batch import TEXT_DATE, Cell, Styled
from xlsms.ooxml.cells import column_letters, column_number
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.scan import Grammar, RawRow, row_blocks, rows
from xlsms.ooxml.search import Search
from xlsms.ooxml.value import style_of
from xlsms.workbook.base import RESULTS, Applied, Language, Placed, Reading, Refusal, RowEdit, Snapshot, Version
from xlsms.workbook.change import put_patches
from xlsms.workbook.gathering import Gathering
from xlsms.workbook.identity import GUID_PROPERTY
from xlsms.workbook.layout import Layout, layouts, spoken
from xlsms.workbook.reading import RowReader, id_text, wall_time
from xlsms.workbook.record import Added, role_key
from xlsms.workbook.roles import header
from xlsms.workbook.room import check_room
from xlsms.workbook.writing import ATTEMPTS, Step, check_ready, opened, ready, version_of

__all__ = ["ClosedWorkbook", "add_columns", "check_columns", "right_edge"]

_HELD_OPEN = 32 << 20  #: a longer file is open while it is read, and Windows replaces none that somebody has open

_There = tuple[Layout, RawRow]  # where something was found


class ClosedWorkbook:
    """The `Workbook` seam over a file. Times in the sheet are those of `zone`, or of this computer.

    `backups` keeps what its user saved before it is written over.
    """

    def __init__(
        self,
        path: Path,
        *,
        zone: tzinfo | None = None,
        backups: Backups | None = None,
        step: Step = lambda _: None,
    ) -> None:
        # the real file is replaced, not a link to it
        self.path = resolved(path)
        self._zone = zone
        self._backups = backups
        self._step = step

    def read(self, *, marked_only: bool = False) -> Snapshot:
        """The workbook as it is now; see `Workbook.read`."""
        with opened(self.path) as book:
            found = layouts(book)
            language = spoken(found)
            readers = [RowReader(layout, language, self._zone) for layout in found]
            # rows first: whoever looks at the sheet for them surveys it on the way
            read = tuple(row for reader in readers for row in reader.rows(marked_only=marked_only))
            return Snapshot(
                path=self.path,
                version=version_of(book.package),
                guid=book.custom_properties.get(GUID_PROPERTY),
                language=language,
                sheets=tuple(layout.sheet for layout in found),
                rows=read,
            )

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """The workbook as it is now, row by row; see `Workbook.reading`."""
        with opened(self.path) as book:
            if os.name == "nt" and book.package.length > _HELD_OPEN:
                yield Reading.of(self.read())
                return
            found = layouts(book)
            language = spoken(found)
            readers = [RowReader(layout, language, self._zone) for layout in found]
            snapshot = Snapshot(
                path=self.path,
                version=version_of(book.package),
                guid=book.custom_properties.get(GUID_PROPERTY),
                language=language,
                sheets=tuple(layout.sheet for layout in found),
                rows=(),
            )
            yield Reading(
                snapshot=snapshot,
                ids=lambda: chain.from_iterable(reader.ids() for reader in readers),
                rows=lambda: chain.from_iterable(reader.rows() for reader in readers),
            )

    def version(self) -> Version:
        """Which bytes the file holds now; quick, as no row is read."""
        with opened(self.path) as book:
            return version_of(book.package)

    def check(self) -> None:
        """Make sure that rows can be read; quick, as none is. Raises what `read` would for the file and its headers."""
        with opened(self.path) as book:
            layouts(book)

    def check_ready(self) -> None:
        """Make sure that `apply` could write now, as far as the file itself decides; changes nothing.

        Raises:
            UserError: the file or its folder is read-only, or the workbook is signed or asks not to be changed.
            TransientError: the file is open elsewhere.
        """
        with opened(self.path) as book:
            check_ready(self.path, book)

    def readers(self) -> Iterator[RowReader]:
        """A reader of rows for each taking-part sheet. The file is open until the last one is done."""
        with opened(self.path) as book:
            found = layouts(book)
            for layout in found:
                yield RowReader(layout, spoken(found), self._zone)

    def apply(self, edits: Sequence[RowEdit]) -> Applied:
        """Write all edits at once; see `Workbook.apply`."""
        for _ in range(ATTEMPTS):
            ready(self.path)
            with opened(self.path) as book:
                self._step("opened")
                found = layouts(book)
                work = _Work(found, spoken(found), self._zone)
                work.find(edits)
                self._step("read")
                patches = work.patches()
                before = version_of(book.package)
                version: Version | None = before
                if patches:
                    noted = work.noted()
                    version = put_patches(self.path, book, patches, self._step, added=noted, backups=self._backups)
                if version is not None:
                    return Applied(
                        before=before,
                        version=version,
                        done=tuple(work.done),
                        missing=tuple(work.missing),
                        stale=tuple(work.stale),
                        ambiguous=tuple(work.ambiguous),
                        refused=tuple(work.refusals(patches)),
                    )
        raise TransientError("file-keeps-changing", path=self.path.name)


def add_columns(
    path: Path,
    roles: Iterable[Role] = RESULTS,
    language: Language | None = None,
    *,
    step: Step = lambda _: None,
) -> dict[str, tuple[str, ...]]:
    """Add the headers of `roles` to every taking-part sheet that lacks them; returns what was added, by sheet.

    Raises:
        UserError: `columns-missing` where a table or a filter holds the rows.
    """
    real = resolved(path)
    wanted = tuple(roles)
    for _ in range(ATTEMPTS):
        ready(real)
        with opened(real) as book:
            found = layouts(book)
            work = _Work(found, language or spoken(found), None)
            for layout in found:
                work.need(layout, tuple(role for role in wanted if role not in layout.columns))
            patches = work.patches()
            if not patches or put_patches(real, book, patches, step, added=work.noted()) is not None:
                return {name: texts for name, texts in work.added.items() if texts}
    raise TransientError("file-keeps-changing", path=real.name)


def check_columns(path: Path, sheets: Collection[str]) -> None:
    """Make sure that states could stand in some sheets: that they have the columns, or that a send could add them.

    Raises:
        UserError: as `add_columns`, and `columns-past-edge`.
    """
    with opened(path) as book:
        found = layouts(book)
        work = _Work(found, spoken(found), None)
        for layout in found:
            if layout.part.name in sheets:
                work.need(layout, layout.missing)


class _Work:
    """The edits of one `apply`, placed in the workbook as it is now."""

    def __init__(self, found: Sequence[Layout], language: Language, zone: tzinfo | None) -> None:
        self._layouts, self._language, self._zone = found, language, zone
        self._readers = {layout.part.name: RowReader(layout, language, zone) for layout in found}
        self._gathered = {
            layout.part.name: Gathering(layout, self._readers[layout.part.name], self._shared) for layout in found
        }
        self.added: dict[str, tuple[str, ...]] = {}
        self.done: list[RowEdit] = []
        self.missing: list[RowEdit] = []
        self.stale: list[RowEdit] = []
        self.ambiguous: list[RowEdit] = []
        self._taken: list[tuple[RowEdit, Layout, RawRow]] = []  # beside `done`
        self._calculated: list[Refusal] = []
        self._moments: dict[datetime, datetime] = {}
        self._texts: frozenset[str] = frozenset()
        self._known: Mapping[int, str] | None = None

    def find(self, edits: Sequence[RowEdit]) -> None:
        """Find the row of each edit and take up its cells."""
        ids = frozenset(id_text(edit.id) for edit in edits if edit.id is not None)
        self._texts = self._looked_up(edits) | ids
        searches = {layout.part.name: self._search(layout, ids, edits) for layout in self._layouts}
        carriers, placed = self._found(ids, searches)
        lying = {id(edit) for edit in edits if edit.id is None and self._lies(edit, placed)}
        unsure = [edit.placed for edit in edits if edit.id is None and edit.placed and id(edit) not in lying]
        changed = [there for place in unsure if (there := placed.get((place.sheet, place.number)))]
        for layout in self._layouts:  # what has to be compared in full is looked up together
            crowds = (carrier for found in carriers.values() if len(found) > 1 for carrier in found)
            compared = [row for there, row in chain(crowds, changed) if there is layout]
            self._readers[layout.part.name].want_texts(compared)
        for edit in edits:
            if edit.id is not None:
                self._by_id(edit, carriers[id_text(edit.id)])
            else:
                self._by_place(edit, placed, lies=id(edit) in lying)
        for layout in self._layouts:
            self._gather(layout, searches[layout.part.name])

    def _found(
        self, ids: AbstractSet[str], searches: Mapping[str, Search | None]
    ) -> tuple[dict[str, list[_There]], dict[tuple[str, int], _There]]:
        """What the searches found, by id and by place."""
        carriers: dict[str, list[_There]] = {identity: [] for identity in ids}
        placed: dict[tuple[str, int], _There] = {}
        for layout in self._layouts:
            search = searches[layout.part.name]
            if search is None:
                continue
            for identity, row in search.found:
                if layout.header_row < row.number <= layout.last:
                    found = carriers[identity]
                    found.append((layout, row))
            placed.update(((layout.part.name, number), (layout, row)) for number, row in search.rows.items())
        for identity, found in carriers.items():
            if len(found) > 1:  # they are compared
                carriers[identity] = [
                    (there, search.whole(row)) for there, row in found if (search := searches[there.part.name])
                ]
        return carriers, placed

    def _looked_up(self, edits: Sequence[RowEdit]) -> frozenset[str]:
        """The texts that a shared string is compared with beside ids: what cells hold after the edits."""
        values = {value for edit in edits for value in edit.values.values() if isinstance(value, str | datetime)}
        self._moments = {value: wall_time(value, self._zone) for value in values if isinstance(value, datetime)}
        times = (moment.strftime(TEXT_DATE) for moment in self._moments.values())
        return frozenset(chain(("",), times, (value for value in values if isinstance(value, str))))

    def _shared(self) -> Mapping[int, str]:
        """The shared strings that are among the texts, looked up when one is met."""
        if self._known is None:
            self._known = self._layouts[0].book.find_texts(self._texts)
        return self._known

    def _search(self, layout: Layout, ids: frozenset[str], edits: Sequence[RowEdit]) -> Search | None:
        """The rows of a sheet that edits may mean; None when they mean none of this sheet."""
        column = layout.columns.get(Role.ID, "")
        placed = (edit.placed for edit in edits if edit.id is None)
        numbers = {place.number for place in placed if place is not None and place.sheet == layout.part.name}
        if not numbers and not (ids and column):
            return None
        search = Search(
            layout.book,
            column,
            ids,
            normal=id_text,
            shared=self._shared,
            kept=layout.columns.values(),
            numbers=numbers,
        )
        if not layout.look(search):
            search.start(Grammar(layout.found.prefix))
            for block in row_blocks(layout.book, layout.part, layout.found):
                search.block(block)
        return search

    def _by_id(self, edit: RowEdit, carriers: list[_There]) -> None:
        """One carrier is the row. Of several, those with the phone and message that were sent; of these the nearest."""
        if not carriers:
            self.missing.append(edit)
            return
        if len(carriers) > 1:
            hint = edit.placed
            alike = [carrier for carrier in carriers if hint is not None and self._alike(carrier, hint)]
            if hint is None or not alike:
                self.ambiguous.append(edit)
                return
            carriers = sorted(
                alike,
                key=lambda carrier: (carrier[0].part.name != hint.sheet, abs(carrier[1].number - hint.number)),
            )
        self._take(edit, *carriers[0])

    def _by_place(self, edit: RowEdit, placed: dict[tuple[str, int], _There], *, lies: bool) -> None:
        """`lies` tells that the row certainly is as it was read."""
        if edit.placed is None:
            raise ValueError("an edit without a row")
        there = placed.get((edit.placed.sheet, edit.placed.number))
        if there is None:
            self.stale.append(edit)
        elif lies:
            self._take(edit, *there)
        else:
            row = self._readers[edit.placed.sheet].row(there[1])
            if row is None or Placed.of(row) != edit.placed:
                self.stale.append(edit)
            else:
                self._take(edit, *there)

    def _lies(self, edit: RowEdit, placed: dict[tuple[str, int], _There]) -> bool:
        """Whether a row certainly is as it was read: byte for byte."""
        place = edit.placed
        there = placed.get((place.sheet, place.number)) if place is not None and place.lay is not None else None
        return (
            place is not None and there is not None and place.lay == (self._readers[place.sheet].means, there[1].body)
        )

    def _alike(self, carrier: _There, hint: Placed) -> bool:
        row = self._readers[carrier[0].part.name].row(carrier[1])
        return row is not None and (row.phone, row.message) == (hint.phone, hint.message)

    def _take(self, edit: RowEdit, layout: Layout, raw: RawRow) -> None:
        """Take up an edit, to be gathered with the others of its sheet."""
        missing = layout.missing
        if missing and any(value is not None and role in missing for role, value in edit.values.items()):
            self.need(layout, missing)
        self.done.append(edit)
        self._taken.append((edit, layout, raw))

    def _gather(self, layout: Layout, search: Search | None) -> None:
        """Take up the cells of a sheet, but for those that already hold what is to be written."""
        mine = [(edit, raw) for edit, there, raw in self._taken if there is layout]
        if search is None or not mine:
            return
        crowded = len({raw.number for _, raw in mine}) < len(mine)
        taken = [(search.whole(raw) if crowded else raw, edit.values) for edit, raw in mine]
        gathered = self._gathered[layout.part.name]
        for nth, role, column in gathered.take_all(taken, search.columns, self._moments):
            edit, raw = mine[nth]
            error = self._error(layout, (raw.number, column), "cell-formula")
            self._calculated.append(Refusal(edit=edit, role=role, error=error))

    def need(self, layout: Layout, roles: tuple[Role, ...]) -> None:
        """Add columns for `roles` on the right of everything that stands in or below the header row.

        Raises:
            UserError: `columns-missing` where a table or a filter holds the rows: a sort would leave them behind;
                `columns-past-edge`.
        """
        name = layout.part.name
        gathered = self._gathered[name]
        if gathered.extra or not roles:
            return
        texts = tuple(header(role, self._language) for role in roles)
        if layout.bounded:
            place = Place(sheet=name, row=layout.header_row)
            raise UserError("columns-missing", place=place, columns=", ".join(texts))
        right, style = right_edge(layout)
        check_room(name, layout.header_row, right, texts)
        self.added[name] = texts
        for offset, (role, text) in enumerate(zip(roles, texts, strict=True), 1):
            gathered.add(right + offset, role, Styled(text, style))

    def noted(self) -> list[Added]:
        """The columns that are added, as they are noted in the workbook."""
        tops = {layout.part.name: layout.header_row for layout in self._layouts}
        return [
            (name, role_key(role), (tops[name], column))
            for name, gathered in self._gathered.items()
            for role, column in gathered.extra.items()
        ]

    def patches(self) -> list[Patch]:
        """One patch for each sheet with something to write."""
        return [
            Patch(layout.book, layout.part, layout.found, layout.tables, batch)
            for layout in self._layouts
            if (batch := self._gathered[layout.part.name].batch()).columns
        ]

    def refusals(self, patches: Sequence[Patch]) -> Iterator[Refusal]:
        """The cells that were not written, after the patches have run."""
        yield from self._calculated
        for patch in patches:
            name = patch.sheet.name
            layout = next(layout for layout in self._layouts if layout.part.name == name)
            gathered = self._gathered[name]
            rows = {(name, row) for row, _ in patch.refused}
            edits = [(edit, raw.number) for edit, there, raw in self._taken if (there.part.name, raw.number) in rows]
            for cell, code in patch.refused.items():
                for edit, row in edits:
                    for role in edit.values if row == cell[0] else ():
                        if gathered.column_of(role) == cell[1]:
                            yield Refusal(edit=edit, role=role, error=self._error(layout, cell, code))

    @staticmethod
    def _error(layout: Layout, cell: Cell, code: str) -> UserError:
        return UserError(code, place=Place(sheet=layout.part.name, row=cell[0], column=column_letters(cell[1])))


def right_edge(layout: Layout) -> tuple[int, int]:
    """The last column in use at or below the header row, and the style of the last header."""
    last = max(column_number(letters) for letters in layout.headers)
    right, style = last, 0
    for raw in rows(layout.book, layout.part, layout.found):
        if raw.number < layout.header_row:
            continue
        right = max((right, *(column_number(cell[0].decode()) for cell in raw.cells if any(cell[2:]))))
        if raw.number == layout.header_row:
            style = next((style_of(cell[1]) for cell in raw.cells if cell[0] == column_letters(last).encode()), 0)
    areas = [*layout.found.merges, *layout.found.arrays, *(table.area for table in layout.tables)]
    return max([right, *(area.right for area in areas if area.bottom >= layout.header_row)]), style
