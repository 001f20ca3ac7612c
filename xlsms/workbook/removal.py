"""First set-up undone: what is noted as added is taken away, and the rest is as it was."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xlsms.errors import Place, TransientError, UserError
from xlsms.files.backup import Backups
from xlsms.files.link import resolved
from xlsms.model import Role
from xlsms.ooxml.book import CUSTOM_PROPERTIES, Book, SheetPart, Table
from xlsms.ooxml.cells import Area, column_letters, column_number
from xlsms.ooxml.discard import clear_calculated, discard_sheets, unlist
from xlsms.ooxml.formula import Targets
from xlsms.ooxml.frame import area_text
from xlsms.ooxml.graft import Graft
from xlsms.ooxml.mention import mentions
from xlsms.ooxml.outline import Node
from xlsms.ooxml.prune import Prune
from xlsms.ooxml.scan import rows, survey
from xlsms.ooxml.table import narrower
from xlsms.ooxml.transplant import recalculated
from xlsms.ooxml.value import Decoder
from xlsms.workbook.change import Change, put_change
from xlsms.workbook.identity import GUID_PROPERTY
from xlsms.workbook.layout import Layout, layouts
from xlsms.workbook.own_sheets import REPORT
from xlsms.workbook.palette import MARK_HINTS, is_condition
from xlsms.workbook.record import CALCULATION, CHOICE, COLOURS, OWN_SHEET, PROPERTIES, Note, is_note, notes, role_key
from xlsms.workbook.setting import COLUMNS
from xlsms.workbook.setup import change_area, filter_names
from xlsms.workbook.writing import ATTEMPTS, Step, opened, ready

__all__ = ["Removed", "remove_set_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was taken away."""

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: headers by sheet
    sheets: tuple[str, ...] = ()
    kept: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: columns that their user has made his own
    nothing: bool = False  #: there was nothing to take away


def remove_set_up(
    path: Path,
    *,
    contents: bool = False,
    backups: Backups | None = None,
    step: Step = lambda _: None,
) -> Removed:
    """Take away the columns, sheets, colours and the id that `set_up` has added; `backups` keeps the file as it was.

    Columns that were there before stay, and so do added ones that are called something else now.

    Raises:
        UserError: `removal-holds` where something stands in them, unless `contents` says to take that away as well;
            `no-phone-column` where the header row of a sheet is gone; `removal-…` where it cannot be done without
            harm; and as for any write. The file is then untouched.
        TransientError: somebody has the file open or keeps saving it.
    """
    real = resolved(path)
    for _ in range(ATTEMPTS):
        ready(real)
        with opened(real) as book:
            work = _Removal(book)
            change = work.change(contents=contents)
            if change.empty:
                return Removed(nothing=True)
            if put_change(real, book, change, step, backups=backups) is not None:
                return work.done
    raise TransientError("file-keeps-changing", path=real.name)


