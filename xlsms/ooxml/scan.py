"""A worksheet read in bulk: blocks of whole rows, scanned for what is wanted, cells decoded only when asked for.

Nearly all sheets are *plain*: UTF-8, one prefix, every row and cell with its reference in the usual quotes, no
comments, rows in order. That is checked over the whole part first, and only then is it read by literal search. Any
other legal sheet is put into the plain form by expat on the way, so there is one reader.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from xlsms.errors import UserError
from xlsms.ooxml.block import SHEET_DATA, NotPlainError, blocks
from xlsms.ooxml.book import SHEET_LIMIT, Book, SheetPart
from xlsms.ooxml.canonical import canonical_sheet
from xlsms.ooxml.cells import Area, column_letters, natural
from xlsms.ooxml.markup import NAMESPACES, elements
from xlsms.ooxml.needle import holds
from xlsms.ooxml.shape import Shapes, end_of
from xlsms.ooxml.whereabouts import Whereabouts

__all__ = [
    "NAMESPACES",
    "Grammar",
    "NotPlainError",
    "RawCell",
    "RawRow",
    "Survey",
    "Watcher",
    "blocks",
    "glimpse",
    "root_tag",
    "row_blocks",
    "rows",
    "rows_at",
    "survey",
    "surveyed",
    "top_rows",
]

_HEAD_LIMIT = 16 << 20
_PIECE = 1 << 13  # enough for the first rows of most sheets
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding=[\"']([\w.:-]+)[\"']")
_REF = re.compile(rb"f(?<=\sref)\s*+=")
_HEAD_TAGS = frozenset({"col", "worksheet"})
_TAIL_TAGS = frozenset({"mergeCell", "autoFilter"})

_GROUP = re.compile(rb"\((?!\?)")  # of a pattern, one that captures

RawCell = tuple[bytes, bytes, bytes, bytes, bytes]
"""Letters, attributes, `<v>`, the text of a simple inline string, and anything else inside the cell."""


class RawRow(NamedTuple):
    """One row as it lies in the sheet; its cells are told apart when they are asked for. A tuple: there are many."""

    number: int
    hidden: bool
    body: bytes  #: what stands inside the row element
    pattern: re.Pattern[bytes]  #: of a cell
    ends: tuple[bytes, ...] | None = None  #: of some columns what stands behind the cell's reference, where it was told

    @property
    def cells(self) -> list[RawCell]:
        """All cells, left to right."""
        return self.pattern.findall(self.body)


@dataclass(slots=True, kw_only=True)
class Survey:
    """What has to be known of a whole sheet before any of it is used."""

    plain: bool
    prefix: bytes
    head: bytes = field(repr=False)  #: up to and with `<sheetData>`; empty unless plain
    merges: list[Area]
    arrays: list[Area]  #: array formulas, spills and data tables
    filter: Area | None
    column_styles: list[tuple[int, int, int]]  #: first and last column, style
    shapes: Shapes | None = field(default=None, repr=False, compare=False)  #: of the rows, as far as they are known
    #: of a column, as far as it is known
    whereabouts: Whereabouts | None = field(default=None, repr=False, compare=False)
    cells_seen: bool = True  #: whether every cell was looked at, and not the rows alone
    rows_seen: bool = True  #: whether more was looked at than what stands before the rows

    def column_style(self, column: int) -> int | None:
        """The style of a column, for cells that do not exist yet."""
        return next((style for first, last, style in self.column_styles if first <= column <= last), None)


class Watcher(Protocol):
    """Sees every block of a survey, so that one pass over a sheet does for both."""

    def start(self, grammar: "Grammar") -> None:
        """The rows begin; again, from the first one, when the sheet turned out not to be plain."""

    def block(self, data: bytes) -> None:
        """A checked block of whole rows; `NotPlainError` when it is not as plain as it looked."""


def survey(book: Book, sheet: SheetPart, watcher: Watcher | None = None) -> Survey:
    """Read a whole sheet once and tell what it is."""
    try:
        return _survey(book.package.chunks(sheet.member, SHEET_LIMIT), watcher, plain=True)
    except NotPlainError:
        pass
    try:
        return _survey(canonical_sheet(book.package.chunks(sheet.member, SHEET_LIMIT)), watcher, plain=False)
    except NotPlainError as error:
        raise UserError("file-damaged", reason="rows out of order") from error


def glimpse(book: Book, sheet: SheetPart) -> Survey | None:
    """What stands before the rows of a sheet, for one who looks at the rest later; None when it is not plain."""
    try:
        _, head = next(blocks(book.package.chunks(sheet.member, SHEET_LIMIT)))
        match = SHEET_DATA.search(head)
        if match is None or match[2]:
            return None
        _check_head(head, match[1])
    except NotPlainError:
        return None
    tail = b"</%bsheetData></%bworksheet>" % (match[1], match[1])
    return replace(surveyed(head, tail, [], plain=True), cells_seen=False, rows_seen=False)


def _survey(chunks: Iterable[bytes], watcher: Watcher | None, *, plain: bool) -> Survey:
    arrays: list[Area] = []
    last = 0
    prefix, head, tail = b"", b"", b""
    grammar = Grammar(b"")
    for kind, data in blocks(chunks):
        if kind == "head":
            match = SHEET_DATA.search(data)
            prefix = match[1] if match else b""
            head, grammar = data, Grammar(prefix)
            _check_head(data, prefix)
            if watcher is not None:
                watcher.start(grammar)
        elif kind == "tail":
            tail = data
        else:
            last = grammar.check(data, last)
            arrays.extend(grammar.arrays(data))
            if watcher is not None:
                watcher.block(data)
    if b"<!" in tail and plain:
        raise NotPlainError
    return replace(surveyed(head, tail, arrays, plain=plain), shapes=grammar.shapes)


def surveyed(head: bytes, tail: bytes, arrays: list[Area], *, plain: bool) -> Survey:
    """What the XML before and after the rows of a sheet tells."""
    match = SHEET_DATA.search(head)
    prefix = match[1] if match else b""
    closed = head.rstrip().endswith(b"/>")
    name = prefix + b"sheetData"
    opening = head if closed else head + b"</" + name + b">"
    root = root_tag(head)
    facts = elements((opening, b"</" + prefix + b"worksheet>"), _HEAD_TAGS)
    # what follows the rows is read inside the same root, whose namespaces it needs
    start = b"" if closed else b"<" + name + b">"
    facts += elements((root, start, tail), _TAIL_TAGS)
    merges = [area for tag in facts if tag.name == "mergeCell" and (area := Area.of(tag.attributes.get("ref", "")))]
    filters = [tag for tag in facts if tag.name == "autoFilter" and tag.parent == "worksheet"]
    return Survey(
        plain=plain,
        prefix=prefix,
        head=head,
        merges=merges,
        arrays=arrays,
        filter=Area.of(filters[0].attributes.get("ref", "")) if filters else None,
        column_styles=[style for tag in facts if (style := _column_style(tag.name, tag.attributes))],
    )


def _column_style(name: str, attributes: dict[str, str]) -> tuple[int, int, int] | None:
    if name != "col":
        return None
    first, last, style = (natural(attributes.get(key, "")) for key in ("min", "max", "style"))
    return None if first is None or last is None or style is None else (first, last, style)


def root_tag(head: bytes) -> bytes:
    """The start tag of the sheet's root, which binds its namespaces."""
    match = re.search(rb"<(?:[A-Za-z_][\w.-]*:)?worksheet(?:\s[^>]*)?>", head)
    if match is None:
        raise NotPlainError
    return match[0]


