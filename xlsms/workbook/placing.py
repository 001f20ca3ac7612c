"""The edits of one write: the rows that they mean in a workbook as it is now, and the cells that they come to."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, tzinfo
from itertools import chain
from operator import itemgetter

from xlsms.errors import Place, UserError
from xlsms.model import CellValue, Role
from xlsms.ooxml.batch import TEXT_DATE, Cell, Styled
from xlsms.ooxml.cells import column_letters
from xlsms.ooxml.grammar import Grammar, RawRow
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.scan import row_blocks
from xlsms.ooxml.search import Search
from xlsms.workbook.base import Language, Placed, Refusal, RowEdit
from xlsms.workbook.gathering import Gathering
from xlsms.workbook.layout import Layout
from xlsms.workbook.ours import check_layout
from xlsms.workbook.reading import RowReader, id_text, wall_time
from xlsms.workbook.record import Added, role_key
from xlsms.workbook.roles import header
from xlsms.workbook.room import check_room, right_edge

__all__ = ["Placing"]

_There = tuple[Layout, RawRow]  # where something was found


class Placing:
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
        # by sheet, one beside the other
        self._taken: dict[str, tuple[list[RowEdit], list[RawRow]]] = {layout.part.name: ([], []) for layout in found}
        self._calculated: list[Refusal] = []
        self._moments: dict[datetime, datetime] = {}
        self._looked_up: tuple[AbstractSet[str], AbstractSet[CellValue]] = (frozenset(), frozenset())
        self._known: Mapping[int, str] | None = None
        self._meant: dict[tuple[str, int], tuple[object, bool]] = {}

    def find(self, edits: Sequence[RowEdit]) -> None:
        """Find the row of each edit and take up its cells."""
        names = [None if edit.id is None else id_text(edit.id) for edit in edits]
        ids = frozenset(name for name in names if name is not None)
        self._looked_up = (ids, set(chain.from_iterable(edit.values.values() for edit in edits)))
        self._moments = {
            value: wall_time(value, self._zone) for value in self._looked_up[1] if isinstance(value, datetime)
        }
        searches = {layout.part.name: self._search(layout, ids, edits) for layout in self._layouts}
        alone, crowds = self._carriers(searches)
        placed = self._placed(searches)
        lying = {id(edit) for edit in edits if edit.id is None and self._lies(edit, placed)}
        unsure = [edit.placed for edit in edits if edit.id is None and edit.placed and id(edit) not in lying]
        changed = [there for place in unsure if (there := placed.get((place.sheet, place.number)))]
        for layout in self._layouts:  # what has to be compared in full is looked up together
            compared = [row for there, row in chain(*crowds.values(), changed) if there is layout]
            self._readers[layout.part.name].want_texts(compared)
        for edit, name in zip(edits, names, strict=True):
            if name is None:
                self._by_place(edit, placed, lies=id(edit) in lying)
            elif name in alone:
                self._take(edit, *alone[name])
            else:
                self._by_id(edit, crowds.get(name, ()))
        for layout in self._layouts:
            self._gather(layout, searches[layout.part.name])

    def _carriers(self, searches: Mapping[str, Search | None]) -> tuple[dict[str, _There], dict[str, list[_There]]]:
        """By id the one row that carries it, or the several ones, which are whole, as they are compared."""
        found = [
            (identity, (layout, row))
            for layout in self._layouts
            if (search := searches[layout.part.name]) is not None
            for identity, row in search.found
            if layout.header_row < row.number <= layout.last
        ]
        alone = dict(found)
        crowds: dict[str, list[_There]] = {}
        if len(alone) < len(found):
            times = Counter(identity for identity, _ in found)
            for identity, (layout, row) in found:
                if times[identity] > 1 and (search := searches[layout.part.name]) is not None:
                    crowds.setdefault(identity, []).append((layout, search.whole(row)))
            for identity in crowds:
                del alone[identity]
        return alone, crowds

    def _placed(self, searches: Mapping[str, Search | None]) -> dict[tuple[str, int], _There]:
        """The rows that were asked for by their places."""
        return {
            (layout.part.name, number): (layout, row)
            for layout in self._layouts
            if (search := searches[layout.part.name]) is not None
            for number, row in search.rows.items()
        }

    def _texts(self) -> frozenset[str]:
        """The texts that a shared string is compared with: ids, and what cells hold after the edits."""
        ids, values = self._looked_up
        times = (moment.strftime(TEXT_DATE) for moment in self._moments.values())
        return frozenset(chain(("",), times, ids, (value for value in values if isinstance(value, str))))

    def _shared(self) -> Mapping[int, str]:
        """The shared strings that are among the texts, looked up when one is met."""
        if self._known is None:
            self._known = self._layouts[0].book.find_texts(self._texts())
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
            below=layout.header_row,
        )
        if not layout.look_for(search) and not layout.look(search):
            search.start(Grammar(layout.found.prefix))
            for block in row_blocks(layout.book, layout.part, layout.found):
                search.block(block)
        return search

    def _by_id(self, edit: RowEdit, crowd: Sequence[_There]) -> None:
        """Of several carriers the row is one with the phone and message that were sent, and of these the nearest."""
        hint = edit.placed
        alike = [carrier for carrier in crowd if hint is not None and self._alike(carrier, hint)]
        if not crowd:
            self.missing.append(edit)
        elif hint is None or not alike:
            self.ambiguous.append(edit)
        else:
            far = lambda carrier: (carrier[0].part.name != hint.sheet, abs(carrier[1].number - hint.number))  # noqa: E731
            self._take(edit, *min(alike, key=far))

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
            if row is None or not edit.placed.fits(row):
                self.stale.append(edit)
            else:
                self._take(edit, *there)

    def _lies(self, edit: RowEdit, placed: dict[tuple[str, int], _There]) -> bool:
        """Whether a row certainly is as it was read: byte for byte, and the bytes mean the same."""
        place = edit.placed
        there = placed.get((place.sheet, place.number)) if place is not None else None
        if place is None or there is None or not isinstance(place.lay, tuple):
            return False
        means, body = place.lay
        return bool(there[1].body == body) and self._means(place.sheet, means)

    def _means(self, sheet: str, means: object) -> bool:
        """Whether bytes of a sheet mean now what they meant; many rows share what it hangs on, so it is asked once."""
        known = self._meant.get((sheet, id(means)))
        if known is None:
            # `means` is kept, lest another gets its place
            known = self._meant[sheet, id(means)] = means, means == self._readers[sheet].means
        return known[1]

    def _alike(self, carrier: _There, hint: Placed) -> bool:
        row = self._readers[carrier[0].part.name].row(carrier[1])
        return row is not None and (row.phone, row.message) == (hint.phone, hint.message)

    def _take(self, edit: RowEdit, layout: Layout, raw: RawRow) -> None:
        """Take up an edit, to be gathered with the others of its sheet."""
        missing = layout.missing
        if missing and any(value is not None and role in missing for role, value in edit.values.items()):
            self.need(layout, missing)
        self.done.append(edit)
        edits, rows = self._taken[layout.part.name]
        edits.append(edit)
        rows.append(raw)

    def _gather(self, layout: Layout, search: Search | None) -> None:
        """Take up the cells of a sheet, but for those that already hold what is to be written."""
        edits, rows = self._taken[layout.part.name]
        if search is None or not rows:
            return
        if len({raw.number for raw in rows}) < len(rows):
            rows = [search.whole(raw)._replace(ends=None) for raw in rows]
        gathered = self._gathered[layout.part.name]
        values = [edit.values for edit in edits]
        calculated = gathered.take_all(rows, values, search.columns, self._moments)
        for nth, role, column in sorted(calculated, key=itemgetter(0)):
            error = self._error(layout, (rows[nth].number, column), "cell-formula")
            self._calculated.append(Refusal(edit=edits[nth], role=role, error=error))

    def need(self, layout: Layout, roles: tuple[Role, ...]) -> None:
        """Add columns for `roles` on the right of everything that stands in or below the header row.

        Raises:
            UserError: `columns-missing` where a table or a filter holds the rows: a sort would leave them behind;
                `columns-past-edge`; `column-of-yours`.
        """
        name = layout.part.name
        gathered = self._gathered[name]
        if gathered.extra or not roles:
            return
        check_layout(layout)
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
        for patch in (each for each in patches if each.refused):
            name = patch.sheet.name
            layout = next(layout for layout in self._layouts if layout.part.name == name)
            gathered = self._gathered[name]
            rows = {row for row, _ in patch.refused}
            taken = zip(*self._taken[name], strict=True)
            edits = [(edit, raw.number) for edit, raw in taken if raw.number in rows]
            for cell, code in patch.refused.items():
                for edit, row in edits:
                    for role in edit.values if row == cell[0] else ():
                        if gathered.column_of(role) == cell[1]:
                            yield Refusal(edit=edit, role=role, error=self._error(layout, cell, code))

    @staticmethod
    def _error(layout: Layout, cell: Cell, code: str) -> UserError:
        return UserError(code, place=Place(sheet=layout.part.name, row=cell[0], column=column_letters(cell[1])))