class _Removal:
    """What is noted in one workbook, and what it takes to undo it."""

    def __init__(self, book: Book) -> None:
        self._book, self._graft = book, Graft(book)
        self._edits = self._graft.edits(book.main)
        self._notes = list(notes(book, self._edits.root))
        tabs = [node.attributes.get("name", "") for node in self._edits.root.all("sheet")]
        places = {index: part for index, tab in enumerate(tabs) for part in book.sheets if part.name == tab}
        self._by_sheet: dict[SheetPart, list[Note]] = {part: [] for part in book.sheets}
        for note in self._notes:
            if note.sheet in places:
                self._by_sheet[places[note.sheet]].append(note)
        self._own = [part for part in book.sheets if any(note.key == OWN_SHEET for note in self._by_sheet[part])]
        noted = [part for part, found in self._by_sheet.items() if found and part not in self._own]
        known = {layout.part: layout for layout in (layouts(book) if noted else ())}
        for part in noted:
            if part not in known:  # the header row that its columns are found by is gone
                raise UserError("no-phone-column", place=Place(sheet=part.name), sheets=part.name)
        self._bridged = False  # something of the user's counts over more than our columns
        self._columns = [_Columns(known[part], self._by_sheet[part]) for part in noted]
        self.done = Removed(
            columns={sheet.layout.part.name: sheet.headers for sheet in self._columns if sheet.headers},
            sheets=tuple(part.name for part in self._own),
            kept={sheet.layout.part.name: sheet.kept for sheet in self._columns if sheet.kept},
        )

    def change(self, *, contents: bool) -> Change:
        """The whole change, once it is clear that nothing of the user's is harmed."""
        known = GUID_PROPERTY in self._book.custom_properties
        if not self._notes:
            if known:
                raise UserError("removal-unknown")
            return Change()
        for sheet in self._columns:
            sheet.check()
        gone = discard_sheets(self._book, self._graft, self._own)
        self._check_mentions()
        if not contents:
            self._check_contents()
        replaced = {}
        for sheet in self._columns:
            sheet.narrow(self._graft)
            replaced[sheet.layout.part.member] = sheet.prune().chunks(self._book, sheet.layout.part, sheet.layout.found)
        unlist(self._edits, [part.name for part in self._own], [note.node for note in self._notes])
        clear_calculated(self._book, self._graft, [part.name for part in self._own])
        self._calculate()
        if known:
            self._forget()
        return Change(replaced={**replaced, **self._graft.replaced()}, dropped=frozenset(gone | self._graft.dropped))

    def _check_mentions(self) -> None:
        tables = {table.name.lower() for part in self._own for table in self._book.tables(part)}
        targets = Targets(
            sheets=frozenset(part.name.lower() for part in self._own),
            tables=frozenset(tables),
            areas={sheet.layout.part.name.lower(): (sheet.area,) for sheet in self._columns if sheet.area},
            columns={
                sheet.layout.table.name.lower(): frozenset(text.lower() for text in sheet.headers)
                for sheet in self._columns
                if sheet.layout.table and sheet.area
            },
        )
        without = self._graft.dropped
        for found in mentions(self._book, targets, without=without, skip=is_condition):
            if is_note(found.where):
                continue
            if found.bridges:  # the cells are emptied, none moves: it means what it meant before they were filled
                self._bridged = True
                continue
            place = Place(sheet=found.sheet, row=found.row, column=found.column) if found.sheet else None
            raise UserError("removal-referred", place=place, where=found.where, formula=found.formula)

    def _check_contents(self) -> None:
        filled = [
            f"{sheet.layout.part.name}: " + ", ".join(f"{text} ({count})" for text, count in sheet.filled.items())
            for sheet in self._columns
            if sheet.filled
        ]
        filled += [f"{part.name} ({count})" for part in self._own if (count := _entries(self._book, part))]
        if filled:
            raise UserError("removal-holds", contents="; ".join(filled))

    def _calculate(self) -> None:
        """Let the workbook be calculated as it was before the report came."""
        noted = next((note.text for note in self._notes if note.key == CALCULATION), None)
        calc = self._edits.root.child("calcPr")
        if calc is None or calc.attributes.get("fullCalcOnLoad") not in ("1", "true"):
            if self._bridged:  # another program has calculated and saved it since, with what is taken away
                recalculated(self._edits)
            return
        if noted == "new" and len(calc.attributes) == 1:
            self._edits.drop(calc)
        elif noted:
            self._edits.set(calc, "fullCalcOnLoad", noted if noted in ("0", "false") else None)

    def _forget(self) -> None:
        """Take the id out of the properties, and their part where it held nothing else."""
        member = self._book.target("/", CUSTOM_PROPERTIES)
        if member is None:
            return
        edits = self._graft.edits(member)
        ours = [node for node in edits.root.children if node.attributes.get("name") == GUID_PROPERTY]
        new = any(note.key == PROPERTIES for note in self._notes)
        if not new or len(ours) < len(edits.root.children):
            for node in ours:
                edits.drop(node)
        else:
            self._graft.drop(member)
            self._graft.unrelate("/", member)


def _entries(book: Book, sheet: SheetPart) -> int:
    """How many rows of the tables of a sheet of ours have something in them that was not there from the start."""
    found = survey(book, sheet)
    areas = [
        (range(table.first, table.last + 1), _fixed_columns(table))
        for table in book.tables(sheet)
        if not table.name.lower().startswith(REPORT.lower().replace(" ", "_"))  # which has nothing but formulas
    ]
    return sum(
        row.number in lines and any(any(cell[2:]) and cell[0] not in fixed for cell in row.cells)
        for row in rows(book, sheet, found)
        for lines, fixed in areas
    )


def _fixed_columns(table: Table) -> set[bytes]:
    """The letters of the columns that come filled in: what settings are called, and what they mean."""
    fixed = {words[at] for words in COLUMNS.values() for at in (0, 3)}
    return {
        column_letters(at).encode() for at, text in enumerate(table.columns, table.area.left) if text.strip() in fixed
    }


