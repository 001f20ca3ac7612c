"""First set-up of a workbook: the columns it lacks, in the looks of those beside them, and a GUID of its own."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from xlsms.errors import Place, TransientError, UserError
from xlsms.files.backup import Backups
from xlsms.files.link import resolved
from xlsms.model import Role
from xlsms.ooxml.batch import Cell, New, Styled
from xlsms.ooxml.book import CUSTOM_PROPERTIES, SHEET_LIMIT, Book
from xlsms.ooxml.cells import MOST_COLUMNS, MOST_ROWS, Area, column_letters, column_number, natural
from xlsms.ooxml.frame import Choice, Colour, Frame, NewColumn, area_text, around
from xlsms.ooxml.graft import Graft
from xlsms.ooxml.grammar import Grammar
from xlsms.ooxml.outline import Edits, Node
from xlsms.ooxml.patch import Patch
from xlsms.ooxml.scan import rows, rows_at
from xlsms.ooxml.style import is_date, shows_time
from xlsms.ooxml.stylesheet import EMPTY, Stylesheet
from xlsms.ooxml.table import wider
from xlsms.ooxml.transplant import may_take_sheets
from xlsms.ooxml.value import style_of
from xlsms.states import LABELS, State
from xlsms.workbook.adding import add_sheets, lacking_sheets
from xlsms.workbook.base import RESULTS, Language
from xlsms.workbook.change import Change, put_change
from xlsms.workbook.identity import GUID_PROPERTY, new_guid
from xlsms.workbook.layout import Layout, layouts, spoken
from xlsms.workbook.ours import check_layout
from xlsms.workbook.own_sheets import Counted
from xlsms.workbook.palette import COLOURS, MARK_HINTS, REACH, WIDTHS, condition
from xlsms.workbook.record import CHOICE, OWN_SHEET, PROPERTIES, put_constant, put_note, put_notes, role_key
from xlsms.workbook.record import COLOURS as NOTED_COLOURS
from xlsms.workbook.roles import header
from xlsms.workbook.room import check_room, drawn_columns, right_edge
from xlsms.workbook.writing import ATTEMPTS, Step, opened, ready

__all__ = ["SetUp", "change_area", "filter_names", "set_up"]

#: What a sheet needs: a text, a mark, and room for the results.
_NEEDED = (Role.MESSAGE, Role.SEND, *RESULTS)
_FORMATS = {Role.STATUS_TIME: 22, Role.REPLY_TIME: 22, Role.ID: 49}  # day and hour as the system has them; text
_DAY = re.compile(r"(?i)(?=.*d)(?=.*m)(?=.*y)[dmy]+[-/. ][dmy]+[-/. ][dmy]+")  # a plain date
_PLAIN = re.compile(r"\w(?:[\w ]*\w)?")  # the header of a column that formulas call by it without any signs
_SAMPLE = 20  # rows that tell the usual look
_MOST_STYLED = 100_000  # rows that get a cell in their own look; beyond, the look of the column has to do


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What a first set-up added."""

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: headers by sheet
    guid: bool = False
    sheets: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()  #: sheets that got a drop-down or colours
    #: sheets that the workbook cannot take: its structure is locked, or its format strict
    left_out: tuple[str, ...] = ()
    covered: dict[str, str] = field(default_factory=dict)  #: by sheet the area of new columns that drawings lie over

    @property
    def nothing(self) -> bool:
        """Whether all was there already."""
        return not (self.columns or self.guid or self.marks or self.sheets)


def set_up(
    path: Path,
    language: Language | None = None,
    *,
    own_sheets: bool = False,
    protected: bool = False,
    rng: Random | None = None,
    backups: Backups | None = None,
    step: Step = lambda _: None,
) -> SetUp:
    """Add to a workbook what it lacks, with `own_sheets` also sheets for replies, a report, settings and rules.

    With `protected` to protected sheets too: their protection stays, and the new cells are unlocked.
    The same again changes nothing. Sheets are not added to a workbook in the strict format or with a locked structure.
    `backups` keeps the file as its user saved it.

    Raises:
        UserError: `sheet-protected`; `columns-no-room` where something stands beside a table or filter;
            `columns-past-edge`; `column-of-yours`; and as for any write.
        TransientError: somebody has the file open or keeps saving it.
    """
    real = resolved(path)
    for _ in range(ATTEMPTS):
        ready(real)
        with opened(real) as book:
            change, done = _prepared(book, language, rng, own_sheets=own_sheets, protected=protected)
            if change.empty or put_change(real, book, change, step, backups=backups) is not None:
                return done
    raise TransientError("file-keeps-changing", path=real.name)