def _check_head(head: bytes, prefix: bytes) -> None:
    declared = _DECLARED.match(head)
    if declared is not None and declared[1].lower() not in (b"utf-8", b"utf8"):
        raise NotPlainError
    root = root_tag(head)
    bound = b"xmlns:" + prefix[:-1] if prefix else b"xmlns"
    space = re.search(b"\\s" + re.escape(bound) + rb'="([^"]*)"', root)
    if (
        b"<!" in head
        or space is None
        or space[1] not in NAMESPACES
        or not root.startswith(b"<" + prefix + b"worksheet")
    ):
        raise NotPlainError


class Grammar:
    """The literals and patterns of a plain sheet with one prefix."""

    def __init__(self, prefix: bytes, shapes: Shapes | None = None) -> None:
        """`shapes` are those of the sheet's rows, where they have been looked at before."""
        p = re.escape(prefix)
        self.prefix = prefix
        self.row_open, self.row_end = b"<" + prefix + b"row", b"</" + prefix + b"row>"
        self.cell_open, self.cell_end = b"<" + prefix + b'c r="', b"</" + prefix + b"c>"
        self._any_cell, self._any_end = b"<" + prefix + b"c", b"</" + prefix + b"c"
        self.row = re.compile(rb"<" + p + rb'row(?:\s+(?!r=)[\w:.]+="[^"<>]*")*\s+r="([1-9][0-9]{0,6})"[^<>\']*?(/?)>')
        # a rare byte is searched for faster than one that begins many things
        self._row_number = re.compile(rb"w(?<=<" + p + rb"row)(?: r=\"([1-9][0-9]{0,6}+)\")?+")
        whole = rb'[A-Z]{1,3}[1-9][0-9]{0,6}"(?:[^<>/\'"]*"[^<>/\'"]*")*\s*/?>'  # a tag may hold > within quotes
        self._odd_cell = re.compile(rb"<" + p + rb'c r="(?!' + whole + rb")")
        inside = rb"<%(p)sv>([^<]*)</%(p)sv>|<%(p)sis><%(p)st(?: [^>]*)?>([^<]*)</%(p)st></%(p)sis>|(.*?)" % {b"p": p}
        self._cell_text = rb"<%(p)sc r=\"(%%b)[0-9]+\"([^>/]*)(?:/>|>(?:%(inside)s)</%(p)sc>)" % {
            b"p": p,
            b"inside": inside,
        }
        self.cell = self.cells_of(b"[A-Z]+")
        self._end = re.compile(rb"([^>/]*)(?:/>|>(?:%b)</%bc>)" % (inside, p), re.DOTALL)
        text = rb"<%(p)sis><%(p)st(?: [^>]*)?>([^<]*)</%(p)st></%(p)sis></%(p)sc>" % {b"p": p}
        #: what stands behind the reference of a simple inline text, which is its group
        self.text_end = re.compile(rb'(?: s="[0-9]+")? t="inlineStr">' + text)
        self.formula_open = b"<" + prefix + b"f"
        self.formula = re.compile(rb"<" + p + rb"f[\s/>]")
        self.shapes = shapes or Shapes(prefix)
        self.exact = False  #: whether in the last block checked every cell stands once, in order, and names its row
        self._odd_formula = re.compile(rb"<" + p + rb'f\s(?!(?:\s*[A-Za-z0-9]+="[^"<>&]*")*\s*/?>)')
        self._array = re.compile(rb"<" + p + rb'f(?=[^<>]*\st="(?:array|dataTable)")[^<>]*\sref="([^"<>]*)"')

    def cells_of(self, letters: bytes) -> re.Pattern[bytes]:
        """A pattern for the cells of a column, or of all columns; its groups make a `RawCell`."""
        return re.compile(self._cell_text % letters, re.DOTALL)

    def whole_cells_of(self, letters: bytes) -> re.Pattern[bytes]:
        """The same without groups."""
        return re.compile(_GROUP.sub(b"(?:", self._cell_text) % letters, re.DOTALL)

    def simple_cells_of(self, letters: bytes) -> re.Pattern[bytes]:
        """A pattern for the cells of a column without formula or rich text: cell, row and style are its groups."""
        inside = rb"(?:<%(p)sv>[^<]*</%(p)sv>|<%(p)sis><%(p)st(?: [^>]*)?>[^<]*</%(p)st></%(p)sis>)?" % {
            b"p": re.escape(self.prefix)
        }
        tag = rb'%b%b([1-9][0-9]{0,6})"(?: s="([0-9]+)")?(?: t="[A-Za-z]+")?' % (re.escape(self.cell_open), letters)
        return re.compile(rb"(%b(?:/>|>%b%b))" % (tag, inside, re.escape(self.cell_end)))

    def texts_of(self, letters: bytes) -> re.Pattern[bytes]:
        """A pattern for the simple inline texts of a column: row and text are its groups."""
        inside = rb"<%(p)sis><%(p)st(?: [^>]*)?>([^<]*)</%(p)st></%(p)sis>" % {b"p": re.escape(self.prefix)}
        tag = rb'%b%b([1-9][0-9]{0,6})"(?: s="[0-9]+")? t="inlineStr">' % (re.escape(self.cell_open), letters)
        return re.compile(tag + inside + re.escape(self.cell_end))

    def texts_alike(self, ends: Sequence[bytes]) -> list[bytes] | None:
        """The simple inline texts of cells that lie alike, of which what is behind the reference was told.

        None where one lies otherwise, and for none. The texts are as they lie.
        """
        first = self.text_end.fullmatch(ends[0]) if ends else None
        if first is None:
            return None
        before, after = ends[0][: first.start(1)], ends[0][first.end(1) :]
        lying = b"\n".join(ends)
        # a cell ends but once: what divides two of them stands between two that are such as the first one
        texts = lying[len(before) : -len(after)].split(b"%b\n%b" % (after, before))
        return texts if len(texts) == len(ends) and lying.startswith(before) and lying.endswith(after) else None

    def check(self, block: bytes, last: int) -> int:
        """Whether a block of whole rows is plain and in order; returns its last row number."""
        if holds(block, b"ref") and self._odd_formula.search(block):  # it may fill an area that `arrays` would not see
            raise NotPlainError
        quick = self.shapes.check(block, last)
        self.exact = quick is not None
        if quick is not None:
            return quick
        numbers = [int(number) for number, _ in self.row.findall(block)]
        if not (all(map(int.__lt__, [last, *numbers], numbers)) and self.plain(block)):
            raise NotPlainError
        return numbers[-1] if numbers else last

    def is_exact(self, rows: bytes) -> bool:
        """Whether in some whole rows every cell stands once, in order, and names its row, as far as a glance tells."""
        return self.shapes.check(rows, 0) is not None

    def apart(self, block: bytes, letters: tuple[bytes, ...]) -> list[tuple[bytes, ...]] | None:
        """The rows of a checked block and the cells of some columns told apart at once; see `Shapes.apart`."""
        return self.shapes.apart(block, letters)

    def between(self, block: bytes, letters: tuple[bytes, ...]) -> list[tuple[bytes, ...]] | None:
        """The rows of a block in pieces that cells of some columns can be put between; see `Shapes.between`."""
        return self.shapes.between(block, letters)

    def cell_by(self, letters: bytes, end: bytes) -> RawCell:
        """A cell of which only what stands behind its reference is known; an empty one for nothing."""
        found = self._end.fullmatch(end)
        return (letters, *found.groups(b"")) if found else (letters, b"", b"", b"", b"")  # type: ignore[return-value]

    def check_rows(self, block: bytes, last: int) -> int:
        """As `check`, of the rows alone, whatever their cells are; where areas may be filled, of the cells as well."""
        odd = holds(block, b"ref", b"<!", b"<?")
        if odd and _REF.search(block):
            return self.check(block, last)
        found = self._row_number.findall(block)
        if not block.strip():
            return last
        end = end_of(found, last) if found else None
        if end is None or (odd and holds(block, b"<!", b"<?")):
            raise NotPlainError
        return end

    def plain(self, block: bytes) -> bool:
        """Whether every row and cell of a block of whole rows is written in the plain way; says nothing of order."""
        found = self.row.findall(block)
        return (
            len(found) == block.count(self.row_open)
            and sum(not closed for _, closed in found) == block.count(self.row_end)
            and block.count(self._any_end) == block.count(self.cell_end)
            and block.count(self._any_cell) == block.count(self.cell_open)
            and self._odd_cell.search(block) is None
            and b"<!" not in block
            and b"<?" not in block
        )

    def arrays(self, block: bytes) -> Iterator[Area]:
        """The areas that array formulas and data tables fill, in a block that has been checked."""
        if self.shapes.areas and (b't="array"' in block or b't="dataTable"' in block):
            yield from (area for ref in self._array.findall(block) if (area := Area.of(ref.decode("ascii", "replace"))))

    def rows(self, block: bytes) -> Iterator[RawRow]:
        """The rows with cells in a block of whole rows."""
        opening = self.row_open
        for part in block.split(self.row_end):
            start = part.rfind(opening)
            if start < 0:
                continue
            body = part.index(b">", start)
            yield self._raw(part[start : body + 1], part[body + 1 :])

    def row_around(self, block: bytes, at: int) -> RawRow:
        """The row of a cell that starts at `at`."""
        start = block.rfind(self.row_open, 0, at)
        body = block.index(b">", start)
        return self._raw(block[start : body + 1], block[body + 1 : block.index(self.row_end, at)])

    def _raw(self, tag: bytes, body: bytes) -> RawRow:
        number = self.row.match(tag)
        if number is None:
            raise UserError("file-damaged", reason="a row without a number")
        return RawRow(int(number[1]), b'hidden="1"' in tag or b'hidden="true"' in tag, body, self.cell)