class _Columns:
    """The added columns of one sheet."""

    def __init__(self, layout: Layout, noted: Sequence[Note]) -> None:
        self.layout = layout
        self._keys = {note.key for note in noted}
        by_key = {role_key(role): role for role in Role}
        ours: list[int] = []
        kept: list[str] = []
        for note in noted:
            role = by_key.get(note.key)
            if role is None or note.cell is None:
                continue
            letters = column_letters(note.cell[1])
            if layout.columns.get(role) == letters and note.cell[0] == layout.header_row:
                ours.append(note.cell[1])
            elif letters in layout.headers:
                kept.append(layout.headers[letters])
        self._ours = sorted(ours)
        self.kept = tuple(kept)
        self.headers = tuple(layout.headers[column_letters(at)] for at in self._ours)
        self.filled: Counter[str] = Counter()
        self._right = 0

    @property
    def area(self) -> Area | None:
        """The cells that go, from the header row down."""
        if not self._ours:
            return None
        bottom = self.layout.table.area.bottom if self.layout.table else self.layout.last
        return Area(self.layout.header_row, self._ours[0], bottom, self._ours[-1])

    def check(self) -> None:
        """Make sure that the columns can go, and count what stands in them.

        Raises:
            UserError: `removal-not-last`, `removal-occupied`, `removal-formula`.
        """
        area, layout = self.area, self.layout
        if area is None:
            return
        others = {column_number(letters) for letters in layout.headers} - set(self._ours)
        block = layout.table.area if layout.table else layout.found.filter if layout.bounded else None
        inside = area.right - area.left + 1 == len(self._ours)
        if not inside or max(others) > area.left or (block is not None and block.right != area.right):
            raise self._error("removal-not-last", columns=", ".join(self.headers))
        tables = (table.area for table in layout.tables if table is not layout.table)
        for other in (*layout.found.merges, *layout.found.arrays, *tables):
            if area.meets(other):
                raise self._error("removal-occupied", area=area_text(other))
        self._count(area)

    def _count(self, area: Area) -> None:
        layout = self.layout
        decoder = Decoder(layout.book, layout.found.prefix)
        names = {column_letters(at).encode(): at for at in self._ours}
        for row in rows(layout.book, layout.part, layout.found):
            inside = area.top <= row.number <= area.bottom
            for cell in row.cells:
                column = names.get(cell[0]) if inside else None
                if column is None:
                    self._right = max(self._right, column_number(cell[0].decode()))
                elif decoder.has_formula(cell):
                    place = Place(sheet=layout.part.name, row=row.number, column=cell[0].decode())
                    raise UserError("removal-formula", place=place)
                elif row.number > layout.header_row and any(cell[2:]):
                    self.filled[layout.headers[cell[0].decode()]] += 1

    def _error(self, code: str, **facts: str) -> UserError:
        place = Place(sheet=self.layout.part.name, row=self.layout.header_row, column=column_letters(self._ours[0]))
        return UserError(code, place=place, **facts)

    def narrow(self, graft: Graft) -> None:
        """Let go of the columns in the table or in the hidden name of the filter."""
        layout = self.layout
        if not self._ours:
            return
        if layout.table and layout.table.member:
            graft.put(layout.table.member, narrower(graft.content(layout.table.member), self.headers))
        elif self._filter:
            edits = graft.edits(layout.book.main)
            for node in filter_names(edits.root, layout.part.name):
                if layout.found.filter:
                    change_area(edits, node, layout.found.filter, self._filter)

    @property
    def _filter(self) -> Area | None:
        old = self.layout.found.filter
        if not self.layout.bounded or self.layout.table or old is None or not self._ours:
            return None
        return Area(old.top, old.left, old.bottom, self._ours[0] - 1)

    def prune(self) -> Prune:
        """What goes from the sheet itself."""
        titles = {title for title, _ in MARK_HINTS.values()}

        def choice(node: Node) -> bool:
            return CHOICE in self._keys and node.attributes.get("promptTitle") in titles

        def colour(node: Node) -> bool:
            rules = [is_condition(rule.text) for rule in node.all("formula")]
            return COLOURS in self._keys and len(rules) == len(list(node.all("cfRule"))) and all(rules)

        return Prune(area=self.area, right=self._right, filter=self._filter, choice=choice, colour=colour)