def _prepared(
    book: Book, language: Language | None, rng: Random | None, *, own_sheets: bool, protected: bool
) -> tuple[Change, SetUp]:
    found = layouts(book)
    graft = Graft(book)
    styles = _styles(book, graft)
    sheets = [_Sheet(layout, language or spoken(found), styles) for layout in found]
    patches = []
    replaced = {}
    for sheet in sheets:
        sheet.prepare(graft, protected=protected)
        if sheet.changed:
            patch = Patch(book, sheet.layout.part, sheet.layout.found, sheet.layout.tables, sheet.cells)
            patches.append(patch)
            replaced[sheet.layout.part.member] = sheet.frame.chunks(patch.chunks())
    lacking = lacking_sheets(book, graft) if own_sheets else []
    may_grow = bool(lacking) and may_take_sheets(book)
    counted = [sheet.counted for sheet in sheets]
    grown = add_sheets(book, graft, styles, lacking, counted, language or spoken(found)) if may_grow else []
    _note(graft.edits(book.main), sheets, grown)
    _put_styles(book, graft, styles)
    guid = GUID_PROPERTY not in book.custom_properties
    if guid:
        if book.target("/", CUSTOM_PROPERTIES) is None:
            put_constant(graft.edits(book.main), PROPERTIES, "new")
        graft.set_property(GUID_PROPERTY, new_guid(rng))
    change = Change(patches=patches, replaced={**replaced, **graft.replaced()}, added=graft.added)
    return change, SetUp(
        columns={sheet.layout.part.name: sheet.texts for sheet in sheets if sheet.texts},
        guid=guid,
        sheets=tuple(grown),
        marks=tuple(sheet.layout.part.name for sheet in sheets if sheet.frame.choices or sheet.frame.colours),
        left_out=() if may_grow else tuple(lacking),
        covered={sheet.layout.part.name: area for sheet in sheets if (area := sheet.covered())},
    )


def _note(edits: Edits, sheets: Sequence["_Sheet"], grown: Sequence[str]) -> None:
    """Note in the workbook what was added, so that it can be taken away again."""
    put_notes(edits, ((sheet.layout.part.name, key, cell) for sheet in sheets for key, cell in sheet.noted()))
    for place, name in enumerate(grown, len(list(edits.root.all("sheet")))):
        put_note(edits, OWN_SHEET, place, name, (1, 1))


def _styles(book: Book, graft: Graft) -> Stylesheet:
    member = book.related("styles")
    return Stylesheet(graft.content(member) if member else EMPTY)


def _put_styles(book: Book, graft: Graft, styles: Stylesheet) -> None:
    member = book.related("styles")
    if not styles.changed:
        return
    if member is not None:
        graft.put(member, styles.result())
    else:
        folder = book.main.key.rpartition("/")[0].lstrip("/")
        graft.add(graft.fresh(f"{folder}/styles{{}}.xml", bare=True), styles.result(), "styles", book.main.key)