def row_blocks(book: Book, sheet: SheetPart, found: Survey) -> Iterator[bytes]:
    """The blocks of whole rows of a surveyed sheet, in plain form."""
    chunks = book.package.chunks(sheet.member, SHEET_LIMIT)
    for kind, data in blocks(chunks if found.plain else canonical_sheet(chunks)):
        if kind == "rows":
            yield data


def rows(
    book: Book,
    sheet: SheetPart,
    found: Survey,
    *,
    column: int | None = None,
    test: Callable[[RawCell], bool] | None = None,
) -> Iterator[RawRow]:
    """The rows of a sheet that have cells; with `column` and `test` only those whose cell there passes."""
    grammar = Grammar(found.prefix)
    if column is None or test is None:
        for block in row_blocks(book, sheet, found):
            yield from grammar.rows(block)
        return
    pattern = grammar.cells_of(column_letters(column).encode())
    for block in row_blocks(book, sheet, found):
        for match in pattern.finditer(block):
            if test(match.groups(b"")):  # type: ignore[arg-type]  # five groups, as RawCell has
                yield grammar.row_around(block, match.start())


def rows_at(book: Book, sheet: SheetPart, found: Survey, numbers: frozenset[int]) -> Iterator[RawRow]:
    """The rows with these numbers, as far as they exist."""
    grammar = Grammar(found.prefix)
    wanted = sorted(numbers, reverse=True)
    for block in row_blocks(book, sheet, found):
        if not wanted:
            return
        last = block.rfind(grammar.row_open)
        end = grammar.row.match(block, last)
        if end is None or int(end[1]) < wanted[-1]:
            continue
        for match in grammar.row.finditer(block):
            number = int(match[1])
            while wanted and wanted[-1] < number:
                wanted.pop()
            if wanted and wanted[-1] == number and not match[2]:
                yield grammar.row_around(block, match.end())


def top_rows(book: Book, sheet: SheetPart, count: int) -> list[RawRow]:
    """The rows with cells among the first `count` of a sheet, without a look at the rest. Cells have no prefix."""
    grammar = Grammar(b"")
    data = b""
    chunks = book.package.chunks(sheet.member, SHEET_LIMIT, ahead=False)
    pieces = (chunk[at : at + _PIECE] for chunk in chunks for at in range(0, len(chunk), _PIECE))
    for piece in canonical_sheet(pieces):
        data += piece
        at = data.rfind(grammar.row_open)
        last = grammar.row.match(data, at) if at >= 0 else None
        if (last is not None and int(last[1]) > count) or len(data) > _HEAD_LIMIT:
            break
    whole = data.rfind(grammar.row_end) + len(grammar.row_end) if grammar.row_end in data else 0
    return [row for row in grammar.rows(data[:whole]) if row.number <= count]