class _Sheet:
    """What one sheet lacks."""

    def __init__(self, layout: Layout, language: Language, styles: Stylesheet) -> None:
        self.layout, self._language, self._styles = layout, language, styles
        self.roles = tuple(role for role in _NEEDED if role not in layout.columns)
        self.texts = tuple(header(role, language) for role in self.roles)
        self.cells: dict[Cell, New] = {}
        self.frame = Frame()
        self._moment = _FORMATS[Role.STATUS_TIME]
        self._tail = around(layout.book.package.chunks(layout.part.member, SHEET_LIMIT))
        self._protected = any(_on(node.attributes.get("sheet", "")) for node in self._tail.all("sheetProtection"))
        self.columns: dict[Role, int] = {role: column_number(at) for role, at in layout.columns.items()}

    @property
    def changed(self) -> bool:
        """Whether the sheet's own part changes."""
        return bool(self.cells or self.frame.columns or self.frame.choices or self.frame.colours)

    def noted(self) -> Iterator[tuple[str, Cell]]:
        """What is added, with the cell that it is found by."""
        top = self.layout.header_row
        yield from ((role_key(role), (top, self.columns[role])) for role in self.roles)
        if self.frame.choices:
            yield CHOICE, (top, self.columns[Role.SEND])
        if self.frame.colours:
            yield NOTED_COLOURS, (top, self.columns[Role.STATUS])

    @property
    def counted(self) -> Counted:
        """What the report counts in the sheet."""
        return Counted(name=self.layout.part.name, status=self.called(Role.STATUS), reply=self.called(Role.REPLY))

    def called(self, role: Role) -> str:
        """A column as formulas call it: by its name in a table, else from the first row to the last."""
        layout = self.layout
        letters = column_letters(self.columns[role])
        words = dict(zip(self.roles, self.texts, strict=True)).get(role) or layout.headers[letters]
        if layout.table and layout.table.name and _PLAIN.fullmatch(words):
            return f"{layout.table.name}[{words}]"
        name = layout.part.name.replace("'", "''")
        return f"'{name}'!${letters}${layout.header_row + 1}:${letters}${MOST_ROWS}"

    def prepare(self, graft: Graft, *, protected: bool) -> None:
        """Work out everything; tables and names go into `graft`. A protected sheet is changed only if `protected`."""
        if self.roles:
            check_layout(self.layout)
            edge = self._edge()
            self.columns |= {role: edge + number for number, role in enumerate(self.roles, 1)}
            self._dress(edge)
            self._widen(graft)
        self._mark()
        if self.changed and self._protected and not protected:
            raise self._error("sheet-protected")

    def _edge(self) -> int:
        """The column that the new ones come right after."""
        layout = self.layout
        if not layout.bounded:
            right = right_edge(layout)[0]
            check_room(layout.part.name, layout.header_row, right, self.texts)
            return right
        block = layout.table.area if layout.table else layout.found.filter
        if block is None:
            raise UserError("sheet-not-writable")
        if layout.table and layout.table.external:
            raise self._error("table-external", table=layout.table.name)
        bottom = block.bottom if layout.table else _last(layout)
        room = Area(block.top, block.right + 1, bottom, block.right + len(self.roles))
        others = (*layout.found.merges, *layout.found.arrays, *(table.area for table in layout.tables))
        if room.right > MOST_COLUMNS or any(room.meets(other) for other in others) or self._occupied(room):
            raise self._error("columns-no-room", columns=", ".join(self.texts), area=area_text(room))
        return block.right

    def _error(self, code: str, **facts: str) -> UserError:
        return UserError(code, place=Place(sheet=self.layout.part.name, row=self.layout.header_row), **facts)

    def covered(self) -> str:
        """The area of new columns that charts, pictures or shapes lie over; empty when none does."""
        new = sorted(self.columns[role] for role in self.roles)
        over = [at for at in new if any(left <= at <= right for left, right in drawn_columns(self.layout))]
        return f"{column_letters(over[0])}:{column_letters(over[-1])}" if over else ""

    def _occupied(self, room: Area) -> bool:
        letters = {column_letters(at).encode() for at in range(room.left, room.right + 1)}
        return any(
            cell[0] in letters and any(cell[2:])
            for row in rows(self.layout.book, self.layout.part, self.layout.found)
            if room.top <= row.number <= room.bottom
            for cell in row.cells
        )

    def _dress(self, edge: int) -> None:
        """Headers, and empty cells in the look of the column that looks most like the others."""
        layout = self.layout
        beside = self._neighbour(edge)
        letters = column_letters(beside).encode()
        last = layout.table.area.bottom if layout.table else layout.last
        shapes: dict[int, int] = {}
        cells = Grammar(layout.found.prefix).cells_of(letters)
        for row in rows(layout.book, layout.part, layout.found):
            if layout.header_row <= row.number <= last and len(shapes) < _MOST_STYLED:
                cell = cells.search(row.body)
                style = style_of(cell[2]) if cell else 0
                if style:
                    shapes[row.number] = style
        for role, words in zip(self.roles, self.texts, strict=True):
            column = self.columns[role]
            looks = {style: Styled(None, self._look(role, style)) for style in set(shapes.values())}
            self.cells |= {(number, column): looks[style] for number, style in shapes.items()}
            self.cells[layout.header_row, column] = Styled(words, shapes.get(layout.header_row, 0))
            base = layout.found.column_style(beside) or 0
            width = max(WIDTHS[role], len(words) + 4.0)
            style = self._look(role, base) if base or role in _FORMATS or self._protected else 0
            self.frame.columns.append(NewColumn(column=column, width=width, style=style, hidden=role is Role.ID))

    def _look(self, role: Role, style: int) -> int:
        if role in (Role.STATUS_TIME, Role.REPLY_TIME):
            known = self.layout.book.styles.date_like(style)
            if known is not None and known != style:
                return self._styles.derived(known, None, unlocked=self._protected)
            return self._styles.derived(style, self._moment, unlocked=self._protected)
        return self._styles.derived(style, _FORMATS.get(role, 0), unlocked=self._protected)

    def _neighbour(self, edge: int) -> int:
        """The rightmost column whose font is the usual one: not the one with links in blue."""
        layout = self.layout
        numbers = frozenset(range(layout.header_row + 1, min(layout.last, layout.header_row + _SAMPLE) + 1))
        dates: Counter[str] = Counter()
        fonts: dict[bytes, Counter[str]] = {letters.encode(): Counter() for letters in layout.headers}
        for row in rows_at(layout.book, layout.part, layout.found, numbers):
            for cell in row.cells:
                if cell[0] in fonts:
                    fonts[cell[0]][self._styles.font_of(style_of(cell[1]))] += 1
                    dates[layout.book.styles.code(style_of(cell[1]))] += 1
        self._moment = self._moment_like(dates)
        usual = sum(fonts.values(), Counter()).most_common(1)
        alike = [
            column_number(letters.decode())
            for letters, counts in fonts.items()
            if counts and counts.most_common(1)[0][0] == usual[0][0]
        ]
        return max(alike, default=edge)

    def _moment_like(self, codes: Counter[str]) -> int:
        """The number format of times: the user's way to write a day, if one is seen, with the hour."""
        days = [code for code, _ in codes.most_common() if is_date(code) and not shows_time(code)]
        plain = [code for code in days if _DAY.fullmatch(code)]
        return self._styles.number_format(f"{plain[0]} hh:mm") if plain else _FORMATS[Role.STATUS_TIME]

    def _widen(self, graft: Graft) -> None:
        """Let the table or the filter take in the new columns."""
        layout = self.layout
        more = len(self.roles)
        if layout.table and layout.table.member:
            graft.put(layout.table.member, wider(graft.content(layout.table.member), self.texts))
        elif layout.bounded and layout.found.filter:
            old = layout.found.filter
            self.frame.filter = Area(old.top, old.left, old.bottom, old.right + more)
            edits = graft.edits(layout.book.main)
            for node in filter_names(edits.root, layout.part.name):
                change_area(edits, node, old, self.frame.filter)

    def _mark(self) -> None:
        """A drop-down for the mark and colours for the states, where the user has none of his own."""
        layout = self.layout
        first = layout.header_row + 1
        last = layout.table.last if layout.table else max(_last(layout), REACH)
        send, status = self.columns[Role.SEND], self.columns[Role.STATUS]
        marks, states = Area(first, send, last, send), Area(first, status, last, status)
        if not any(_touches(node, marks) for node in self._tail.all("dataValidation")):
            title, hint = MARK_HINTS[self._language]
            self.frame.choices.append(Choice(area=marks, value="x", title=title, hint=hint))
        if not any(_touches(node, states) and _tells_states(node) for node in self._tail.all("conditionalFormatting")):
            kinds: dict[tuple[str, str], list[State]] = {}
            for state, colours in COLOURS.items():
                kinds.setdefault(colours, []).append(state)
            cell = f"${column_letters(status)}{first}"
            rules = [
                (condition(tuple(alike), cell), self._styles.coloured(*colours)) for colours, alike in kinds.items()
            ]
            self.frame.colours.append(Colour(area=states, rules=rules))


def _on(flag: str) -> bool:
    return flag in ("1", "true")


def _last(layout: Layout) -> int:
    """The last row in use."""
    return max((row.number for row in rows(layout.book, layout.part, layout.found)), default=layout.header_row)


def _touches(node: Node, area: Area) -> bool:
    extended = node.child("sqref")  # of a list whose values stand in another sheet, which is kept in `extLst`
    found = (Area.of(ref) for ref in (extended.text if extended else node.attributes.get("sqref", "")).split())
    return any(other is not None and area.meets(other) for other in found)


def _tells_states(node: Node) -> bool:
    return any(f'"{label}"' in formula.text for formula in node.all("formula") for label in LABELS["en"].values())


def change_area(edits: Edits, node: Node, old: Area, new: Area) -> None:
    """Let a name of a sheet's area stand for another one, if it is that area; the sheet stays as it is written."""
    name, _, area = node.text.rpartition("!")
    if Area.of(area) != old:
        return
    corners = f"${column_letters(new.left)}${new.top}:${column_letters(new.right)}${new.bottom}"
    written = edits.xml[node.opening : node.closing]
    if written.endswith(b"!" + area.encode()):
        edits.replace(node.closing - len(area.encode()), node.closing, corners)
    else:  # in CDATA or with its corners as entities
        quoted = name.replace("&", "&amp;").replace("<", "&lt;")
        edits.replace(node.opening, node.closing, f"{quoted}!{corners}")


def filter_names(workbook: Node, sheet: str) -> Iterator[Node]:
    """The hidden names that repeat the area of a sheet's filter."""
    sheets = [node.attributes.get("name", "") for node in workbook.all("sheet")]
    for node in workbook.all("definedName"):
        place = natural(node.attributes.get("localSheetId", ""))
        ours = place is not None and place < len(sheets) and sheets[place] == sheet
        if ours and node.attributes.get("name") == "_xlnm._FilterDatabase":
            yield node
